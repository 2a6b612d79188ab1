"""Pages of target plans: the grid of partners and months, its edits, amendments and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.forms import fields_for_model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.models import Territory
from core.errors import DomainError, add_to_form
from core.figures import Figure
from core.models import Event
from core.tables import Column
from core.tabs import Tab
from core.templatetags.fmt import in_unit, qty, signed_percent
from core.views import CRUDView
from partners.models import Membership, Partner
from sales.filters import TargetPlanFilter
from sales.forms import AmendForm, GrowthForm, TargetPlanForm
from sales.models import TargetPlan, TargetPlanHint, TargetPlanLine
from sales.planning import background, files, grid, reminders, services
from sales.planning.rendering import Grid

STATE_COLORS = {
    "draft": "secondary",
    "submitted": "blue",
    "signed": "green",
    "superseded": "secondary",
}
PLAN, COMPARE, ENTRY = "plan", "compare", "entry"
SHOWN_CHANGES = 500
# What may be written in a cell, and the permission for it.
MAY_WRITE = {
    "amount": "sales.change_targetplanline",
    "locked": "sales.change_targetplanline",
    "manager": "sales.enter_targetplanline",
    "comment": "sales.enter_targetplanline",
    "proposal": "sales.propose_targetplanline",
}


def _seen_amount(request: HttpRequest) -> Subquery:
    """What those whom the user sees are planned to reach; a partner is told when it is signed."""
    lines = TargetPlanLine.objects.visible_to(request.user).filter(plan=OuterRef("pk"))
    if request.user.is_partner_user:
        lines = lines.exclude(plan__state__in=TargetPlan.OPEN)
    return Subquery(lines.order_by().values("plan").annotate(n=Sum("amount")).values("n"))


class TargetPlanView(CRUDView):
    model = TargetPlan
    icon = "target-arrow"
    section = "plans"
    parents = ("sales:target_list",)
    columns = (
        Column("name", source="name"),
        "code",
        Column("year", kind="text"),
        "kind",
        Column(
            "territory",
            label=gettext_lazy("territory"),
            source="territory__name",
            sort=("territory__sort_path",),
        ),
        Column("version", kind="text"),
        Column("state", kind="badge", colors=STATE_COLORS),
        Column("planned", label=gettext_lazy("planned"), source=_seen_amount, kind="money"),
        Column("signed_on", shown=False),
    )
    ordering = ("-year", "code", "-version")
    search_fields = ("name", "code")
    filterset_class = TargetPlanFilter
    form_class = TargetPlanForm
    exclude = frozenset({"bulk"})
    list_actions_template = "sales/_plan_actions.html"
    detail_template = "sales/plan_detail.html"
    detail_fields = (
        "code",
        "year",
        "kind",
        "territory",
        "product_lines",
        "amount",
        "newcomers",
        Column("rounding", kind="choice"),
        "due_on",
        "remind_before",
        "version",
        "reason",
        "submitted_by",
        "submitted_on",
        "signed_by",
        "signed_on",
    )
    empty_text = gettext_lazy(
        "Plan a year: split an amount over partners and months, let those who know enter from "
        "below, and sign it off."
    )

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related(
            "territory", "submitted_by", "signed_by", "amends"
        )

    def initial(self, obj: Any) -> dict[str, Any]:
        if obj.pk:
            return {}
        return {"year": timezone.localdate().year + 1, **super().initial(obj)}

    def field_values(self, obj: Any, tab: Tab) -> list[tuple[str, str]]:
        """Whoever sees a part of the territory is not told the amount of the whole; a partner's
        people are told neither names nor reasons."""
        values = [*super().field_values(obj, tab)]
        hidden = set()
        if not obj.is_whole_for(self.request.user):
            hidden |= {"amount"}
        if self.request.user.is_partner_user:
            hidden |= {
                "reason",
                "remind_before",
                "submitted_by",
                "submitted_on",
                "signed_by",
                "newcomers",
            }
        labels = {str(obj._meta.get_field(name).verbose_name) for name in hidden}
        return [(label, value) for label, value in values if str(label) not in labels]

    def detail_context(self, obj: TargetPlan) -> dict[str, Any]:
        user = self.request.user
        newer = TargetPlan.objects.visible_to(user).filter(amends=obj).first()
        return {
            "state_color": STATE_COLORS[obj.state],
            "frozen": not obj.is_draft,
            "newer": newer,
            "may_amend": obj.state == TargetPlan.State.SIGNED
            and newer is None
            and user.has_perm("sales.amend_targetplan"),
        }


# What the parts of the grid read that an edit answers with.
_NO_PROBLEM = {"problem": "", "bad": 0, "typed": "", "wrote": "", "answer": False}


# --- The grid ------------------------------------------------------------------------------------


def plan_page(request: HttpRequest, plan: TargetPlan) -> dict[str, Any]:
    """A page of partners with their months, the territories below, the comparison. The sums over
    many cells come after it, by a request of their own."""
    user = request.user
    context, chosen = _looked_at(request, plan)
    line, job, missing = context["line"], context["job"], context["missing"]
    shown = chosen.filter(grid.WITHOUT_FIGURE) if missing else chosen
    shown_lines = 1 if line else len(context["lines"])
    found = grid.partners_of(shown, context["text"])
    page = Paginator(found, grid.page_size(shown_lines)).get_page(request.GET.get("page"))
    rows = _rows(plan, page.object_list, user, line.pk if line else None)
    basis = dict(
        plan.hints.filter(partner__in=chosen.values("partner"))
        .exclude(basis=TargetPlanHint.Basis.HISTORY)
        .order_by()
        .values_list("basis")
        .annotate(rows=Count("pk"))
    )
    field = _field(user, plan, context["show"]) if job is None else ""
    free = plan.is_draft and job is None
    may_plan = free and user.has_perm("sales.change_targetplanline")
    late = grid.has_many(chosen)
    return {
        **context,
        "rows": rows,
        "table": Grid(plan, context["show"], field, user.is_partner_user).rows(rows),
        "months": plan.months,
        "paging": page,
        "shows": _shows(user),
        "field": field,
        "whole": plan.is_whole_for(user),
        "may_plan": may_plan,
        "taken": _taken(plan) if may_plan and plan.is_whole_for(user) else None,
        "late": late,
        **({"parts": []} if late else _summed(plan, chosen, context["within"], user)),
        "exports": _exports(user, plan),
        "peers": basis.get(TargetPlanHint.Basis.PEERS, 0),
        "nothing": basis.get(TargetPlanHint.Basis.NOTHING, 0),
    }


def _looked_at(request: HttpRequest, plan: TargetPlan) -> tuple[dict[str, Any], QuerySet]:
    """What the address says is looked at, and its cells."""
    user = request.user
    within = _territory(request, plan)
    lines = grid.lines_for(plan, user, within)
    show = _show(request, plan)
    product_lines = list(plan.product_lines.order_by("code"))
    line = _line(request, product_lines)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    # A partner's people have their own row alone.
    missing = not user.is_partner_user and request.GET.get("missing") == "1"
    state = {
        "territory": within.pk if within.pk != plan.territory_id else "",
        "line": line.pk if line else "",
        "show": show,
        "missing": "1" if missing else "",
        "q": text,
    }
    rate = plan.growths.filter(territory=within).values_list("rate", flat=True).first()
    job = None if user.is_partner_user or not plan.is_draft else background.open_job(plan)
    free = plan.is_draft and job is None
    context = {
        "plan": plan,
        "show": show,
        "lines": product_lines,
        "line": line,
        "text": text,
        "within": within,
        "above": [] if user.is_partner_user else _above(plan, within),
        "rate": rate,
        "percent": None if rate is None else rate * 100,
        "job": job,
        "may_split": free and user.has_perm("sales.change_targetplan"),
        "missing": missing,
        "is_partner": user.is_partner_user,
        "query": urlencode({key: value for key, value in state.items() if value}),
        "state": state,
        **_NO_PROBLEM,
    }
    return context, lines if line is None else lines.filter(product_line=line)


def _taken(plan: TargetPlan) -> Event | None:
    """How amounts were taken over the last time, where they can be given back."""
    if plan.undo is None:
        return None
    kind = ContentType.objects.get_for_model(TargetPlan)
    events = Event.objects.filter(
        content_type=kind, object_id=plan.pk, verb="sales.targetplan.taken"
    )
    return events.select_related("actor").order_by("-pk").first()


def _summed(plan: TargetPlan, lines: QuerySet, within: Territory, user: Any) -> dict[str, Any]:
    """What stands above the grid: the sums, those of the territories below, and whose figures from
    below are still missing, while they can be entered."""
    if user.is_partner_user:
        own = lines.filter(partner=_own(user))
        totals, parts = grid.own_sums(own), []
        waiting = own.filter(proposal__isnull=True).count() if plan.is_draft else 0
    else:
        found = grid.overview(plan, lines, within, user)
        totals, parts, waiting = found.totals, found.parts, found.waiting
    asked = plan.is_draft and totals.cells and not user.is_partner_user
    return {
        "figures": _figures(plan, totals, user),
        "parts": parts,
        "waiting": waiting if plan.is_draft else 0,
        "overdue": bool(asked and plan.due_on and plan.due_on < timezone.localdate()),
        "may_remind": bool(asked) and user.has_perm("sales.change_targetplan"),
    }


def _rows(
    plan: TargetPlan, partners: Iterable[Partner], user: Any, line: int | None = None
) -> list[grid.Row]:
    """The rows of these partners. Who sees the partners below the own one enters for that alone."""
    rows = grid.rows_of(plan, partners, line)
    if user.is_partner_user:
        own = _own(user)
        for row in rows:
            row.writable = row.partner.pk == own
    if plan.state == TargetPlan.State.SIGNED:
        grid.set_reached(plan, rows, timezone.localdate())
    return rows


def _own(user: Any) -> int | None:
    """The partner whose people `user` belongs to."""
    return Membership.objects.filter(user=user).values_list("partner", flat=True).first()


def _territory(request: HttpRequest, plan: TargetPlan) -> Territory:
    """The territory that is looked at: that of the plan, or one below it."""
    key = request.GET.get("territory", "") or request.POST.get("territory", "")
    if key.isdecimal() and len(key) < 19:
        below = Territory.objects.filter(path__startswith=plan.territory.path, pk=int(key))
        return below.first() or plan.territory
    return plan.territory


def _above(plan: TargetPlan, within: Territory) -> list[Territory]:
    """The way from the plan's territory down to the one that is looked at."""
    if within.pk == plan.territory_id:
        return []
    above = within.ancestors().filter(path__startswith=plan.territory.path)
    return [*above, within]


def _line(request: HttpRequest, product_lines: list[Any]) -> Any:
    key = request.GET.get("line", "")
    return next((line for line in product_lines if str(line.pk) == key), None)


def _shows(user: Any) -> list[tuple[str, Any]]:
    """The ways to look at the grid."""
    if user.is_partner_user:
        return [(ENTRY, _("My entry"))]
    return [(PLAN, _("Planned")), (COMPARE, _("Bottom-up against top-down")), (ENTRY, _("Entry"))]


def _exports(user: Any, plan: TargetPlan) -> list[tuple[str, Any]]:
    """What can be had as a file; a partner is told what is planned when it is signed."""
    names = {
        "amount": _("Planned"),
        "top_down": _("Top-down"),
        "manager": _("Entries of managers"),
        "proposal": _("Entries of partners"),
        "last_year": _("Last year"),
    }
    if user.is_partner_user:
        hidden = {"top_down", "manager"} | ({"amount"} if plan.state in TargetPlan.OPEN else set())
        names = {name: label for name, label in names.items() if name not in hidden}
    return list(names.items())


def _show(request: HttpRequest, plan: TargetPlan) -> str:
    known = [name for name, _label in _shows(request.user)]
    wanted = request.GET.get("show") or request.POST.get("show")
    return wanted if wanted in known else known[0]


def _field(user: Any, plan: TargetPlan, show: str) -> str:
    """What the inputs of the grid write; empty: it is only read."""
    field = {PLAN: "amount", ENTRY: "proposal" if user.is_partner_user else "manager"}.get(show)
    return field if field and plan.is_draft and user.has_perm(MAY_WRITE[field]) else ""


def _sums(lines: QuerySet, user: Any) -> grid.Totals:
    """The sums above the grid; of a partner's people those of its own row."""
    if user.is_partner_user:
        return grid.own_sums(lines.filter(partner=_own(user)))
    return grid.sums(lines)


def _figures(plan: TargetPlan, totals: grid.Totals, user: Any) -> list[Figure]:
    unit = user.amount_unit
    if user.is_partner_user:
        figures = [
            Figure(_("Last year"), in_unit(totals.last_year, unit)),
            Figure(
                _("My entry"),
                in_unit(totals.bottom_up, unit),
                note=_("%(entered)d of %(cells)d months") % vars(totals),
            ),
        ]
        if plan.state not in TargetPlan.OPEN:
            figures.append(Figure(_("Target"), in_unit(totals.amount, unit)))
        return figures
    growth, ratio = totals.growth, totals.ratio
    return [
        Figure(_("Last year"), in_unit(totals.last_year, unit)),
        Figure(_("Top-down"), in_unit(totals.top_down, unit)),
        Figure(
            _("Bottom-up"),
            in_unit(totals.bottom_up, unit) if totals.entered else "—",
            "" if ratio is None else signed_percent(ratio),
            note=_("%(entered)s of %(cells)s cells entered")
            % {"entered": qty(totals.entered), "cells": qty(totals.cells)},
        ),
        Figure(
            _("Planned"),
            in_unit(totals.amount, unit),
            "" if growth is None else signed_percent(growth),
            note=_("against last year"),
        ),
    ]


def changes_page(request: HttpRequest, plan: TargetPlan) -> dict[str, Any]:
    """What an amendment changes: old and new of each cell; to a partner when it is signed."""
    count, found = 0, []
    if not (request.user.is_partner_user and plan.state in TargetPlan.OPEN):
        count, found = grid.changes(plan, request.user, SHOWN_CHANGES)
    return {"plan": plan, "count": count, "changes": found, "limit": SHOWN_CHANGES}


# --- Actions -------------------------------------------------------------------------------------


def _plan_or_404(request: HttpRequest, pk: int) -> TargetPlan:
    rows = TargetPlan.objects.visible_to(request.user).select_related("territory", "amends")
    return get_object_or_404(rows, pk=pk)


def _action(permission: str) -> Callable[..., Any]:
    """A view of a plan: unseen is 404, then the permission is asked for."""

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, pk: int) -> HttpResponseBase:
            plan = _plan_or_404(request, pk)
            if permission and not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, plan)

        return inner

    return wrap


def _back(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """To the grid as it was looked at."""
    query = request.POST.get("query", "")
    address = TargetPlanView.url("detail", plan.pk)
    return redirect(f"{address}?{query}" if query else address)


def _tell(request: HttpRequest, error: DomainError) -> None:
    for problem in error.problems:
        messages.error(request, str(problem.message))


@_action("sales.change_targetplan")
@require_POST
def split(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Split the amount over partners, product lines and months."""

    def tell(count: int) -> str:
        return ngettext("%(count)d cell is planned.", "%(count)d cells are planned.", count)

    return _work(request, plan, background.SPLIT, {}, services.cells_of_split(plan), tell)


def _changed(count: int) -> str:
    return ngettext("%(count)d cell was changed.", "%(count)d cells were changed.", count)


def _work(
    request: HttpRequest,
    plan: TargetPlan,
    what: str,
    chosen: dict[str, Any],
    cells: int,
    tell: Callable[[int], str],
) -> HttpResponse:
    """Do what touches so many cells: at once, or as a job whose page shows how far it is."""
    asked = {"plan": plan, "what": what, "chosen": chosen, "by": request.user}
    on = timezone.localdate()
    try:
        if cells > background.IN_REQUEST:
            job = background.begin(on=on, **asked)
            return redirect("core:job_detail", job.pk)
        count = background.work(on=on, **asked)
    except DomainError as error:
        _tell(request, error)
    else:
        messages.success(request, tell(count) % {"count": count})
    return _back(request, plan)


@_action("sales.change_targetplan")
@require_POST
def growth(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Set by how much a territory grows."""
    form = GrowthForm(request.POST)
    if not form.is_valid():
        for problems in form.errors.values():
            messages.error(request, " ".join(map(str, problems)))
        return _back(request, plan)
    rate = form.cleaned_data["rate"]
    try:
        services.set_growth(
            plan=plan,
            territory=form.cleaned_data["territory"],
            rate=None if rate is None else rate / Decimal(100),
            by=request.user,
        )
    except DomainError as error:
        _tell(request, error)
    else:
        messages.success(request, _("Kept. The next split goes by it."))
    return _back(request, plan)


@_action("sales.change_targetplanline")
@require_POST
def take(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Take top-down or bottom-up over as planned: of one partner, or of all that are looked at."""
    source = request.POST.get("source", "")
    if source not in services.SOURCES:
        messages.error(request, _("Choose what to take over."))
        return _back(request, plan)
    chosen: dict[str, Any] = {"source": source, "territory": _territory(request, plan).pk}
    for name in ("partner", "line"):
        key = request.POST.get(name, "")
        if key.isdecimal() and len(key) < 19:
            chosen[name] = int(key)
    cells = background.lines(plan, request.user, chosen).count()
    return _work(request, plan, background.TAKE, chosen, cells, _changed)


@_action("sales.change_targetplanline")
@require_POST
def undo(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Give back what was taken over the last time; by who sees the whole plan."""
    if not plan.is_whole_for(request.user):
        raise PermissionDenied
    cells = plan.lines.filter(step=plan.undo).count() if plan.undo else 0
    return _work(request, plan, background.UNDO, {}, cells, _changed)


@_action("sales.change_targetplan")
@require_POST
def remind(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Write to everybody whose figures are missing."""
    try:
        told = reminders.remind(plan=plan, by=request.user, on=timezone.localdate())
    except DomainError as error:
        _tell(request, error)
        return _back(request, plan)
    if any(told):
        text = _("Reminded: %(partners)d partner(s), %(managers)d manager(s).")
        messages.success(request, text % dict(zip(("partners", "managers"), told, strict=True)))
    else:
        messages.info(request, _("There is nobody to write to."))
    return _back(request, plan)


@_action("")
@require_POST
def enter(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Write one value of one cell and answer with its row; 422 with the reason when it is none."""
    user, name = request.user, request.POST.get("field", "")
    if not any(user.has_perm(permission) for permission in MAY_WRITE.values()):
        raise PermissionDenied
    if name in MAY_WRITE and not user.has_perm(MAY_WRITE[name]):
        raise PermissionDenied
    key = request.POST.get("cell", "")
    if name not in MAY_WRITE or not key.isdecimal() or len(key) > 18:
        return HttpResponse(_("Which cell?"), status=422)
    line = (
        grid.lines_for(plan, user)
        .select_related("plan", "partner", "product_line")
        .filter(pk=int(key))
        .first()
    )
    if line is None:
        raise Http404
    if name == "proposal" and line.partner_id != _own(user):
        raise PermissionDenied
    problem = ""
    try:
        services.enter(line=line, values={name: _value(name, request.POST)}, by=user)
    except ValidationError as error:
        problem = " ".join(error.messages)
    except DomainError as error:
        problem = str(error.message)
    return _row(request, plan, line, problem)


def _value(name: str, data: Any) -> Any:
    """The value of a field of a cell from what was typed. Raises ValidationError."""
    if name == "locked":
        return data.get("value") in ("on", "true", "1")
    field = fields_for_model(TargetPlanLine, fields=[name])[name]
    text = data.get("value", "").strip()
    return field.clean(text.replace(",", "").replace("，", "") if name != "comment" else text)


def _row(
    request: HttpRequest, plan: TargetPlan, line: TargetPlanLine, problem: str
) -> HttpResponse:
    """The row of a cell as it is now, or its panel; with the figures above the grid."""
    show = _show(request, plan)
    rows = _rows(plan, [line.partner], request.user)
    row = next(row for row in rows if _key(row.product_line) == line.product_line_id)
    within = _territory(request, plan)
    chosen = grid.lines_for(plan, request.user, within)
    key = request.POST.get("line", "")
    if key.isdecimal():
        chosen = chosen.filter(product_line=int(key))
    panel = bool(request.POST.get("panel"))
    look = Grid(
        plan,
        show,
        _field(request.user, plan, show),
        request.user.is_partner_user,
        problem,
        line.pk if problem else 0,
        request.POST.get("value", ""),
        in_panel=panel,
    )
    context = {
        "plan": plan,
        "row": row,
        "table": look.row(row),
        "show": show,
        "months": plan.months,
        "problem": problem,
        "bad": line.pk if problem else 0,
        "typed": request.POST.get("value", ""),
        "wrote": request.POST.get("field", ""),
        "answer": True,
        "figures": _figures(plan, _sums(chosen, request.user), request.user),
        "is_partner": request.user.is_partner_user,
        **_may_in_panel(request, plan),
    }
    template = "sales/_plan_panel.html" if panel else "sales/_plan_row.html"
    return render(request, template, context, status=422 if problem else 200)


def _key(row: Any) -> int | None:
    return row.pk if row else None


def _may_in_panel(request: HttpRequest, plan: TargetPlan) -> dict[str, bool]:
    return {
        f"may_{name}": plan.is_draft and request.user.has_perm(permission)
        for name, permission in MAY_WRITE.items()
    }


@_action("sales.view_targetplan")
def sums(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """What stands above the grid of a large plan, asked for by its page."""
    context, chosen = _looked_at(request, plan)
    summed = _summed(plan, chosen, context["within"], request.user)
    return render(request, "sales/_plan_sums.html", context | summed)


@_action("sales.view_targetplan")
def cells(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """All that is known of one partner's cells, month by month, side by side."""
    key = request.GET.get("cell", "")
    lines = grid.lines_for(plan, request.user).select_related("partner", "product_line")
    line = lines.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if line is None:
        return HttpResponse(_("Which cell?"), status=422)
    rows = _rows(plan, [line.partner], request.user)
    row = next(row for row in rows if _key(row.product_line) == line.product_line_id)
    context = {
        "plan": plan,
        "row": row,
        "months": plan.months,
        "is_partner": request.user.is_partner_user,
        "show": _show(request, plan),
        **_may_in_panel(request, plan),
        **_NO_PROBLEM,
    }
    return render(request, "sales/_plan_panel.html", context)


@_action("sales.amend_targetplan")
def amend(request: HttpRequest, plan: TargetPlan) -> HttpResponse:
    """Begin an amendment of a signed plan, with its reason."""
    posted = request.method == "POST"
    form = AmendForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            new = services.amend_plan(
                plan=plan, reason=form.cleaned_data["reason"], by=request.user
            )
        except DomainError as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("The amendment is a draft: change it, and submit it."))
            return redirect(TargetPlanView.url("detail", new.pk))
    back = TargetPlanView.url("detail", plan.pk)
    context = {
        "form": form,
        "title": _("Amend: %(plan)s") % {"plan": plan},
        "back": back,
        "next": "",
        "section": "plans",
        "crumbs": [
            (_("Target plans"), TargetPlanView.url("list")),
            (str(plan), back),
            (_("Amend"), ""),
        ],
    }
    return render(request, "core/form.html", context, status=422 if posted else 200)


@_action("sales.view_targetplan")
def export(request: HttpRequest, plan: TargetPlan) -> HttpResponseBase:
    """What is looked at as CSV or XLSX, a column a month; it can be imported again."""
    user = request.user
    known = [name for name, _label in _exports(user, plan)]
    what = request.GET.get("what", "")
    what = what if what in known else known[0]
    lines = grid.lines_for(plan, user, _territory(request, plan))
    line = _line(request, list(plan.product_lines.all()))
    if line is not None:
        lines = lines.filter(product_line=line)
    name = f"{plan.code}-{plan.version}-{what}"
    if request.GET.get("format") != "xlsx":
        return files.csv_response(files.table(plan, lines, what), name)
    try:
        return files.xlsx_response(plan, lines, what, name)
    except DomainError as error:
        _tell(request, error)
        return redirect(TargetPlanView.url("detail", plan.pk))
