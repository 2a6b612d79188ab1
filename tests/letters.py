"""Following the links in letters as those who got them."""

import re

from django.conf import settings
from django.core import mail
from django.test import Client

from accounts.models import User


def follow_links() -> dict[str, int]:
    """{address: status of the page} of the letters that were sent, each with one link."""
    found = {}
    for letter in mail.outbox:
        [address] = letter.to
        [path] = re.findall(rf"{re.escape(settings.SITE_URL)}(/\S*)", letter.body)
        client = Client()
        client.force_login(User.objects.get(email=address), "accounts.backends.RoleBackend")
        found[address] = client.get(path, follow=True).status_code
    return found
