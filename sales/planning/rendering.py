"""The rows of the planning grid as HTML: one Python call a cell and no template, for a page has
some 700 cells, most of them inputs (docs/adr/0003)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.templatetags.fmt import money, percent, signed_percent
from core.templatetags.icons import svg
from sales.models import TargetPlan, TargetPlanHint
from sales.planning.grid import Cell, Row

whole = partial(money, places=0)
NIL = '<span class="nil">—</span>'


def _tone(number: Decimal) -> str:
    return "better" if number > 0 else "worse" if number < 0 else ""


def _typed(amount: Decimal) -> str:
    """An amount of two places as `qty` writes it, at a third of the time."""
    return f"{amount:,.2f}".rstrip("0").rstrip(".")


def _hint(text: str) -> str:
    return f'<div class="hint small">{text}</div>'


@dataclass
class Grid:
    """How the rows of a page look. `show` is the view of the grid, `field` what its inputs write
    (empty: it is only read). `bad` is the key of a cell whose value `typed` was refused, and
    `problem` the reason, told in the row unless a panel tells it."""

    plan: TargetPlan
    show: str
    field: str
    is_partner: bool
    problem: str = ""
    bad: int = 0
    typed: str = ""
    in_panel: bool = False

    def rows(self, rows: list[Row]) -> SafeString:
        """All `<tr>` of a page."""
        return mark_safe("".join(map(self.row, rows)))

    def row(self, row: Row) -> SafeString:
        """One `<tr>`; beside a panel it takes the place of the row of the page."""
        swap = ' hx-swap-oob="true"' if self.in_panel else ""
        name = escape(row.partner)
        cells = "".join(self._cell(row, name, cell) for cell in row.cells)
        return mark_safe(
            f'<tr id="row-{row.pk}"{swap}>{self._head(row)}{cells}{self._sums(row)}</tr>'
        )

    @cached_property
    def _signed(self) -> bool:
        return self.plan.state == TargetPlan.State.SIGNED

    @cached_property
    def _months(self) -> dict[date, tuple[str, str]]:
        """Each month in short and in full."""
        return {month: (f"{month:%y-%m}", f"{month:%Y-%m}") for month in self.plan.months}

    @cached_property
    def _addresses(self) -> tuple[str, str]:
        names = ("sales:targetplan_cells", "sales:targetplan_enter")
        cells, enter = (reverse(name, args=[self.plan.pk]) for name in names)
        return cells, enter

    @cached_property
    def _labels(self) -> dict[str, str]:
        texts = {
            "suggested": _("Suggested"),
            "top_down": _("Top-down"),
            "bottom_up": _("Bottom-up"),
            "difference": _("Difference"),
            "planned": _("Planned"),
            "last_year": _("Last year"),
            "entry": _("Entry"),
            "growth": _("Growth"),
            "target": _("Target"),
            "attainment": _("Attainment"),
            "locked": _("Locked"),
            "peers": _("from peers"),
            "new_peers": _("new: median of its channel type"),
            "new_nothing": _("new: nothing to go by"),
        }
        return {name: escape(text) for name, text in texts.items()}

    def _head(self, row: Row) -> str:
        first = row.first.pk if row.first else ""
        below = escape(row.partner.code)
        if row.product_line:
            below += f" · {escape(row.product_line)}"
        if row.hint and row.hint.basis != TargetPlanHint.Basis.HISTORY and not self.is_partner:
            known = row.hint.basis == TargetPlanHint.Basis.PEERS
            below += f" · {self._labels['new_peers' if known else 'new_nothing']}"
        problem = ""
        if self.problem and not self.in_panel:
            text = escape(self.problem)
            problem = f'<div class="invalid-feedback d-block" role="alert">{text}</div>'
        return (
            '<th scope="row" class="lead"><button class="btn-link p-0 text-start" type="button" '
            f'hx-get="{self._addresses[0]}?cell={first}&amp;show={self.show}" hx-target="#panel" '
            f'aria-haspopup="dialog">{escape(row.partner)}</button>{_hint(below)}{problem}</th>'
        )

    def _cell(self, row: Row, name: str, cell: Cell | None) -> str:
        if cell is None:
            return f'<td class="num" data-label="">{NIL}</td>'
        if self.field and row.writable:
            text = self._input(name, cell)
        elif self.show == "compare":
            text = self._difference(cell)
        elif self.show == "entry":
            if self.is_partner:
                value = cell.amount if self._signed else cell.proposal
            else:
                value = cell.manager
            text = whole(value) + _hint(whole(cell.last_year))
        else:
            text = whole(cell.amount) + (f" {svg('lock')}" if cell.locked else "")
        return f'<td class="num" data-label="{self._months[cell.month][0]}">{text}</td>'

    def _input(self, name: str, cell: Cell) -> str:
        value = getattr(cell, self.field)
        shown = (
            escape(self.typed) if cell.pk == self.bad else "" if value is None else _typed(value)
        )
        if self.field == "amount" and cell.locked:
            does = f'readonly title="{self._labels["locked"]}"'
        else:
            does = (
                f'hx-post="{self._addresses[1]}" hx-trigger="change" hx-target="closest tr" '
                'hx-swap="outerMorph" hx-include="#plan-state input" '
                f'hx-vals=\'{{"cell": "{cell.pk}", "field": "{self.field}"}}\''
            )
        invalid = " is-invalid" if cell.pk == self.bad else ""
        text = (
            f'<input class="form-control num{invalid}" id="c{cell.pk}" name="value" '
            'inputmode="decimal" autocomplete="off" '
            f'aria-label="{name} {self._months[cell.month][1]}" value="{shown}" {does}>'
        )
        return text if self.field == "amount" else text + _hint(whole(cell.last_year))

    def _difference(self, cell: Cell) -> str:
        difference = cell.difference
        if difference is None:
            return NIL
        more = "+" if difference > 0 else ""
        ratio = cell.ratio
        beside = "" if ratio is None else _hint(signed_percent(ratio, 0))
        return f'<span class="{_tone(difference)}">{more}{whole(difference)}</span>{beside}'

    def _sums(self, row: Row) -> str:
        totals = row.totals
        if self.show == "compare":
            sums = {
                "suggested": self._suggested(row.hint),
                "top_down": whole(totals.top_down),
                "bottom_up": self._bottom_up(row),
                "difference": NIL,
                "planned": whole(totals.amount),
            }
            if totals.difference is not None:
                ratio = totals.ratio
                beside = "" if ratio is None else _hint(signed_percent(ratio))
                tone, difference = _tone(totals.difference), whole(totals.difference)
                sums["difference"] = f'<span class="{tone}">{difference}</span>{beside}'
        elif self.show == "entry":
            entry = row.proposed if self.is_partner else row.entered
            sums = {
                "last_year": whole(totals.last_year),
                "entry": f"<strong>{whole(entry)}</strong>",
            }
            if self.is_partner and self._signed:
                sums["target"] = f"<strong>{whole(totals.amount)}</strong>"
                sums["attainment"] = NIL if row.reached is None else percent(row.reached)
        else:
            growth = totals.growth
            sums = {
                "last_year": whole(totals.last_year),
                "growth": NIL if growth is None else signed_percent(growth),
                "planned": f"<strong>{whole(totals.amount)}</strong>",
            }
            if self._signed:
                sums["attainment"] = NIL if row.reached is None else percent(row.reached)
        return "".join(
            f'<td class="num" data-label="{self._labels[name]}">{text}</td>'
            for name, text in sums.items()
        )

    def _suggested(self, hint: TargetPlanHint | None) -> str:
        if hint is not None and hint.own is not None:
            if hint.own_low is None:
                return whole(hint.own)
            return whole(hint.own) + _hint(f"{whole(hint.own_low)} – {whole(hint.own_high)}")
        if hint is not None and hint.peers is not None:
            return whole(hint.peers) + _hint(self._labels["peers"])
        return NIL

    def _bottom_up(self, row: Row) -> str:
        totals = row.totals
        if not totals.entered:
            return NIL
        text = whole(totals.bottom_up)
        if totals.entered < totals.cells:
            part = {"entered": totals.entered, "cells": totals.cells}
            text += _hint(escape(_("%(entered)s of %(cells)s months") % part))
        return text
