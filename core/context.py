"""What is true for the whole of one request, task or command: its id and where it came in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RequestContext:
    """`source` is one of page, api, import, task, command. `at` is the moment that the history is
    told to be of, as the demo plays in the past; None: that of the database."""

    source: str = "command"
    at: datetime | None = None
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


_context: ContextVar[RequestContext] = ContextVar("request_context")


def current() -> RequestContext:
    """The context in force; a new one, of a command, where nobody set any."""
    try:
        return _context.get()
    except LookupError:
        context = RequestContext()
        _context.set(context)
        return context


@contextmanager
def use(
    *, source: str, request_id: str | None = None, at: datetime | None = None
) -> Iterator[RequestContext]:
    """Run a block under a context of its own; request id and moment are inherited unless given."""
    outer = _context.get(None)
    context = RequestContext(
        source=source,
        at=at or (outer.at if outer else None),
        request_id=request_id or (outer.request_id if outer else uuid.uuid4().hex),
    )
    token = _context.set(context)
    try:
        yield context
    finally:
        _context.reset(token)
