"""Errors that a user can do something about.

A `DomainError` is raised by a service and shown where the user is: on the form, as problem details
in the API, as one JSON line by a command. A `Problem` is one reason why something cannot be done; a
list of them greys a button, fills the API's 409 and the import's error file alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.forms import BaseForm
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Problem:
    """One reason: a stable `code`, a `message` in the user's language, the `field` at fault."""

    code: str
    message: str | _StrPromise
    field: str | None = None


class DomainError(Exception):
    """A rule of the business refuses what was asked. `status` is the HTTP status of an edge."""

    status = 400

    def __init__(self, code: str, message: str | _StrPromise, field: str | None = None) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.field = field

    @property
    def problems(self) -> list[Problem]:
        return [Problem(self.code, self.message, self.field)]


class Conflict(DomainError):
    """Refused because of the state that something is in, not because of the input."""

    status = 409


class Blocked(Conflict):
    """Refused for one or more reasons, all listed."""

    def __init__(self, problems: Sequence[Problem], code: str = "blocked") -> None:
        joined = " ".join(str(problem.message) for problem in problems)
        super().__init__(code, joined or _("This is not possible now."))
        self._problems = list(problems)

    @property
    def problems(self) -> list[Problem]:
        return self._problems


class NotVisible(DomainError):
    """What was written could no longer be seen by the writer; the write is rolled back."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "not_visible",
            _("After this change you could no longer see the record, so it was not saved."),
        )


def add_to_form(form: BaseForm, error: DomainError) -> None:
    """Put each problem of `error` on its field of `form`, or above the form."""
    for problem in error.problems:
        field = problem.field if problem.field in form.fields else None
        form.add_error(field, ValidationError(str(problem.message), code=problem.code))
