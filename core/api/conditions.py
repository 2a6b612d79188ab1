"""ETag, If-None-Match and If-Match (RFC 9110): read again only what changed, and write only what is
still as it was read."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from core.api.rendering import JSONRenderer
from core.errors import DomainError

MATCH, NONE_MATCH = "If-Match", "If-None-Match"
_TAG = r'(W/)?"[!#-~]*"'
TAGS = rf"^(\*|{_TAG}( ?, ?{_TAG})*)$"


class Changed(DomainError):
    """`If-Match` names another state of the record than the one it is in."""

    status = 412

    def __init__(self) -> None:
        super().__init__(
            "precondition_failed",
            _("The record is no longer as you read it. Read it again, then decide."),
        )


def tag_of(representation: Any) -> str:
    """The strong ETag of what is shown, be it of this row or of others."""
    return f'"{hashlib.sha256(JSONRenderer().render(representation)).hexdigest()[:32]}"'


def wants_match(request: Any) -> bool:
    """Whether the request is to be carried out only on a state that it names."""
    return bool(_tags(request, MATCH))


def check_match(request: Any, tag: str) -> None:
    """Raise Changed unless `If-Match`, where it is sent, names this tag."""
    given = _tags(request, MATCH)
    if given and "*" not in given and tag not in given:
        raise Changed


def is_known(request: Any, tag: str) -> bool:
    """Whether the client has this state already: `If-None-Match` names its tag, weak or strong."""
    given = [one.removeprefix("W/") for one in _tags(request, NONE_MATCH)]
    return "*" in given or tag in given


def _tags(request: Any, header: str) -> list[str]:
    """The tags of a header. ValidationError when it is not what RFC 9110 says."""
    text = request.headers.get(header)
    if text is None:
        return []
    if not re.fullmatch(TAGS, text):
        message = _("Send * or ETags as they came, quotation marks included.")
        raise ValidationError({header: [message]}, "invalid")
    return ["*"] if text == "*" else [found[0] for found in re.finditer(_TAG, text)]
