"""The library of measures in the API: what there is, and the value of one for a partner."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog.models import ProductLine
from core.api.serializers import CodeField, RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, WriteMixin
from core.errors import DomainError
from core.importing import codes
from partners.models import Partner
from performance import expressions, measures
from performance.library import pages as library
from performance.measures import Measure
from performance.models import DerivedMeasure
from performance.results.api import SourceLines
from sales.models import SalesKind

_UNITS = DerivedMeasure.Unit.choices
_SPANS = DerivedMeasure._meta.get_field("span").choices
_GRAINS = list(measures.GRAIN_LABELS)


class MeasureRow(serializers.Serializer):
    """What a measure declares. `zero` is what a denominator that is not positive makes of it."""

    code = serializers.CharField()
    label: Any = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.ChoiceField(choices=_UNITS)
    higher_is_better = serializers.BooleanField()
    source: Any = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())
    grain = serializers.ChoiceField(choices=_GRAINS, help_text="The shortest period.")
    zero = serializers.CharField(allow_blank=True)
    kind = serializers.CharField(allow_null=True, help_text="Null: it can be chosen.")
    by_product_line = serializers.BooleanField()
    span = serializers.ChoiceField(choices=_SPANS)
    available = serializers.BooleanField()
    unavailable_because = serializers.CharField(allow_blank=True)
    expression = serializers.CharField(allow_null=True, help_text="Of a derived measure.")
    places = serializers.IntegerField(allow_null=True)


class MeasureUse(serializers.Serializer):
    """An item of a scheme version."""

    scheme_code = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.CharField()
    item = serializers.CharField()


class MeasureDetail(MeasureRow):
    confidence = serializers.CharField(help_text="By what the grade of its value is told.")
    used_in = MeasureUse(many=True)


@extend_schema_serializer(many=False)
class MeasureRows(serializers.Serializer):
    """All of them: there are no pages."""

    results = MeasureRow(many=True)


class Grade(serializers.Serializer):
    """How complete the reports are on which a value rests."""

    grade = serializers.CharField()
    owed = serializers.IntegerField()
    received = serializers.IntegerField()
    late = serializers.IntegerField()


class PartValue(serializers.Serializer):
    """A measure in a derived one."""

    code = serializers.CharField()
    value = serializers.CharField(allow_null=True)


class MeasureValue(serializers.Serializer):
    """The value of a measure, how it came about, and its rows; null: it does not apply."""

    measure = serializers.CharField()
    partner = serializers.IntegerField()
    partner_code = serializers.CharField()
    period = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    numerator = serializers.CharField()
    denominator = serializers.CharField(allow_null=True)
    lines = serializers.IntegerField()
    sentence = serializers.CharField()
    parts = PartValue(many=True)
    completeness = Grade(allow_null=True)
    sources = SourceLines(many=True)


def _row(measure: Measure) -> dict[str, Any]:
    made = isinstance(measure, measures.Derived)
    written = made and measure.node is not None
    return {
        "code": measure.code,
        "label": str(measure.label),
        "definition": str(measure.definition),
        "unit": measure.unit,
        "higher_is_better": measure.higher,
        "source": measure.source,
        "needs": sorted({need for leaf in measure.leaves() for need in leaf.needs}),
        "grain": measure.grain,
        "zero": measure.zero_policy,
        "kind": None if measure.kind is None else str(measure.kind),
        "by_product_line": measure.by_line,
        "span": measure.span,
        "available": not measure.absent,
        "unavailable_because": str(measure.absent),
        "expression": expressions.write(measure.node) if written else None,
        "places": measure.places if made else None,
    }


def _found(code: str) -> Measure:
    measure = measures.find(code)
    if measure is None:
        raise Http404
    return measure


_QUERY = [
    OpenApiParameter("partner", int, description="The id of a partner."),
    OpenApiParameter("partner_code", str, description="Instead of “partner”."),
    OpenApiParameter("period", str, required=True, description="2013-09, 2013Q3 or 2013"),
    OpenApiParameter("kind", str, enum=[*SalesKind.values], description="Where one can choose."),
    OpenApiParameter("product_line", str, description="The code of a product line."),
]


class MeasureViewSet(ViewSet):
    """What can be measured of a partner: declared in code, or derived from others by users."""

    def permission_needed(self) -> str:
        """Who may read derived measures may read all of them."""
        return "performance.view_derivedmeasure"

    @extend_schema(responses=MeasureRows)
    def list(self, request: Any) -> Response:
        """Every measure, also those that are not available yet."""
        return Response({"results": [_row(measure) for measure in measures.everything()]})

    @extend_schema(responses=MeasureDetail)
    def retrieve(self, request: Any, code: str) -> Response:
        """One measure."""
        measure = _found(code)
        used = [
            {
                "scheme_code": item.version.scheme.code,
                "version": item.version.number,
                "state": item.version.state,
                "item": item.code,
            }
            for item in library.used_in(code)
        ]
        rule = library.confidence_rule(measure)
        return Response(_row(measure) | {"confidence": rule, "used_in": used})

    @extend_schema(parameters=_QUERY, responses=MeasureValue)
    def value(self, request: Any, code: str) -> Response:
        """The value of a measure for a partner and a period, read now."""
        measure = _found(code)
        asked = _Asked(data=request.query_params, context={"request": request, "view": self})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        line = given.get("product_line")
        found = library.example(
            measure,
            given["partner"],
            given["period"],
            kind=given.get("kind", ""),
            product_line=line.code if line else None,
        )
        if found.problem:
            raise serializers.ValidationError({"period": [found.problem]}, "not_readable")
        return Response(_value(found))


class _Asked(serializers.Serializer):
    """The query of a value."""

    partner = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    partner_code = serializers.CharField(required=False, max_length=60)
    period = serializers.CharField(max_length=10)
    kind = serializers.ChoiceField(choices=SalesKind.choices, required=False)
    product_line = CodeField(ProductLine.objects.all(), "code", required=False)

    def validate_period(self, code: str) -> Any:
        """The period of that code."""
        try:
            return library.parse_period(code)
        except DomainError as error:
            raise serializers.ValidationError(str(error.message), error.code) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        seen = Partner.objects.visible_to(self.context["request"].user)
        code = attrs.get("partner_code", "")
        if "partner" in attrs:
            found = seen.filter(pk=attrs["partner"]).first()
        else:
            found = codes.find(seen, [code], field="code", lost_zeros=False).get(code)
        if found is None:
            missing = CodeField.default_error_messages["does_not_exist"]
            words = missing % {"code": attrs.get("partner", code)}
            raise serializers.ValidationError({"partner": [words]}, "does_not_exist")
        return attrs | {"partner": found}


def _value(found: library.Example) -> dict[str, Any]:
    complete = found.completeness
    return {
        "measure": found.measure.code,
        "partner": found.partner.pk,
        "partner_code": found.partner.code,
        "period": found.period.code,
        "value": _text(found.value),
        "numerator": str(found.numerator),
        "denominator": _text(found.denominator),
        "lines": found.lines,
        "sentence": found.sentence,
        "parts": [{"code": part.code, "value": _text(value)} for part, value in found.parts],
        "completeness": None
        if complete is None
        else {
            "grade": complete.grade,
            "owed": complete.owed,
            "received": complete.received,
            "late": complete.late,
        },
        "sources": [
            {
                "table": source.table,
                "kind": source.kind,
                "starts_on": source.starts_on,
                "ends_before": source.ends_before,
                "product_line": source.product_line,
                "lines": source.lines,
                "net": _text(source.net),
                "url": url,
            }
            for source, url in found.api_links
        ],
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# --- derived measures ------------------------------------------------------------------------


class DerivedMeasureRow(RowSerializer):
    class Meta:
        model = DerivedMeasure
        fields = (
            "id",
            "code",
            "name",
            "name_en",
            "definition",
            "definition_en",
            "expression",
            "unit",
            "higher",
            "places",
            "zero",
            "span",
            "updated_at",
        )


class DerivedMeasureWrite(WriteSerializer):
    class Meta:
        model = DerivedMeasure
        fields = (
            "code",
            "name",
            "name_en",
            "definition",
            "definition_en",
            "expression",
            "unit",
            "higher",
            "places",
            "zero",
            "span",
        )


class DerivedMeasureViewSet(WriteMixin, ScopedViewSet):
    """Measures that users make of others by an expression. What a published scheme uses cannot be
    changed."""

    model = DerivedMeasure
    row_class = detail_class = DerivedMeasureRow
    write_class = DerivedMeasureWrite
    search_fields = ("code", "name", "name_en")
    ordering_fields = {"code": "code", "id": "pk"}
