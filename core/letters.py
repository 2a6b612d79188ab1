"""What all letters have in common: their shape, and the way to the page that they are about."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage


def write(to: str, subject: str, *blocks: str | list[str]) -> EmailMessage:
    """A letter to an address: blocks with an empty line between them, empty ones left out; a list
    is a block of lines."""
    texts = ["\n".join(block) if isinstance(block, list) else block for block in blocks]
    return EmailMessage(subject, "\n\n".join(filter(None, texts)), to=[to])


def place(words: str, path: str) -> str:
    """Where the page is: in words and, where the installation knows its address, as a link."""
    return f"{words}\n{settings.SITE_URL}{path}" if settings.SITE_URL else words
