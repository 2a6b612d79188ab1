"""What the settings make of the environment."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from channel_crm.settings import next_database


@pytest.mark.parametrize(
    ("queue", "cache"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/10"),
        ("redis://valkey", "redis://valkey/1"),
        ("redis://valkey:6379/", "redis://valkey:6379/1"),
        ("rediss://:pass%2Fword@host:1/2?timeout=5", "rediss://:pass%2Fword@host:1/3?timeout=5"),
    ],
)
def test_the_cache_takes_the_database_after_that_of_the_queue(queue, cache):
    assert next_database(queue) == cache


@pytest.mark.parametrize("url", ["unix:///run/valkey.sock?db=0", "redis://host/zero"])
def test_a_queue_without_a_number_needs_a_cache_of_its_own(url):
    with pytest.raises(ImproperlyConfigured, match="Set CACHE_URL, too"):
        next_database(url)


def test_queue_and_cache_never_share_a_database():
    assert settings.CACHES["default"]["LOCATION"] != settings.CELERY_BROKER_URL
