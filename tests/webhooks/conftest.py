"""What the tests of webhooks share."""

from ipaddress import ip_network

import pytest


@pytest.fixture
def local_receivers(settings):
    """Let messages go to this machine over plain HTTP."""
    settings.WEBHOOKS_ALLOW_PRIVATE = [ip_network("127.0.0.0/8")]
    settings.WEBHOOKS_ALLOW_HTTP = True
