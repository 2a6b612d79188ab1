"""The sandbox: a write is carried out, answered, and rolled back.

Everything runs as always, in one transaction that ends without a trace: rows, events, kept answers
and what waits for the commit (jobs, messages to others). Ids in the answer lead nowhere afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core.api import problems
from core.errors import DomainError, Problem

HEADER = "Sandbox"


class NotInSandbox(DomainError):
    """A worker would do the work later, so that nothing can be shown of it."""

    status = 422

    def __init__(self) -> None:
        message = _("A worker would do this later, so the sandbox cannot show what comes of it.")
        super().__init__("not_in_sandbox", message)


def refuse(request: Any) -> None:
    """Raise NotInSandbox there: for a view that hands work to a worker and keeps a file for it,
    which a roll-back would leave behind."""
    if getattr(request, "sandbox", False):
        raise NotInSandbox


def asked_for(request: HttpRequest) -> bool:
    """Whether the header asks for it. ValueError for a value that says neither yes nor no: a
    misspelt one must not write."""
    value = request.headers.get(HEADER, "false").strip().lower()
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def misspelt(request: HttpRequest) -> HttpResponse:
    """The answer where `asked_for` cannot tell."""
    message = _("Give one of: %(words)s.") % {"words": "true, false"}
    errors = [Problem("invalid_choice", message, HEADER)]
    return problems.respond(400, "invalid", message, path=request.path, errors=errors)


def rehearse(
    view: Callable[..., Any], request: HttpRequest, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> HttpResponse:
    """What `view` answers, with nothing left of what it wrote.

    Work that a worker would do later (202) cannot be shown, and is refused with 422.
    """
    with transaction.atomic():
        response = view(request, *args, **kwargs)
        if hasattr(response, "render"):
            response.render()
        if response.status_code < 400:
            connection.check_constraints()  # those that wait for a commit
        transaction.set_rollback(True)
    if response.status_code == 202:
        error = NotInSandbox()
        return problems.respond(error.status, error.code, error.message, path=request.path)
    return response
