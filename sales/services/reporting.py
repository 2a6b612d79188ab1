"""Who owes which report: made from the rules, confirmed as empty, reminded of.

That a report has come is written by triggers (migration 0005), with the lines themselves.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import DateField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from accounts.models import Territory
from core import audit, crud, jobs
from core.errors import Conflict
from partners.models import Partner
from sales import frequencies, letters
from sales.models import Report, ReportingRule
from sales.models.closing import lock_facts

# A reminder that could not be sent on its day is made up for within so many days.
GRACE = 7

# Every report that the rule asks of the partners in its scope. A partner owes a period in which
# there was business with it.
_OWED = """
    SELECT p.id AS partner_id, x.starts_on, x.ends_before, x.due_on
      FROM partners_partner p
      JOIN unnest(%s::date[], %s::date[], %s::date[]) AS x (starts_on, ends_before, due_on)
           ON (p.started_on IS NULL OR p.started_on < x.ends_before)
          AND (p.ended_on IS NULL OR p.ended_on >= x.starts_on)
     WHERE p.id IN ({partners})"""
_MAKE = f"""
    INSERT INTO sales_report (rule_id, partner_id, kind, starts_on, ends_before, due_on,
                              received_at, load_id, reminders, created_at, updated_at)
    SELECT %s, o.partner_id, %s, o.starts_on, o.ends_before, o.due_on, first.at, first.load, 0,
           statement_timestamp(), statement_timestamp()
      FROM ({_OWED}) o
      LEFT JOIN LATERAL sales_first_report(o.partner_id, %s, o.starts_on, o.ends_before) first
           ON true
     WHERE NOT EXISTS (SELECT FROM sales_report r WHERE r.rule_id = %s
                          AND r.partner_id = o.partner_id AND r.starts_on = o.starts_on)"""
_NOT_COME = "r.rule_id = %s AND r.received_at IS NULL AND r.nothing_at IS NULL"
_FORGET = f"""
    DELETE FROM sales_report r
     WHERE {_NOT_COME} AND NOT EXISTS (
           SELECT FROM ({_OWED}) o
            WHERE o.partner_id = r.partner_id AND o.starts_on = r.starts_on)"""
_POSTPONE = f"""
    UPDATE sales_report r SET due_on = r.ends_before + %s, updated_at = statement_timestamp()
     WHERE {_NOT_COME} AND r.due_on <> r.ends_before + %s"""


# --- Rules and what follows from them -------------------------------------------------------------


@transaction.atomic
def save_rule(*, form: Any, by: Any, on: date) -> ReportingRule:
    """Save the valid form of a rule, and make the reports that it asks for up to the day `on`.

    Reports that have not come follow the rule: a new due date, or gone where it no longer asks.
    """
    rule: Any = crud.save_form(form, by=by)
    lock_facts()
    owed, values = _owed(rule, on)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET.format(partners=owed), [rule.pk, *values])
        cursor.execute(_POSTPONE, [rule.due_days - 1, rule.pk, rule.due_days - 1])
    _make(rule, on)
    return rule


@transaction.atomic
def make_reports(*, on: date) -> int:
    """Make the reports of all rules for the periods that are over by the day `on`; returns how many
    are new. Run again, it makes none."""
    # A load that has not committed would not see the new reports, nor they its lines.
    lock_facts()
    return sum(_make(rule, on) for rule in ReportingRule.objects.filter(starts_on__lt=on))


def _make(rule: ReportingRule, on: date) -> int:
    owed, values = _owed(rule, on)
    with connection.cursor() as cursor:
        cursor.execute(
            _MAKE.format(partners=owed), [rule.pk, rule.kind, *values, rule.kind, rule.pk]
        )
        return cursor.rowcount


def _owed(rule: ReportingRule, on: date) -> tuple[str, list[Any]]:
    """The SQL of the partners in the scope of a rule, and the parameters of `_OWED`."""
    end = min(on, rule.ends_before or on)
    periods = [
        (first, after)
        for first, after in frequencies.between(rule.frequency, rule.starts_on, end)
        if after <= on
    ]
    wait = timedelta(days=rule.due_days - 1)
    sql, params = in_scope(rule).values("pk").query.sql_with_params()
    return sql, [
        [first for first, _after in periods],
        [after for _first, after in periods],
        [after + wait for _first, after in periods],
        *params,
    ]


def in_scope(rule: ReportingRule) -> QuerySet:
    """The partners that a rule asks, whatever the day: with whom there is or was business."""
    found = Partner.objects.filter(
        state__in=[*Partner.IN_BUSINESS, Partner.State.EXITED]
    ).order_by()
    if rule.channel_types:
        found = found.filter(channel_type__in=rule.channel_types)
    levels = list(rule.levels.values_list("pk", flat=True))
    if levels:
        found = found.filter(level__in=levels)
    below = Q()
    for path in rule.territories.values_list("path", flat=True):
        below |= Q(path__startswith=path)
    if below:
        found = found.filter(territory__in=Territory.objects.filter(below).values("pk"))
    named = list(rule.partners.values_list("pk", flat=True))
    return found.filter(pk__in=named) if named else found


# --- Nothing to report ----------------------------------------------------------------------------


@transaction.atomic
def confirm_nothing(*, report: Report, by: Any, at: datetime) -> Report:
    """Note that the partner truly sold nothing. Conflict `report_in` when lines are in the books,
    or it is confirmed already."""
    row = _locked(report)
    if row.has_come():
        raise Conflict("report_in", _("This report has come already."))
    row.nothing_at, row.nothing_by = at, by
    return _kept(row, "sales.report.nothing", by)


@transaction.atomic
def withdraw_nothing(*, report: Report, by: Any) -> Report:
    """Take such a confirmation back. Conflict `not_confirmed` when there is none."""
    row = _locked(report)
    if row.nothing_at is None:
        raise Conflict("not_confirmed", _("Nobody has confirmed that there is nothing to report."))
    row.nothing_at = row.nothing_by = None
    return _kept(row, "sales.report.withdrawn", by)


def _locked(report: Report) -> Report:
    rows = Report.objects.select_for_update(of=("self",)).select_related("partner")
    return rows.get(pk=report.pk)


def _kept(row: Report, verb: str, by: Any) -> Report:
    row.save(update_fields=["nothing_at", "nothing_by", "updated_at"])
    audit.record(verb, row, by=by)
    return row


# --- Reminders ------------------------------------------------------------------------------------


@transaction.atomic
def remind(
    *, reports: QuerySet, by: Any, at: datetime
) -> tuple[list[Report], list[tuple[Report, str]]]:
    """Remind of every report that has not come: (reminded, those left alone and why).

    One event each, and one letter a partner, which a worker sends once this is committed. Nobody is
    reminded where there is no address to write to.
    """
    rows = list(
        reports.select_for_update(of=("self",)).select_related("partner", "rule").order_by("pk")
    )
    known = letters.partners_with_readers({row.partner_id for row in rows if not row.has_come()})
    why = {row: _why_not(row, known) for row in rows}
    waiting = [row for row in rows if not why[row]]
    if waiting:
        keys = [row.pk for row in waiting]
        Report.objects.filter(pk__in=keys).update(
            reminders=F("reminders") + 1, reminded_at=at, updated_at=at
        )
        audit.record_many(
            [
                ("sales.report.reminded", row, {"reminders": [row.reminders, row.reminders + 1]})
                for row in waiting
            ],
            by=by,
        )
        _send(keys, by)
    return waiting, [(row, why[row]) for row in rows if why[row]]


def _why_not(report: Report, known: set[int]) -> str:
    """Why nobody is reminded of a report; `known` are the partners that can be written to."""
    if report.has_come():
        return _("It has come already.")
    return "" if report.partner_id in known else _("Nobody at the partner has an e-mail address.")


def _send(keys: list[int], by: Any) -> None:
    from sales.tasks import send_reminders

    title = _("Reminders of %(count)s reports") % {"count": len(keys)}
    jobs.enqueue(send_reminders, keys, kind="reminders", title=title, by=by)


def remind_when_due(*, on: date, at: datetime) -> list[Report]:
    """Send the reminders that the rules ask for on the day `on`, each once; returns the reports."""
    before = _days("due_on", "-", "rule__remind_before")
    after = _days("due_on", "+", "rule__remind_after")
    rows = Report.objects.annotate(
        before=before, after=after, last=TruncDate("reminded_at")
    ).filter(received_at__isnull=True, nothing_at__isnull=True)
    upcoming = Q(before__lte=on, due_on__gte=on) & (Q(last=None) | Q(last__lt=F("before")))
    overdue = Q(after__lte=on, after__gt=on - timedelta(days=GRACE)) & (
        Q(last=None) | Q(last__lt=F("after"))
    )
    # Looked at again once the rows are locked: another run may have reminded of them meanwhile.
    reminded, _left = remind(reports=rows.filter(upcoming | overdue), by=None, at=at)
    return reminded


def _days(day: str, sign: str, days: str) -> ExpressionWrapper:
    moved = F(day) - F(days) if sign == "-" else F(day) + F(days)
    return ExpressionWrapper(moved, output_field=DateField())
