"""What a backtest is asked for, as people write it: versions and periods."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Blocked, DomainError
from core.periods import Period
from performance.models import Scheme, SchemeVersion
from performance.schemes.validation import problems

MOST_PERIODS = 24


def find_version(text: str, field: str, *, draft: bool) -> SchemeVersion:
    """`CODE@3` is version 3 of the scheme; `CODE` alone its open draft, or without `draft` the
    version in force. DomainError unknown_scheme, unknown_version, no_draft, no_published_version.
    """
    code, _at, number = text.partition("@")
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        message = _("There is no scheme “%(code)s”.") % {"code": code}
        raise DomainError("unknown_scheme", message, field)
    versions = scheme.versions.select_related("scheme")
    if number:
        found = versions.filter(number=number).first() if number.isdecimal() else None
        if found is None:
            message = _("%(scheme)s has no version %(number)s.")
            values = {"scheme": scheme, "number": number}
            raise DomainError("unknown_version", message % values, field)
        return found
    state = SchemeVersion.State.DRAFT if draft else SchemeVersion.State.PUBLISHED
    found = versions.filter(state=state).order_by("-number").first()
    if found is None and draft:
        message = _("The scheme “%(scheme)s” has no open draft.") % {"scheme": scheme}
        raise DomainError("no_draft", message, field)
    if found is None:
        message = _("The scheme “%(scheme)s” has no published version.") % {"scheme": scheme}
        raise DomainError("no_published_version", message, field)
    return found


def find_periods(text: str, on: date) -> list[Period]:
    """`2012Q1..2013Q3` is every quarter from the first to the last; `2012Q1` that one alone.

    DomainError bad_period, bad_periods (not of one kind, or the last before the first),
    period_not_over, too_many_periods.
    """
    first, _dots, last = text.partition("..")
    return between(first, last or first, on)


def between(first: str, last: str, on: date) -> list[Period]:
    """Every period from `first` to `last`. Raises as `find_periods`."""
    fiscal = settings.FISCAL_YEAR_START
    start, stop = Period.parse(first, fiscal), Period.parse(last, fiscal)
    if start.kind != stop.kind or start.start > stop.start:
        message = _("Write the first and the last period of one kind, such as 2012Q1..2013Q3.")
        raise DomainError("bad_periods", message, "periods")
    if stop.end > on:
        message = _("%(period)s is not over yet.") % {"period": stop.code}
        raise DomainError("period_not_over", message, "periods")
    found = [start]
    while found[-1].start < stop.start:
        found.append(found[-1].next())
        if len(found) > MOST_PERIODS:
            message = _("At most %(count)d periods at once.") % {"count": MOST_PERIODS}
            raise DomainError("too_many_periods", message, "periods")
    return found


def check_draft(version: SchemeVersion) -> None:
    """Blocked, with all of them, when a draft has problems; it could not be scored."""
    found = problems(version) if version.state == SchemeVersion.State.DRAFT else []
    if found:
        raise Blocked(found, "draft_has_problems")
