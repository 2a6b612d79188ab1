"""Pages of the library of measures, and of the measures that users make."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET

from core.scoping import narrow_choices
from core.tables import Column
from core.views import CRUDView
from core.views.base import is_partial
from core.widgets import use_lookups
from performance import measures
from performance.library import pages as library
from performance.library.forms import DerivedMeasureForm, ExampleForm, LibraryForm
from performance.measures import Measure
from performance.models import DerivedMeasure
from sales.grades import grade_badge

# What was chosen last for examples: kept in the session, so that it holds on the next measure.
CHOSEN = "measure_example"
_may_read = permission_required("performance.view_derivedmeasure", raise_exception=True)


@login_required
@_may_read
@require_GET
def measure_list(request: HttpRequest) -> HttpResponse:
    """The whole library; for HTMX only its table."""
    form = LibraryForm(request.GET)
    limits = form.cleaned_data if form.is_valid() else {}
    rows = library.found(
        text=limits.get("q", ""),
        unit=limits.get("unit", ""),
        source=limits.get("source", ""),
        availability=limits.get("availability", ""),
        span=limits.get("span", ""),
    )
    context = {
        "form": form,
        "rows": [_row(measure) for measure in rows],
        "count": library.count_text(len(rows)),
        "narrowed": any(limits.values()) or not form.is_valid(),
        "section": "performance.measure",
        "crumbs": [_evaluations(), (_("Measures"), "")],
    }
    template = "performance/_measures.html" if is_partial(request) else "performance/measures.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Request"
    return response


def _row(measure: Measure) -> dict[str, Any]:
    return {
        "measure": measure,
        "href": reverse("performance:measure_detail", args=[measure.code]),
        "unit": measures.UNIT_LABELS[measure.unit],
        "source": measures.SOURCE_LABELS[measure.source],
        "made": isinstance(measure, measures.Derived),
    }


def _evaluations() -> tuple[str, str]:
    return (_("Evaluations"), reverse("performance:evaluation_list"))


@login_required
@_may_read
@require_GET
def measure_detail(request: HttpRequest, code: str) -> HttpResponse:
    """The page of a measure; that of a derived one is the page of its row."""
    measure = measures.find(code)
    if measure is None:
        raise Http404
    if isinstance(measure, measures.Derived):
        return redirect(DerivedMeasure.objects.get(code=code))
    listed = (_("Measures"), reverse("performance:measure_list"))
    context = {
        "section": "performance.measure",
        "crumbs": [_evaluations(), listed, (library.title(measure), "")],
        "title": library.title(measure),
        **_page(request, measure),
    }
    return render(request, "performance/measure.html", context)


def derived_page(request: HttpRequest, row: DerivedMeasure) -> dict[str, Any]:
    """What the page of a derived measure reads."""
    return _page(request, measures.get(row.code))


def _page(request: HttpRequest, measure: Measure) -> dict[str, Any]:
    may_see_schemes = request.user.has_perm("performance.view_schemeversion")
    return {
        "measure": measure,
        "facts": library.facts(measure),
        "used_in": library.used_in(measure.code) if may_see_schemes else [],
        "made_of": library.made_of(measure.code),
        "parts": measure.parts if isinstance(measure, measures.Derived) else (),
        **({} if measure.absent else _example(request, measure)),
    }


@login_required
@_may_read
@require_GET
def measure_example(request: HttpRequest, code: str) -> HttpResponse:
    """The value of a measure for the partner and the period that are chosen, as a part."""
    measure = measures.find(code)
    if measure is None or measure.absent:
        raise Http404
    return render(request, "performance/_measure_example.html", _example(request, measure))


def _example(request: HttpRequest, measure: Measure) -> dict[str, Any]:
    """The form of what can be chosen, and the example of what is."""
    form, partner, period = _chosen(request, measure)
    found = None
    if partner is not None and period is not None:
        kind = form.cleaned_data.get("kind", "") if form.is_valid() else ""
        found = library.example(measure, partner, period, kind=kind)
    may_see = request.user.has_perm("sales.view_salesfact")
    return {
        "example_form": form,
        "example": found,
        "links": found.links if found and may_see else [],
        "grade": grade_badge(found.completeness) if found else "",
        "example_url": reverse("performance:measure_example", args=[measure.code]),
    }


def _chosen(request: HttpRequest, measure: Measure | None) -> tuple[ExampleForm, Any, Any]:
    """What the address chooses, else what was chosen last, else the first partner and the newest
    quarter."""
    kept = request.session.get(CHOSEN, {})
    data = {
        "partner": request.GET.get("partner") or kept.get("partner") or "",
        "period": request.GET.get("period") or kept.get("period") or library.default_period(),
        "kind": request.GET.get("kind", "") or (library.usual_kind(measure) if measure else ""),
    }
    if not data["partner"]:
        first = library.default_partner(request.user)
        data["partner"] = first.pk if first else ""
    form = ExampleForm(data, measure=measure)
    narrow_choices(form.fields, request.user)
    use_lookups(form)
    if not form.is_valid():
        return form, None, None
    partner, period = form.cleaned_data["partner"], form.cleaned_data["period"]
    if request.GET.get("partner") or request.GET.get("period"):
        request.session[CHOSEN] = {"partner": partner.pk, "period": period.code}
    return form, partner, period


@login_required
@_may_read
@require_GET
def measure_preview(request: HttpRequest) -> HttpResponse:
    """What an expression that is being written gives for a partner, or what is wrong with it."""
    if not request.user.has_perm("performance.add_derivedmeasure"):
        raise Http404
    form, partner, period = _chosen(request, None)
    row, problems = _draft(request)
    found = None
    if not problems and partner is not None:
        found = library.example(measures.drafted(row), partner, period, with_sources=False)
    context = {"example": found, "problems": problems, "example_form": form}
    return render(request, "performance/_measure_preview.html", context)


def _draft(request: HttpRequest) -> tuple[DerivedMeasure, list[Any]]:
    """The measure as it stands in the form, and what is wrong with its expression."""
    span = request.GET.get("span", "")
    row = DerivedMeasure(
        code=request.GET.get("code", "").strip() or "new",
        name=request.GET.get("name", "").strip() or _("New measure"),
        expression=request.GET.get("expression", ""),
        unit=request.GET.get("unit", ""),
        zero=request.GET.get("zero", ""),
        span=span if span in measures.SPAN_LABELS else measures.PERIOD,
    )
    places = request.GET.get("places", "")
    row.places = min(int(places), 6) if places.isdecimal() and len(places) < 3 else 6
    return row, measures.problems_of(row)


class DerivedMeasureView(CRUDView):
    model = DerivedMeasure
    icon = "math-function"
    section = "performance.measure"
    parents = ("performance:evaluation_list",)
    columns = (
        "name",
        "name_en",
        "code",
        "expression",
        "unit",
        "higher",
        Column("places", shown=False),
        Column("zero", shown=False),
        Column("span", shown=False),
    )
    ordering = ("code",)
    search_fields = ("code", "name", "name_en", "expression")
    form_class = DerivedMeasureForm
    form_template = "performance/derived_form.html"
    exclude = frozenset({"bulk"})
    empty_text = gettext_lazy("Make a measure of others by an expression, such as a ratio.")

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Below the library, whose part they are."""
        return [_evaluations(), (_("Measures"), reverse("performance:measure_list")), *more]

    def render(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """The form shows what the expression gives."""
        if template == self.form_template:
            form, _partner, _period = _chosen(self.request, None)
            context |= {
                "example_form": form,
                "codes": measures.offered(),
            }
        return super().render(template, context, status)
