"""What the contract tests share."""

import pytest
from django.conf import settings
from django.template import engines
from django.test import Client

# What templates of libraries read although it may be missing.
LIBRARY = {"LANGUAGE_CODE"}


class MissingVariable(str):
    """Stands where a template names something that is not there, and says so by failing."""

    def __mod__(self, name):
        if str(name) in LIBRARY:
            return ""
        raise AssertionError(f"a template reads “{name}”, which is not there")

    def __contains__(self, text):
        return text == "%s"


@pytest.fixture
def strict_templates():
    """Make our templates fail on a variable that does not exist."""
    engine = engines["django"].engine
    before = engine.string_if_invalid
    engine.string_if_invalid = MissingVariable("%s")
    yield
    engine.string_if_invalid = before


@pytest.fixture
def sign_in():
    """A client signed in as a user, in English."""

    def make(user, **extra):
        client = Client(**extra)
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        session = client.session
        session["language"] = "en"
        session.save()
        return client

    return make
