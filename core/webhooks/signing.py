"""Secrets and signatures of the Standard Webhooks convention, version 1 (symmetric)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac

_PREFIX = "whsec_"
_BYTES = 32


class Unreadable(Exception):
    """The secret was encrypted under another SECRET_KEY."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def seal(secret: str) -> str:
    """Encrypted, so that a copy of the database alone cannot sign."""
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again; raises Unreadable after SECRET_KEY has changed."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


def signatures(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a secret, blanks between them."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_signature(key, signed)}" for key in keys)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _fernet() -> Fernet:
    key = salted_hmac("core.webhooks.secret", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
