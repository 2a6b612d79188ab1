"""Pages of results."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import classproperty
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.utils.translation import (
    get_language,
    gettext as _,
    gettext_lazy,
    ngettext,
    pgettext_lazy,
)
from django.views.decorators.http import require_GET

from core.errors import DomainError
from core.models import Event
from core.tables import EMPTY, Column, resolve
from core.views import CRUDView, exports
from core.views.base import is_partial
from core.views.bulk import transition_action
from core.views.listing import Listing
from partners.views import level_badge, level_name
from performance.filters import (
    ConsequenceFilter,
    ImprovementPlanFilter,
    MatrixFilter,
    PlanActionFilter,
    ScoreFilter,
)
from performance.models import (
    Consequence,
    ConsequenceKind,
    Evaluation,
    ImprovementPlan,
    PlanAction,
    Score,
)
from performance.process.pages import score_actions
from performance.results import document, matrix, movements
from performance.results.consequences import differing, propose_level_changes
from performance.results.forms import (
    ConsequenceForm,
    ImprovementPlanForm,
    LevelChangesForm,
    PlanActionForm,
)
from performance.tables import (
    PARTNER,
    PARTNER_CODE,
    READ_ONLY,
    STATE_COLORS,
    period_name,
    person_column,
    scheme_column,
)
from performance.telling import told, with_told_total
from performance.views import EvaluationView

CHOICES = 24


class ScoreView(CRUDView):
    model = Score
    icon = "clipboard-list"
    section = "performance.score"
    parents = ("performance:evaluation_list",)
    columns = (
        PARTNER,
        PARTNER_CODE,
        Column("territory", label=gettext_lazy("territory"), source="partner__territory__name"),
        scheme_column("evaluation__scheme"),
        Column(
            "period",
            label=gettext_lazy("period"),
            source="evaluation__period_code",
            sort=("evaluation__starts_on",),
            render=period_name,
        ),
        # It tells how many others there are; people of a partner see no evaluations.
        Column("rank", kind="number", permission="performance.view_evaluation"),
        Column("total", label=gettext_lazy("total"), source="told_total", kind="money"),
        Column(
            "level",
            label=gettext_lazy("level"),
            source=("level__name", "level__name_en", "level__color"),
            sort=("level__rank",),
            render=level_badge,
            export=level_name,
        ),
    )
    ordering = ("-evaluation_id", "rank")
    search_fields = ("partner__name", "partner__code", "partner__pinyin")
    filterset_class = ScoreFilter
    exclude = READ_ONLY | {"history"}
    detail_template = "performance/score_detail.html"

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Without the evaluations for who may see scores only, as a partner its own."""
        found = super().crumbs(*more)
        sees = self.request.user.has_perm("performance.view_evaluation")
        return found if sees else found[len(self.parents) :]

    def get_queryset(self) -> QuerySet:
        """Those that the user sees, with their totals as the user is told them."""
        return with_told_total(super().get_queryset(), self.request.user)

    def get_object(self, pk: int) -> Score:
        """The score, as it is told to the user."""
        return told([super().get_object(pk)], self.request.user)[0]

    def detail_queryset(self) -> Any:
        related = (
            *("evaluation__scheme", "evaluation__scheme_version__scheme"),
            *("partner", "level", "level_before"),
        )
        return self.get_queryset().select_related(*related)

    def detail_context(self, obj: Score) -> dict[str, Any]:
        color = STATE_COLORS[obj.evaluation.state]
        return {"state_color": color, **score_actions(self.request, obj)}


class MatrixView(ScoreView):
    """The heat map of one evaluation (`?evaluation=`): the list of its scores with a column for
    each item. Without one in the address it goes to the newest."""

    prefix = "performance:matrix"
    section = "performance.matrix"
    icon = "grid-dots"
    filterset_class = MatrixFilter
    ordering = ("rank",)
    columns = (
        Column("partner", label=gettext_lazy("partner"), source="partner__name"),
        Column("code", label=gettext_lazy("code"), source="partner__code"),
        Column("rank", kind="number"),
        Column("total", kind="money"),
        Column(
            "level",
            label=gettext_lazy("level"),
            source=("level__name", "level__name_en", "level__color"),
            sort=("level__rank",),
            render=level_badge,
            export=level_name,
        ),
    )

    @classproperty
    def state_field(cls) -> None:  # noqa: N805
        return None

    @classmethod
    def allows(cls, user: Any, action: str) -> bool:
        """Who may see scores and evaluations; a partner never sees its peers."""
        needed = ("performance.view_score", "performance.view_evaluation")
        return action == "view" and user.has_perms(needed)

    @cached_property
    def row_href(self) -> str:
        return reverse("performance:score_detail", args=[0]).replace("/0/", "/%s/")

    @property
    def evaluations(self) -> QuerySet:
        found = Evaluation.objects.visible_to(self.request.user).exclude(digest="")
        return found.select_related("scheme", "scheme_version__scheme")

    @cached_property
    def evaluation(self) -> Evaluation:
        """The one that the address names; 404 when there is none."""
        key = self.request.GET.get("evaluation", "")
        found = self.evaluations.filter(pk=key).first() if _is_key(key) else None
        if found is None:
            raise Http404
        return found

    @cached_property
    def items(self) -> list[Any]:
        return matrix.definitions(self.evaluation)

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(evaluation=self.evaluation)

    def all_columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        """The usual ones, then one an item."""
        own = [resolve(column, Score) for column in self.columns]
        return (*own, *matrix.item_columns(self.items))

    def preferences(self) -> dict[str, Any]:
        """The page size of the list of scores; all items are always shown."""
        return {"size": super().preferences().get("size")}

    # --- Routes ---

    def list(self) -> HttpResponse:
        if not self.request.GET.get("evaluation"):
            return self._newest()
        listing = matrix.MatrixListing(self)
        self.remember_size(listing)
        context = {"listing": listing, "medians": self._medians(listing)}
        if is_partial(self.request):
            response = self.render("performance/_matrix.html", context)
            response["HX-Push-Url"] = listing.query(page=self.request.GET.get("page"))
        else:
            response = self.render("performance/matrix.html", context | self._frame())
        response["Vary"] = "HX-Request"
        return response

    def _newest(self) -> HttpResponse:
        newest = self.evaluations.order_by("-starts_on", "-revision", "-pk")
        chosen = newest.filter(state__in=Evaluation.PUBLIC).first() or newest.first()
        if chosen is None:
            return self.render("performance/matrix.html", {"crumbs": self.crumbs()})
        return redirect(f"{self.url('list')}?evaluation={chosen.pk}")

    def _frame(self) -> dict[str, Any]:
        evaluation = self.evaluation
        up = [(_("Evaluations"), EvaluationView.url("list"))]
        up += [(str(evaluation), EvaluationView.url("detail", evaluation.pk))]
        return {
            "evaluation": evaluation,
            "evaluations": self.evaluations[:CHOICES],
            "legend": matrix.legend(),
            "crumbs": [*up, (_("Heat map"), "")],
        }

    def _medians(self, listing: Any) -> list[str]:
        """Under each column of an item the median of the points of all its partners."""
        peers = self.evaluation.peers
        codes = [column.name.removeprefix(matrix.ITEM) for column in listing.columns]
        medians = [peers.get(code, {}).get("median_points") for code in codes]
        return [
            matrix.heat(median, _("Median of all partners")) if median is not None else ""
            for median in medians
        ]

    def filters(self) -> HttpResponse:
        filterset = MatrixFilter(
            self.request.GET, queryset=self.nothing(), request=self.request, whole=True
        )
        self.lookups(filterset.form)
        context = {"filterset": filterset, "listing": matrix.MatrixListing(self)}
        return self.render("core/_filters.html", context)

    def export(self) -> HttpResponseBase:
        if not self.request.GET.get("evaluation"):
            return redirect(self.url("list"))
        assert self.evaluation  # 404 here, not while the file is being sent
        listing = matrix.MatrixListing(self)
        try:
            return exports.respond(listing, self.request.GET.get("format", "csv"))
        except DomainError as error:
            messages.error(self.request, str(error.message))
            return redirect(self.url("list") + listing.query(format=None))


def _is_key(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _matrix(route: str) -> Callable[..., HttpResponseBase]:
    @login_required
    @require_GET
    def view(request: HttpRequest) -> HttpResponseBase:
        page = MatrixView()
        page.request = request
        return page.dispatch(route)

    view.__doc__ = f"The heat map: {route}."
    return view


matrix_list, matrix_filters, matrix_export = map(_matrix, ("list", "filters", "export"))


class MoversView(ScoreView):
    """Who moved between two evaluations (`?evaluation=&against=`), as a file."""

    filterset_class = None
    ordering = ("-change",)

    @cached_property
    def both(self) -> tuple[Evaluation, Evaluation]:
        """The evaluation and the earlier one; 404 where the address names none."""
        key = self.request.GET.get("evaluation", "")
        seen = Evaluation.objects.visible_to(self.request.user).exclude(digest="")
        found = seen.select_related("scheme", "scheme_version__scheme")
        evaluation = get_object_or_404(found, pk=key if _is_key(key) else 0)
        before = movements.chosen(movements.earlier(evaluation), self.request.GET.get("against"))
        if before is None:
            raise Http404
        return evaluation, before

    def get_queryset(self) -> QuerySet:
        """The scores whose total or level is another one than before."""
        evaluation, before = self.both
        rows = movements.compared(evaluation, before, self.request.user)
        return rows.filter(~Q(change=0) | ~Q(rank_now=F("rank_was")))

    def preferences(self) -> dict[str, Any]:
        """All columns, always."""
        return {}

    def all_columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        """Both totals, ranks and levels, and the item that did most of it."""
        labels = movements.labels_of(self.both[0])

        def mainly(before: Any, now: Any, change: Any) -> str:
            return movements.mainly(before, now, change, labels)

        level = ("level__name", "level__name_en", "level__color")
        columns = (
            *self.columns[:3],
            Column("was", label=_("total before"), source="was__total", kind="money"),
            Column("total", label=_("total"), source="total", kind="money"),
            Column("change", label=_("change"), source="change", kind="money"),
            Column("rank_was", label=_("rank before"), source="was__rank", kind="number"),
            Column("rank", kind="number"),
            Column(
                "level_was",
                label=_("level before"),
                source=tuple(f"was__{path}" for path in level),
                export=level_name,
            ),
            Column("level", label=_("level"), source=level, export=level_name),
            Column(
                "mainly",
                label=_("mainly by"),
                source=("was__items", "items", "change"),
                export=mainly,
            ),
        )
        return tuple(resolve(column, Score) for column in columns)


@login_required
@require_GET
def movers_export(request: HttpRequest) -> HttpResponseBase:
    """Everybody who rose or fell between two evaluations, as CSV or XLSX."""
    if not request.user.has_perms(("performance.view_score", "performance.view_evaluation")):
        raise PermissionDenied  # a partner never sees its peers
    if not request.GET.get("evaluation"):
        return redirect(EvaluationView.url("list"))
    page = MoversView()
    page.request = request
    assert page.both  # 404 here, not while the file is being sent
    try:
        return exports.respond(Listing(page), request.GET.get("format", "csv"))
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(EvaluationView.url("detail", page.both[0].pk) + "?tab=movements")


def scores_of(user: Any) -> QuerySet:
    """The scores that a user may see, with what a scorecard reads."""
    related = ("evaluation__scheme_version__scheme", "partner", "level", "level_before")
    return Score.objects.visible_to(user).select_related(*related)


@login_required
@require_GET
def scorecard_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """A scorecard as a PDF, in the language of the page or the one in `?language=`."""
    score = get_object_or_404(scores_of(request.user), pk=pk)
    if not request.user.has_perm("performance.view_score"):
        raise PermissionDenied
    told([score], request.user)
    asked = request.GET.get("language") or get_language()
    language = asked if asked in document.LANGUAGES else document.LANGUAGES[0]
    try:
        content = document.scorecard_pdf(score, language)
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("performance:score_detail", pk=pk)
    return pdf_response(content, document.file_name(score))


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A PDF to be saved under `name`."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


# --- consequences --------------------------------------------------------------------------------

FOLLOW_UP_COLORS = {
    "proposed": "yellow",
    "agreed": "orange",
    "decided": "blue",
    "in_force": "green",
    "rejected": "secondary",
    "open": "blue",
    "passed": "green",
    "failed": "red",
    "cancelled": "secondary",
}
IN_FORCE = "performance.consequence.in_force"  # the verb in the history


Level = tuple[str | None, str | None, str | None]  # name, English name, colour


def _change(kind: str, state: str, *levels: Any) -> tuple[Level, Level] | None:
    """(before, after) of a level change; before it is in force the level that the partner has."""
    if kind != ConsequenceKind.LEVEL:
        return None
    was, has, gets = levels[:3], levels[3:6], levels[6:]
    return (was if state == Consequence.State.IN_FORCE else has), gets


def level_change_cell(*values: Any) -> str:
    """“silver → gold” as badges; empty for what changes no level."""
    change = _change(*values)
    if change is None:
        return EMPTY
    cells = [level_badge(*level) if level[0] else _("No level") for level in change]
    return format_html("{} → {}", *map(mark_safe, cells))


def level_change_text(*values: Any) -> str:
    """The same as plain text."""
    change = _change(*values)
    names = [level_name(*level) or _("No level") for level in change] if change else []
    return " → ".join(names)


def _in_force_since(request: HttpRequest) -> Subquery:
    """When a consequence was put in force."""
    happened = Event.objects.filter(
        content_type=ContentType.objects.get_for_model(Consequence),
        object_id=OuterRef("pk"),
        verb=IN_FORCE,
    )
    return Subquery(happened.order_by("pk").values("created_at")[:1])


class ConsequenceView(CRUDView):
    """Level changes, awards, warnings, eliminations: proposed by one, decided by another."""

    model = Consequence
    icon = "flag"
    section = "performance.consequence"
    parents = ("performance:evaluation_list",)
    columns = (
        PARTNER,
        PARTNER_CODE,
        "kind",
        Column(
            "level",
            label=gettext_lazy("level before → after"),
            source=(
                *("kind", "state"),
                *(
                    f"{path}__{part}"
                    for path in ("level_before", "partner__level", "level")
                    for part in ("name", "name_en", "color")
                ),
            ),
            sort=("level__rank",),
            render=level_change_cell,
            export=level_change_text,
        ),
        "effective_on",
        Column("state", kind="badge", colors=FOLLOW_UP_COLORS),
        Column(
            "in_force",
            label=gettext_lazy("in force since"),
            source=_in_force_since,
            kind="datetime",
            sort=(),
        ),
        person_column("proposed_by", gettext_lazy("proposed by")),
        person_column("agreed_by", gettext_lazy("agreed by"), shown=False),
        person_column("decided_by", gettext_lazy("decided by")),
        "reason",
    )
    ordering = ("-effective_on", "-pk")
    search_fields = ("partner__name", "partner__code", "partner__pinyin", "reason")
    filterset_class = ConsequenceFilter
    form_class = ConsequenceForm
    detail_template = "performance/consequence_detail.html"
    detail_fields = (
        *("partner", "kind", "evaluation", "effective_on", "reason"),
        *("proposed_by", "agreed_by", "decided_by"),
    )
    bulk_actions = (
        transition_action(
            "decide",
            pgettext_lazy("consequence", "Decide"),
            permission="performance.decide_consequence",
            icon="gavel",
        ),
        transition_action(
            "reject",
            pgettext_lazy("consequence", "Reject"),
            permission="performance.decide_consequence",
            icon="x",
            needs_reason=True,
        ),
    )
    empty_text = gettext_lazy(
        "Propose one from a scorecard, or the level changes of a published evaluation at once."
    )

    def detail_queryset(self) -> QuerySet:
        related = ("partner__level", "level", "level_before", "evaluation__scheme")
        people = ("proposed_by", "agreed_by", "decided_by")
        return self.get_queryset().select_related(*related, *people)

    def detail_context(self, obj: Consequence) -> dict[str, Any]:
        frozen = obj.state != Consequence.State.PROPOSED
        return {"state_color": FOLLOW_UP_COLORS[obj.state], "frozen": frozen}

    def field_values(self, obj: Consequence, tab: Any) -> list[tuple[str, str]]:
        """With the levels as badges, and since when it is in force."""
        found = list(super().field_values(obj, tab))
        if obj.kind == ConsequenceKind.LEVEL:
            change = render_to_string("performance/_level_change.html", {"row": obj})
            found.insert(2, (_("level before → after"), change))
        happened = Event.objects.of(obj).filter(verb=IN_FORCE).first()
        if happened:
            since = timezone.localtime(happened.created_at)
            found.append((_("in force since"), f"{since:%Y-%m-%d %H:%M}"))
        return found

    def save(self, form: Any) -> Any:
        if form.instance.pk is None:
            form.instance.proposed_by = self.request.user
        return super().save(form)

    def edit(self, obj: Consequence) -> HttpResponse:
        return self._refused(obj) or super().edit(obj)

    def delete(self, obj: Consequence) -> HttpResponse:
        return self._refused(obj) or super().delete(obj)

    def _refused(self, obj: Consequence) -> HttpResponse | None:
        if obj.state == Consequence.State.PROPOSED:
            return None
        message = _("Somebody has agreed to it or decided it; it cannot be changed any more.")
        messages.error(self.request, message)
        return redirect(self.url("detail", obj.pk))


class ImprovementPlanView(CRUDView):
    """What partners are to do better until a re-test."""

    model = ImprovementPlan
    icon = "checkup-list"
    section = "performance.improvementplan"
    parents = ("performance:evaluation_list",)
    columns = (
        PARTNER,
        PARTNER_CODE,
        "goal",
        person_column("owner", gettext_lazy("owner")),
        "due_on",
        "retest_period",
        Column("goal_total", kind="money"),
        Column("result", label=gettext_lazy("re-test"), source="result__total", kind="money"),
        Column("state", kind="badge", colors=FOLLOW_UP_COLORS),
    )
    ordering = ("due_on", "pk")
    search_fields = ("partner__name", "partner__code", "partner__pinyin", "goal")
    filterset_class = ImprovementPlanFilter
    form_class = ImprovementPlanForm
    exclude = frozenset({"bulk"})
    detail_template = "performance/plan_detail.html"
    list_actions_template = "performance/_plan_actions.html"
    empty_text = gettext_lazy("A plan says what has to get better, by when, and what proves it.")

    def detail_queryset(self) -> QuerySet:
        related = ("partner", "owner", "evaluation__scheme", "scheme", "result__evaluation__scheme")
        return self.get_queryset().select_related(*related)

    def detail_context(self, obj: ImprovementPlan) -> dict[str, Any]:
        frozen = obj.state != ImprovementPlan.State.OPEN
        return {"state_color": FOLLOW_UP_COLORS[obj.state], "frozen": frozen}

    def edit(self, obj: ImprovementPlan) -> HttpResponse:
        return self._refused(obj) or super().edit(obj)

    def delete(self, obj: ImprovementPlan) -> HttpResponse:
        return self._refused(obj) or super().delete(obj)

    def _refused(self, obj: ImprovementPlan) -> HttpResponse | None:
        if obj.state == ImprovementPlan.State.OPEN:
            return None
        messages.error(self.request, _("A closed plan cannot be changed any more."))
        return redirect(self.url("detail", obj.pk))


class PlanActionView(CRUDView):
    """The actions of all plans: what is to be done by whom."""

    model = PlanAction
    icon = "list-check"
    section = "performance.improvementplan"
    parents = ("performance:evaluation_list", "performance:improvementplan_list")
    columns = (
        "what",
        Column("partner", label=gettext_lazy("partner"), source="plan__partner__name"),
        person_column("owner", gettext_lazy("owner")),
        "due_on",
        "done_on",
    )
    ordering = ("done_on", "due_on", "pk")
    search_fields = ("what", "plan__partner__name", "plan__partner__code")
    filterset_class = PlanActionFilter
    form_class = PlanActionForm
    exclude = frozenset({"bulk"})
    detail_fields = ("plan", "what", "owner", "due_on", "done_on", "note")

    def detail_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("plan__partner", "owner")

    def after_save(self, obj: PlanAction) -> str:
        return ImprovementPlanView.url("detail", obj.plan_id)


@login_required
def propose_levels(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose the levels of a published evaluation for every partner that has another one."""
    evaluation = get_object_or_404(
        Evaluation.objects.visible_to(request.user).select_related("scheme"), pk=pk
    )
    if not request.user.has_perm("performance.add_consequence"):
        raise PermissionDenied
    today = timezone.localdate()
    form = LevelChangesForm(request.POST or None, initial={"effective_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            count = propose_level_changes(
                evaluation=evaluation, by=request.user, on=today, **form.cleaned_data
            )
        except DomainError as error:
            form.refuse(error)
        else:
            text = ngettext(
                "%(count)s level change proposed.", "%(count)s level changes proposed.", count
            )
            messages.success(request, text % {"count": count})
            return redirect(ConsequenceView.url("list") + f"?evaluation={pk}&kind=level")
    back = EvaluationView.url("detail", pk) + "?tab=consequences"
    title = _("Propose level changes")
    context = {
        "form": form,
        "evaluation": evaluation,
        "count": differing(evaluation, request.user).count(),
        "title": title,
        "back": back,
        "next": "",
        "section": "performance",
        "crumbs": [
            (_("Evaluations"), EvaluationView.url("list")),
            (str(evaluation), back),
            (title, ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "performance/propose_levels.html", context, status=status)
