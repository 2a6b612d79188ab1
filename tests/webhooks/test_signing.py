"""Signatures as other programs verify them, and secrets that a copy of the database keeps."""

import base64
import time
from pathlib import Path

import pytest

from core.webhooks import signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_that_of_the_convention():
    told = signing.signatures([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert told == SIGNATURE


def test_each_valid_secret_signs():
    other = signing.new_secret()
    told = signing.signatures([other, SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    first, second = told.split(" ")
    assert second == SIGNATURE and first.startswith("v1,") and first != second


def test_secrets_are_random_and_long():
    one, two = signing.new_secret(), signing.new_secret()
    assert one != two
    assert one.startswith("whsec_") and len(base64.b64decode(one.removeprefix("whsec_"))) == 32


def test_a_sealed_secret_is_read_only_under_the_same_key(settings):
    sealed = signing.seal(SECRET)
    assert SECRET not in sealed and signing.unseal(sealed) == SECRET
    settings.SECRET_KEY = "another"
    with pytest.raises(signing.Unreadable):
        signing.unseal(sealed)


def test_the_code_of_the_docs_verifies_what_we_sign():
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    names = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    now = int(time.time())

    two = [signing.new_secret(), SECRET]

    def verdict(stamp=now, body=BODY, keys=two):
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": signing.signatures(keys, "evt_1", stamp, BODY),
        }
        return names["verify"](SECRET, headers, body)

    assert verdict()
    assert not verdict(body=b"{}")
    assert not verdict(stamp=now - 3600)
    assert not verdict(keys=[signing.new_secret()])
