"""Pages of ratings, review, appeals, revisions and late facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError, add_to_form
from core.filters import search
from core.tables import Column, describe
from core.tabs import Tab
from core.views import CRUDView
from core.views.bulk import transition_action
from partners.models import Partner
from partners.views import level_badge, level_name
from performance import services
from performance.definitions import item_definition
from performance.explain import item_label
from performance.models import (
    Appeal,
    Basis,
    Correction,
    Evaluation,
    Rater,
    Rating,
    SchemeItem,
    Score,
    ScoreChange,
)
from performance.models.ratings import HIGHEST, LOWEST
from performance.process import appeals, pages, rating
from performance.process.filters import (
    AppealFilter,
    CorrectionFilter,
    RatingFilter,
    ScoreChangeFilter,
)
from performance.process.forms import (
    AppealForm,
    CorrectionForm,
    DecisionForm,
    RatersForm,
    RevisionForm,
)
from performance.selectors import item_names
from performance.tables import (
    PARTNER,
    PARTNER_CODE,
    READ_ONLY,
    measure_name,
    period_name,
    person_column,
    scheme_column,
    scheme_name,
)

PER_PAGE = 50
STAFF = "performance.view_evaluation"  # who has it is none of a partner's people
_SEARCH = ("partner__name", "partner__code", "partner__pinyin")
_PARENT = ("performance:evaluation_list",)


def _item_source() -> tuple[Any, ...]:
    """The code of an item, with what it is called."""
    item = SchemeItem.objects.filter(
        version=OuterRef("evaluation__scheme_version"), code=OuterRef("item_code")
    )
    return ("item_code", *(Subquery(item.values(n)[:1]) for n in ("name", "name_en", "measure")))


def _item_name(code: str, name: str | None, name_en: str | None, measure: str | None) -> str:
    if not code:
        return _("The whole result")
    return scheme_name(name, name_en) or measure_name(measure or "", None, None) or code


ITEM = Column(
    "item_code",
    label=gettext_lazy("item"),
    source=_item_source(),
    sort=("item_code",),
    render=lambda *named: conditional_escape(_item_name(*named)),
    export=_item_name,
)
PERIOD = Column(
    "period",
    label=gettext_lazy("period"),
    source="evaluation__period_code",
    sort=("evaluation__starts_on",),
    render=period_name,
)


class RatingView(CRUDView):
    model = Rating
    icon = "star"
    section = "performance"
    parents = _PARENT
    columns = (
        PARTNER,
        PARTNER_CODE,
        ITEM,
        person_column("rater", gettext_lazy("rater")),
        Column("mark", kind="number"),
        "evidence",
        "updated_at",
    )
    ordering = ("partner__pinyin", "item_code", "pk")
    search_fields = _SEARCH
    filterset_class = RatingFilter
    exclude = READ_ONLY
    detail_template = "performance/file_detail.html"
    detail_fields = ("evaluation", "partner", "item_code", "rater", "mark", "evidence")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "rater", "evaluation__scheme")

    def detail_context(self, obj: Rating) -> dict[str, Any]:
        return {"file_url": reverse("performance:rating_file", args=[obj.pk]) if obj.file else ""}


class _AboutScoreView(CRUDView):
    """Pages of what is said about one item of one partner's result."""

    def get_form(self, obj: Any, data: Any = None, files: Any = None) -> Any:
        form = super().get_form(obj, data, files)
        form.offer(self.request.user)  # type: ignore[attr-defined]
        return form


class CorrectionView(_AboutScoreView):
    model = Correction
    icon = "adjustments"
    section = "performance.correction"
    parents = _PARENT
    columns = (
        PARTNER,
        PARTNER_CODE,
        PERIOD,
        ITEM,
        Column("points", kind="qty"),
        Column(
            "level",
            label=gettext_lazy("level"),
            source=("level__name", "level__name_en", "level__color"),
            sort=("level__rank",),
            render=level_badge,
            export=level_name,
        ),
        Column("state", kind="badge", colors=pages.COLORS),
        person_column("proposed_by", gettext_lazy("proposed by")),
        person_column("decided_by", gettext_lazy("decided by")),
    )
    ordering = ("-pk",)
    search_fields = (*_SEARCH, "reason")
    filterset_class = CorrectionFilter
    form_class = CorrectionForm
    exclude = frozenset({"edit", "delete"})
    bulk_actions = (
        transition_action(
            "accept",
            gettext_lazy("Accept"),
            permission="performance.decide_correction",
            icon="check",
            needs_reason=True,
        ),
        transition_action(
            "reject",
            gettext_lazy("Reject"),
            permission="performance.decide_correction",
            icon="x",
            needs_reason=True,
            danger=True,
        ),
    )
    detail_template = "performance/file_detail.html"
    detail_fields = (
        *("evaluation", "partner", "item_code", "points", "level", "reason"),
        *("proposed_by", "decided_by", "appeal"),
    )
    empty_text = gettext_lazy("In review, one person proposes a change and another one decides it.")

    def detail_queryset(self) -> Any:
        related = ("partner", "level", "proposed_by", "decided_by", "evaluation__scheme")
        return self.get_queryset().select_related(*related, "appeal__partner", "appeal__evaluation")

    def detail_context(self, obj: Correction) -> dict[str, Any]:
        file = reverse("performance:correction_evidence", args=[obj.pk]) if obj.evidence else ""
        return {"state_color": pages.COLORS[obj.state], "file_url": file}

    def save(self, form: Any) -> Any:
        form.instance.proposed_by = self.request.user
        return super().save(form)


def due_cell(due_on: date, state: str) -> str:
    """The last day for an answer, and whether it has passed without one."""
    if state not in Appeal.UNDECIDED or due_on >= timezone.localdate():
        return due_on.isoformat()
    return format_html(
        '{} <span class="worse text-nowrap">{}</span>', due_on.isoformat(), _("overdue")
    )


class AppealView(_AboutScoreView):
    """Appeals. People of a partner see those of the own company, without who of us answers."""

    model = Appeal
    icon = "scale"
    section = "performance.appeal"
    parents = _PARENT
    columns = (
        replace(PARTNER, permission=STAFF),
        replace(PARTNER_CODE, permission=STAFF),
        PERIOD,
        scheme_column("evaluation__scheme"),
        ITEM,
        Column("state", kind="badge", colors=pages.COLORS),
        Column(
            "due_on",
            label=gettext_lazy("answer due on"),
            source=("due_on", "state"),
            kind="date",
            sort=("due_on",),
            render=due_cell,
            export=lambda due_on, state: due_on,
        ),
        person_column("filed_by", gettext_lazy("filed by"), permission=STAFF),
        Column("by_partner", shown=False, permission=STAFF),
        person_column("owner", gettext_lazy("owner"), permission=STAFF),
        "created_at",
        Column("decided_at", shown=False),
    )
    ordering = ("-pk",)
    search_fields = (*_SEARCH, "claim")
    filterset_class = AppealFilter
    form_class = AppealForm
    exclude = frozenset({"edit", "delete", "bulk"})
    detail_template = "performance/appeal_detail.html"
    detail_fields = (
        *("evaluation", "partner", "item_code", "claim", "created_at", "filed_by", "by_partner"),
        *("due_on", "owner", "answer", "granted_points", "granted_level", "decided_at", "revision"),
    )
    # What people of a partner need not know: who of us does what, and what is not published.
    INTERNAL = frozenset({"filed_by", "by_partner", "owner", "revision"})
    empty_text = gettext_lazy("Against a published result, until its window for appeals closes.")

    def detail_queryset(self) -> Any:
        related = ("partner", "owner", "filed_by", "granted_level", "evaluation__scheme")
        return self.get_queryset().select_related(*related, "revision__scheme")

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Without the evaluations for who may not open them, as people of a partner."""
        found = super().crumbs(*more)
        return found if self.request.user.has_perm(STAFF) else found[len(self.parents) :]

    def field_values(self, obj: Appeal, tab: Tab) -> list[tuple[str, str]]:
        if tab.key != "overview":
            return []
        hidden = self.INTERNAL if self.request.user.is_partner_user else frozenset()
        shown = [name for name in self.detail_fields if name not in hidden]
        told = {
            "item_code": conditional_escape(self._item(obj)),
            "due_on": due_cell(obj.due_on, obj.state),
        }
        values = zip(shown, describe(obj, shown), strict=True)
        return [(label, told.get(name, value)) for name, (label, value) in values]

    def _item(self, obj: Appeal) -> str:
        """What an appeal is about."""
        return item_names([obj], _("The whole result"))[obj.pk]

    def create(self) -> HttpResponse:
        """A form, unless there is nothing that people of a partner could appeal against."""
        user = self.request.user
        if user.is_partner_user and not appeals.open_to(user, timezone.localdate()).exists():
            messages.info(self.request, _("None of your results is open to appeals now."))
            return redirect(self.url("list"))
        return super().create()

    def detail_context(self, obj: Appeal) -> dict[str, Any]:
        user = self.request.user
        problems = appeals.decision_problems(obj, user)
        may_decide = obj.state == Appeal.State.TAKEN and user.has_perm("performance.decide_appeal")
        seen = Score.objects.visible_to(user).filter(partner=obj.partner_id)
        seen = seen if user.has_perm("performance.view_score") else seen.none()
        found = appeals.simple_transitions(obj, user)
        return {
            "item": self._item(obj),
            "state_color": pages.COLORS[obj.state],
            "file_url": reverse("performance:appeal_evidence", args=[obj.pk])
            if obj.evidence
            else "",
            "score": seen.filter(evaluation=obj.evaluation_id).first(),
            "new_score": seen.filter(evaluation=obj.revision_id).first(),
            "may_decide": may_decide and not problems,
            "why_not": problems if may_decide else [],
            "transitions": found,
        }

    def save(self, form: Any) -> Any:
        given = {"partner": form.instance.partner, **form.cleaned_data}
        try:
            return appeals.file_appeal(**given, by=self.request.user, on=timezone.localdate())
        except ValidationError as refused:  # what has changed since the form was checked
            raise DomainError("refused", " ".join(refused.messages)) from refused


class ScoreChangeView(CRUDView):
    model = ScoreChange
    icon = "arrows-diff"
    section = "performance"
    parents = _PARENT
    columns = (
        PARTNER,
        PARTNER_CODE,
        Column("territory", label=gettext_lazy("territory"), source="partner__territory__name"),
        Column("total_before", kind="money"),
        Column("total_after", kind="money"),
        Column("difference", kind="money"),
        Column("rank_before", kind="number"),
        Column("rank_after", kind="number"),
        *(
            Column(
                name,
                source=(f"{name}__name", f"{name}__name_en", f"{name}__color"),
                sort=(f"{name}__rank",),
                render=level_badge,
                export=level_name,
            )
            for name in ("level_before", "level_after")
        ),
    )
    ordering = ("-pk",)
    search_fields = _SEARCH
    filterset_class = ScoreChangeFilter
    exclude = READ_ONLY | {"history"}
    detail_fields = (
        *("evaluation", "revision", "partner", "total_before", "total_after", "difference"),
        *("rank_before", "rank_after", "level_before", "level_after"),
    )

    def detail_queryset(self) -> Any:
        related = ("partner", "level_before", "level_after", "evaluation__scheme")
        return self.get_queryset().select_related(*related, "revision__scheme")


# --- files -------------------------------------------------------------------------------------


def _file(request: HttpRequest, model: Any, pk: int, field: str) -> HttpResponseBase:
    row = get_object_or_404(model.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm(f"performance.view_{model._meta.model_name}"):
        raise PermissionDenied
    file = getattr(row, field)
    if not file or not file.storage.exists(file.name):
        raise Http404
    return FileResponse(file.open("rb"), as_attachment=True, filename=file.name.split("/")[-1])


@login_required
@require_GET
def rating_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file that proves a mark."""
    return _file(request, Rating, pk, "file")


@login_required
@require_GET
def correction_evidence(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file that proves a proposed change."""
    return _file(request, Correction, pk, "evidence")


@login_required
@require_GET
def appeal_evidence(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file that proves an appeal."""
    return _file(request, Appeal, pk, "evidence")


# --- rating ------------------------------------------------------------------------------------


def _evaluation(request: HttpRequest, pk: int) -> Evaluation:
    seen = Evaluation.objects.visible_to(request.user)
    row = get_object_or_404(seen.select_related("scheme", "scheme_version__scheme"), pk=pk)
    if not request.user.has_perm("performance.view_evaluation"):
        raise PermissionDenied
    return row


def _page_of(evaluation: Evaluation, tab: str) -> HttpResponse:
    return redirect(f"{reverse('performance:evaluation_detail', args=[evaluation.pk])}?tab={tab}")


@login_required
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """One item of many partners, by keyboard: GET is the list, each mark a POST of its own that
    gives its row back."""
    evaluation = _evaluation(request, pk)
    if not request.user.has_perm(rating.RATE):
        raise PermissionDenied
    if request.method == "POST":
        return _one_mark(request, evaluation)
    items = list(evaluation.scheme_version.items.filter(basis=Basis.RATING))
    if not items:
        raise Http404
    asked = request.GET.get("item", "")
    item = next((each for each in items if each.code == asked), items[0])
    partners = rating.scored_partners(evaluation, request.user)
    own = pages.marks_of(evaluation, item.code, request.user)
    whole = partners.count()
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    found = search(partners, ("name", "code", "pinyin"), text) if text else partners
    if request.GET.get("missing") == "1":
        found = found.exclude(pk__in=own)
    pager = Paginator(found.select_related("territory").order_by("pinyin", "pk"), PER_PAGE)
    page = pager.get_page(request.GET.get("page"))
    totals = pages.totals_of(evaluation, [partner.pk for partner in page])
    context = {
        "evaluation": evaluation,
        "item": item,
        "items": [(each, item_label(item_definition(each))) for each in items],
        "label": item_label(item_definition(item)),
        "anchors": sorted(item.anchors.items()),
        "rows": [_row(p, own.get(p.pk), totals.get(p.pk)) for p in page],
        "pager": page,
        "text": text,
        "missing": request.GET.get("missing") == "1",
        "given": len(own),
        "whole": whole,
        "may_rate": pages.may_rate(evaluation, request.user),
        "marks": range(LOWEST, HIGHEST + 1),
        "section": "performance",
        "title": _("Rate: %(what)s") % {"what": evaluation},
        "crumbs": [
            (_("Evaluations"), reverse("performance:evaluation_list")),
            (str(evaluation), reverse("performance:evaluation_detail", args=[pk])),
            (_("Rate"), ""),
        ],
    }
    return render(request, "performance/rate.html", context)


def _row(partner: Any, own: Rating | None, score: Any, error: str = "") -> dict[str, Any]:
    return {
        "partner": partner,
        "mark": own.mark if own else None,
        "evidence": own.evidence if own else "",
        "file": own if own and own.file else None,
        "score": score,
        "error": error,
        "saved": own is not None and not error,
    }


def _one_mark(request: HttpRequest, evaluation: Evaluation) -> HttpResponse:
    key, mark = request.POST.get("partner", ""), request.POST.get("mark", "")
    item = get_object_or_404(evaluation.scheme_version.items, code=request.POST.get("item", ""))
    seen = Partner.objects.visible_to(request.user).select_related("territory")
    partner = get_object_or_404(seen, pk=key if key.isdecimal() else 0)
    evidence = request.POST.get("evidence", "")
    error = ""
    try:
        rating.rate(
            evaluation=evaluation,
            item_code=item.code,
            partner=partner,
            mark=int(mark) if mark.isdecimal() else None,
            evidence=evidence,
            file=request.FILES.get("file"),
            by=request.user,
        )
    except ValidationError as refused:
        error = " ".join(refused.messages)
    except DomainError as refused:
        error = str(refused.message)
    own = pages.marks_of(evaluation, item.code, request.user)
    row = _row(
        partner, own.get(partner.pk), pages.totals_of(evaluation, [partner.pk]).get(partner.pk)
    )
    if error:  # what was typed stays, with what is wrong with it
        typed = int(mark) if mark.isdecimal() else None
        row |= {"mark": typed, "evidence": evidence, "error": error, "saved": False}
    context = {
        "evaluation": evaluation,
        "item": item,
        "row": row,
        "given": len(own),
        "whole": rating.scored_partners(evaluation, request.user).count(),
        "marks": range(LOWEST, HIGHEST + 1),
        "anchors": sorted(item.anchors.items()),
        "may_rate": True,
        "answer": True,
    }
    return render(request, "performance/_rate_row.html", context)


@login_required
def invite_raters(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who is asked to rate besides."""
    evaluation = _evaluation(request, pk)
    if not request.user.has_perm("performance.change_evaluation"):
        raise PermissionDenied
    form = RatersForm(request.POST or None)
    form.fields["users"].queryset = rating.candidates(evaluation)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            rating.invite(evaluation=evaluation, users=form.cleaned_data["users"], by=request.user)
        except DomainError as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("They have been asked, and get a letter."))
            return _page_of(evaluation, "ratings")
    return _form(request, evaluation, form, _("Ask people to rate"), _("Ask them"), "ratings")


@login_required
@require_POST
def dismiss_rater(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask somebody no more."""
    rater = get_object_or_404(Rater.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm("performance.change_evaluation"):
        raise PermissionDenied
    try:
        rating.dismiss(rater=rater, by=request.user)
    except DomainError as error:
        messages.error(request, str(error.message))
    return _page_of(rater.evaluation, "ratings")


@login_required
@require_POST
def remind_raters(request: HttpRequest, pk: int) -> HttpResponse:
    """Write to those whose marks are missing."""
    evaluation = _evaluation(request, pk)
    if not request.user.has_perm("performance.change_evaluation"):
        raise PermissionDenied
    try:
        late = rating.remind(evaluation=evaluation, by=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        said = _("Reminded: %(names)s") % {"names": ", ".join(str(each.user) for each in late)}
        messages.success(request, said if late else _("No marks are missing."))
    return _page_of(evaluation, "ratings")


# --- appeals, revisions, late facts ------------------------------------------------------------


@login_required
def decide_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner answers an appeal."""
    seen = Appeal.objects.visible_to(request.user)
    related = ("evaluation__scheme", "evaluation__scheme_version", "partner")
    appeal = get_object_or_404(seen.select_related(*related), pk=pk)
    if not request.user.has_perm("performance.decide_appeal"):
        raise PermissionDenied
    form = DecisionForm(request.POST or None, appeal=appeal)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            appeals.decide_appeal(
                appeal=appeal,
                accept=given["outcome"] == DecisionForm.ACCEPT,
                points=given.get("points"),
                level=given.get("level"),
                reason=given["reason"],
                by=request.user,
                on=timezone.localdate(),
            )
        except DomainError as error:
            add_to_form(form, error)
        except ValidationError as refused:
            form.add_error(None, refused.messages)  # type: ignore[arg-type]
        else:
            messages.success(request, _("The appeal has its answer."))
            return redirect(AppealView.url("detail", pk))
    crumbs = [
        (_("Evaluations"), reverse("performance:evaluation_list")),
        (_("Appeals"), AppealView.url("list")),
        (str(appeal), AppealView.url("detail", pk)),
        (_("Decide"), ""),
    ]
    context = {
        "form": form,
        "title": _("Decide: %(what)s") % {"what": appeal},
        "said": appeal.claim,
        "submit": _("Answer"),
        "back": AppealView.url("detail", pk),
        "section": "performance.appeal",
        "crumbs": crumbs,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "performance/process_form.html", context, status=status)


@login_required
def open_revision(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a published result again, with a reason; a worker computes the revision."""
    evaluation = _evaluation(request, pk)
    if not request.user.has_perm("performance.publish_evaluation"):
        raise PermissionDenied
    waiting = Appeal.objects.without_effect().filter(evaluation=evaluation).count()
    first = _("Accepted appeals: %(count)d") % {"count": waiting} if waiting else ""
    form = RevisionForm(request.POST or None, initial={"reason": first})
    if request.method == "POST" and form.is_valid():
        try:
            revision = services.open_revision(
                evaluation=evaluation,
                reason=form.cleaned_data["reason"],
                by=request.user,
                on=timezone.localdate(),
            )
        except DomainError as error:
            add_to_form(form, error)
        else:
            return redirect("core:job_detail", pk=revision.job_id)
    title = _("Open a revision")
    return _form(request, evaluation, form, title, title, "overview")


@login_required
@require_POST
def check_late(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a worker see what late facts would change."""
    evaluation = _evaluation(request, pk)
    if not request.user.has_perm("performance.add_evaluation"):
        raise PermissionDenied
    try:
        job = services.request_late_check(evaluation=evaluation, by=request.user)
    except DomainError as error:
        messages.error(request, str(error.message))
        return _page_of(evaluation, "late")
    return redirect("core:job_detail", pk=job.pk)


def _form(
    request: HttpRequest, evaluation: Evaluation, form: Any, title: str, submit: str, tab: str
) -> HttpResponse:
    page = reverse("performance:evaluation_detail", args=[evaluation.pk])
    context = {
        "form": form,
        "title": title,
        "said": "",
        "submit": submit,
        "back": f"{page}?tab={tab}",
        "section": "performance",
        "crumbs": [
            (_("Evaluations"), reverse("performance:evaluation_list")),
            (str(evaluation), page),
            (title, ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "performance/process_form.html", context, status=status)
