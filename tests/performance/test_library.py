"""The library of measures: its pages, its API, and the measures that users make."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from performance import measures
from performance.library import pages as library
from performance.models import DerivedMeasure
from performance.schemes.validation import problems
from performance.selectors import score_rows, scorecard
from performance.services import evaluate, publish_version
from tests import factories as make
from tests.performance.measures_page import make_books
from tests.performance.network import LINEAR, TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, IntegrityError)
ABSENT = [code for code, measure in measures.REGISTRY.items() if measure.absent]


@pytest.fixture
def director(client, cast):
    client.force_login(cast.director)
    return client


def listed(client, **query):
    response = client.get(reverse("performance:measure_list"), query)
    return [row["measure"].code for row in response.context["rows"]]


def text_of(client, name, *args, **query):
    return client.get(reverse(f"performance:{name}", args=args), query).content.decode()


# --- the list ------------------------------------------------------------------------------


def test_the_list_has_every_measure(director):
    make.make_derived_measure(code="through_rate")
    assert listed(director) == [
        *(code for code in measures.REGISTRY if code not in ABSENT),
        "through_rate",
        *ABSENT,
    ]


def test_the_list_is_narrowed(director):
    make.make_derived_measure(code="through_rate", name="Sell-through rate")
    assert listed(director, q="PAYMENT late") == ["payment_days_late", "payment_days_late_ytd"]
    assert listed(director, availability="made") == ["through_rate"]
    assert listed(director, availability="absent") == ABSENT
    assert listed(director, unit="months") == ["active_months", "active_months_ytd"]
    assert listed(director, source="training") == ["certified_staff", "training_completion"]
    to_date = listed(director, span="year_to_date")
    assert to_date == [code for code in measures.REGISTRY if code.endswith("_ytd")]
    assert listed(director, q="nothing like this") == []
    assert "Nothing matches." in text_of(director, "measure_list", q="nothing like this")


def test_the_list_takes_as_many_queries_for_three_as_for_one(
    director, django_assert_max_num_queries
):
    for count in (1, 3):
        for _number in range(count):
            make.make_derived_measure()
        with django_assert_max_num_queries(5):
            listed(director)


# --- one measure ---------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("code", measures.REGISTRY)
def test_every_measure_has_a_page_with_everything_it_declares(director, cast, code, language):
    session = director.session
    session["language"] = language
    session.save()
    response = director.get(reverse("performance:measure_detail", args=[code]))
    measure = measures.REGISTRY[code]
    page = response.content.decode()
    with translation.override(language):
        for words in (measure.label, measure.definition, measures.UNIT_LABELS[measure.unit]):
            assert str(words) in response.context["title"] or str(words) in page.replace(
                "&#x27;", "'"
            )
        facts = [label for label, _words in library.facts(measure)]
        assert [label for label, _words in response.context["facts"]] == facts
        assert len(facts) == 10 and all(words for _label, words in library.facts(measure))
        assert str(measure.absent or "example") in page
    assert ("example" in response.context) is not bool(measure.absent)


def test_no_such_measure(director):
    assert director.get(reverse("performance:measure_detail", args=["nothing"])).status_code == 404


def test_the_page_of_a_derived_measure_is_that_of_its_row(director):
    row = make.make_derived_measure(code="through_rate")
    response = director.get(reverse("performance:measure_detail", args=["through_rate"]))
    assert response.url == row.get_absolute_url()
    page = director.get(row.get_absolute_url()).content.decode()
    assert "Net sell-through ÷ Net sell-in" in page
    for part in ("sell_through_net", "sell_in_net"):
        assert reverse("performance:measure_detail", args=[part]) in page


def test_where_a_measure_is_used(director):
    make.make_derived_measure(code="through_rate", name="Through rate")
    make_scheme([("sell_in_net", 100, "peer_median", LINEAR)], publish=False)
    page = text_of(director, "measure_detail", "sell_in_net")
    assert "Through rate" in page and "seven" in page
    assert "No scheme uses it yet." in text_of(director, "measure_detail", "growth_qoq")


# --- the example ---------------------------------------------------------------------------


def test_an_example_says_what_the_measure_is_of_a_partner(director):
    partner = make_books()
    page = text_of(
        director, "measure_example", "target_attainment", partner=partner.pk, period="2013Q3"
    )
    assert "116.7\u00a0%" in page
    assert "net sales 3,501 ÷ target 3,000 = 116.7" in page
    assert "See 5 sales lines from 2013-07-01" in page
    assert "See 5 targets from 2013-07-01" in page
    through = text_of(
        director,
        "measure_example",
        "target_attainment",
        partner=partner.pk,
        period="2013Q3",
        kind="sell_through",
    )
    assert "net sales 2,000 ÷ target 2,500 = 80" in through


def test_an_example_says_when_it_does_not_apply_or_is_too_short(director):
    partner = make_books()
    missing = text_of(
        director,
        "measure_example",
        "target_attainment",
        partner=partner.pk,
        period="2013Q3",
        kind="sell_out",
    )
    assert "It does not apply." in missing and "nothing to divide by" in missing
    short = text_of(
        director, "measure_example", "monthly_variation", partner=partner.pk, period="2013-08"
    )
    assert "says something of a quarter or a year only" in short
    nonsense = text_of(
        director, "measure_example", "sell_in_net", partner=partner.pk, period="2013Q9"
    )
    assert "Choose a partner and a period." in nonsense


def test_the_links_of_an_example_list_the_rows(director):
    partner = make_books()
    for code in (
        "growth_yoy",
        "growth_qoq",
        "payment_timeliness",
        "reporting_timeliness",
        "decided_cases",
    ):
        response = director.get(
            reverse("performance:measure_example", args=[code]),
            {"partner": partner.pk, "period": "2013Q3"},
        )
        for source, href in response.context["links"]:
            found = director.get(href).context["listing"].total
            assert (code, found) == (code, source.lines)
            assert source.lines > 0


def test_what_was_chosen_holds_on_the_next_measure(director):
    partner = make_books()
    text_of(director, "measure_example", "sell_in_net", partner=partner.pk, period="2013Q2")
    response = director.get(reverse("performance:measure_detail", args=["active_months"]))
    example = response.context["example"]
    assert (example.partner, example.period.code, example.value) == (partner, "2013Q2", 1)


def test_the_example_of_a_manager_is_of_partners_they_see(client, cast):
    client.force_login(cast.north_manager)
    address = reverse("performance:measure_example", args=["sell_in_net"])
    shown = client.get(address, {"partner": cast.north_partner.pk, "period": "2026Q1"})
    assert shown.context["example"].partner == cast.north_partner
    hidden = client.get(address, {"partner": cast.south_partner.pk, "period": "2026Q1"})
    assert hidden.context["example"] is None
    assert "Southern" not in hidden.content.decode()


def test_the_grade_of_an_example_is_that_of_the_days_it_reads(director):
    partner = make_books()
    address = reverse("performance:measure_example", args=["sell_through_net"])
    query = {"partner": partner.pk, "period": "2013Q3"}
    assert "A" in str(director.get(address, query).context["grade"])
    assert (
        director.get(reverse("performance:measure_example", args=["collection"]), query).context[
            "grade"
        ]
        == ""
    )


# --- measures that users make --------------------------------------------------------------

TYPED = {
    "code": "through_rate",
    "name": "动销率",
    "name_en": "Sell-through rate",
    "unit": "ratio",
    "definition": "Sell-through ÷ sell-in.",
    "expression": "sell_through_net/sell_in_net",
    "span": "period",
    "places": "4",
    "zero": "zero",
    "higher": "on",
}


def made(client, **typed):
    return client.post(reverse("performance:derivedmeasure_create"), TYPED | typed)


def test_a_measure_is_made_and_evaluated(director):
    assert made(director).status_code == 302
    row = DerivedMeasure.objects.get()
    assert row.expression == "sell_through_net ÷ sell_in_net"
    partner = make_books()
    make_scheme([("through_rate", 100, "none", LINEAR)])
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    told = {row["partner"]: row["through_rate.value"] for row in score_rows(evaluation)}
    # 2000 ÷ 3501; who bought nothing has 0, as it says
    assert told.pop("EXAMPLE") == "0.5713"
    assert set(told) == {"NORTH-1", "SOUTH-1", "IN-EAST", "IN-WEST", "IN-TOWN"}
    assert set(told.values()) == {"0.0000"}
    line = scorecard(evaluation.scores.get(partner=partner))[0]
    assert line.stored["parts"] == [["sell_through_net", "2000.0000"], ["sell_in_net", "3501.0000"]]
    assert line.sentence.startswith("Net sell-through 2,000 ÷ Net sell-in 3,501 = 57.13\u00a0%")
    assert line.stored["lines"] == 7
    score = evaluation.scores.get(partner=partner)
    page = director.get(reverse("performance:score_detail", args=[score.pk])).content.decode()
    assert "Sell-through rate" in page and "See 5 sales lines" in page and "See 2 sales" in page


def test_a_page_reads_derived_measures_once(director):
    make_network()
    codes = [make.make_derived_measure().code for _number in range(5)]
    version = make_scheme([(code, 20, "none", LINEAR) for code in codes])
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    score = evaluation.scores.get(partner__code="A")
    for name, pk in (("score_detail", score.pk), ("schemeversion_detail", version.pk)):
        address = reverse(f"performance:{name}", args=[pk])
        with CaptureQueriesContext(connection) as queries:
            assert director.get(address).status_code == 200
        read = [q for q in queries if 'FROM "performance_derivedmeasure"' in q["sql"]]
        assert (name, len(read)) == (name, 1)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"expression": "sell_in_net + active_months"}, "cannot be added, subtracted or compared"),
        ({"expression": "nothing_here ÷ sell_in_net"}, "There is no measure “nothing_here”."),
        ({"expression": "days_of_cover ÷ 2", "unit": "days"}, "It needs the inventory app"),
        ({"expression": "sell_in_net ÷ 0", "unit": "currency"}, "nothing can be divided by it"),
        ({"expression": "sell_in_net"}, "Choose that as its unit."),
        ({"expression": "through_rate + 1"}, "It goes round in a circle"),
        ({"expression": "growth_qoq", "span": "year_to_date"}, "cannot be read to date"),
        ({"code": "sell_in_net"}, "This code means something else already."),
        ({"code": "preview"}, "This code means something else already."),
        ({"code": "coalesce"}, "This code means something else already."),
        ({"code": "lambda"}, "This code means something else already."),
        ({"code": "Ümlaut"}, "Lower-case letters, digits and “_”"),
        ({"places": "7"}, "less than or equal to 6"),
        (
            {"expression": "+".join([f"({'+'.join(['sell_in_net'] * 9)})"] * 4)},
            "longer than 500",
        ),
    ],
)
def test_what_is_wrong_is_said_on_the_form(director, typed, said):
    response = made(director, **typed)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not DerivedMeasure.objects.exists()


def test_what_would_break_another_is_refused(director):
    base = make.make_derived_measure(
        code="kept", expression="sell_in_net − collection", unit="currency"
    )
    make.make_derived_measure(code="above", name="Above", expression="kept ÷ sell_in_net")
    edit = reverse("performance:derivedmeasure_edit", args=[base.pk])
    wrong = TYPED | {"code": "kept", "expression": "active_months", "unit": "months"}
    response = director.post(edit, wrong)
    assert response.status_code == 422
    assert "“Above” is made of it." in response.content.decode()
    circle = TYPED | {"code": "kept", "expression": "above × sell_in_net", "unit": "currency"}
    assert "goes round in a circle" in director.post(edit, circle).content.decode()
    deep = make.make_derived_measure(code="deep", expression="above + 1")
    assert not measures.problems_of(deep)
    deeper = DerivedMeasure(code="deeper", name="Deeper", expression="deep + 1", unit="ratio")
    assert [each.code for each in measures.problems_of(deeper)] == ["nested"]


def test_the_preview_shows_what_an_expression_gives(director):
    partner = make_books()
    query = {"partner": partner.pk, "period": "2013Q3", "unit": "ratio", "zero": "zero"}
    shown = text_of(
        director, "measure_preview", expression="collection / sell_in_net", places="3", **query
    )
    assert "64.3\u00a0%" in shown and "Collection 2,250 ÷ Net sell-in 3,501" in shown
    wrong = text_of(director, "measure_preview", expression="collection /", **query)
    assert "It cannot be read." in wrong
    to_date = text_of(
        director,
        "measure_preview",
        expression="collection ÷ 1",
        span="year_to_date",
        **query | {"unit": "currency"},
    )
    assert "2,650" in to_date


def test_a_derived_measure_of_a_published_version_cannot_be_changed(director):
    make_network()
    base = make.make_derived_measure(
        code="kept", expression="sell_in_net − collection", unit="currency"
    )
    above = make.make_derived_measure(code="above", expression="kept ÷ sell_in_net")
    make_scheme([("above", 100, "none", LINEAR)])
    for row in (base, above):
        for sql in (
            "UPDATE performance_derivedmeasure SET expression = '1' WHERE id = %s",
            "UPDATE performance_derivedmeasure SET zero = 'zero' WHERE id = %s",
            "UPDATE performance_derivedmeasure SET span = 'year_to_date' WHERE id = %s",
            "UPDATE performance_derivedmeasure SET places = 2 WHERE id = %s",
            "UPDATE performance_derivedmeasure SET code = 'x' WHERE id = %s",
            "DELETE FROM performance_derivedmeasure WHERE id = %s",
        ):
            with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql, [row.pk])
        DerivedMeasure.objects.filter(pk=row.pk).update(name="Another name")
        edit = reverse("performance:derivedmeasure_edit", args=[row.pk])
        form = director.get(edit).context["form"]
        typed = {name: form[name].value() for name in form.fields if form[name].value()}
        refused = director.post(edit, typed | {"places": "2"})
        assert refused.status_code in (409, 422)
        assert director.post(edit, typed | {"name": "A third name"}).status_code == 302
        director.post(reverse("performance:derivedmeasure_delete", args=[row.pk]))
    assert DerivedMeasure.objects.count() == 2


def test_what_a_draft_uses_is_changed_but_not_taken_away(director):
    row = make.make_derived_measure(code="used")
    make_scheme([("used", 100, "none", LINEAR)], publish=False)
    with pytest.raises(REFUSED), transaction.atomic():
        row.delete()
    row.places = 2
    row.save()
    director.post(reverse("performance:derivedmeasure_delete", args=[row.pk]))
    assert DerivedMeasure.objects.count() == 1
    free = make.make_derived_measure(code="free")
    director.post(reverse("performance:derivedmeasure_delete", args=[free.pk]))
    assert not DerivedMeasure.objects.filter(code="free").exists()


# --- in schemes ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ABSENT)
def test_what_is_absent_can_be_neither_chosen_nor_published(code):
    offered = [each for _source, rows in measures.offered() for each, _label in rows]
    assert code not in offered
    version = make_scheme([(code, 100, "none", LINEAR)], publish=False)
    assert "measure_absent" in [each.code for each in problems(version)]


def test_the_definition_of_a_version_tells_what_decides_a_derived_value():
    make.make_derived_measure(code="kept", expression="sell_in_net − collection", unit="currency")
    make.make_derived_measure(code="above", expression="kept ÷ sell_in_net", places=3)
    assert measures.frozen_derived("above") == {
        "derived": {
            "expression": "kept ÷ sell_in_net",
            "unit": "ratio",
            "higher": True,
            "places": 3,
            "zero": "not_applicable",
            "span": "period",
            "uses": {
                "kept": {
                    "expression": "sell_in_net − collection",
                    "unit": "currency",
                    "higher": True,
                    "places": 6,
                    "zero": "not_applicable",
                    "span": "period",
                    "uses": {},
                }
            },
        }
    }
    assert measures.frozen_derived("sell_in_net") == {}


def test_the_digest_follows_the_expression():
    make_network()
    row = make.make_derived_measure(code="rate", expression="sell_through_net ÷ sell_in_net")
    version = make_scheme([("rate", 100, "none", LINEAR)], publish=False)
    digests = []
    for expression in ("sell_through_net ÷ sell_in_net", "sell_through_net * 1 ÷ sell_in_net"):
        row.expression = expression
        row.save()
        if not digests:
            copy = make_scheme([("rate", 100, "none", LINEAR)], code="copy", publish=False)
        digests.append(measures.frozen_derived("rate")["derived"]["expression"])
    assert digests[0] != digests[1]
    publish_version(version=version, by=None, on=TODAY)
    publish_version(version=copy, by=None, on=TODAY)
    first, again = (
        evaluate(scheme_code=code, period="2013Q3", by=None, on=TODAY) for code in ("seven",) * 2
    )
    assert first.digest == again.digest


def test_a_line_is_of_no_use_to_a_measure_that_knows_none():
    version = make_scheme([("collection", 100, "peer_median", LINEAR)], publish=False)
    version.items.update(product_line=make.make_product_line())
    assert "line_unused" in [each.code for each in problems(version)]


# --- the API -------------------------------------------------------------------------------


def api(client, name, *args, **query):
    return client.get(reverse(f"api:{name}", args=args), query)


def test_the_api_lists_measures(director):
    make.make_derived_measure(code="through_rate", places=3)
    rows = {row["code"]: row for row in api(director, "measure-list").json()["results"]}
    assert set(rows) == {*measures.REGISTRY, "through_rate"}
    assert rows["through_rate"] | {"label": "", "definition": ""} == {
        "code": "through_rate",
        "label": "",
        "definition": "",
        "unit": "ratio",
        "higher_is_better": True,
        "source": "own",
        "needs": ["sales"],
        "grain": "any",
        "zero": "not_applicable",
        "kind": None,
        "by_product_line": True,
        "span": "period",
        "available": True,
        "unavailable_because": "",
        "expression": "sell_through_net ÷ sell_in_net",
        "places": 3,
    }
    assert not rows["satisfaction"]["available"]
    assert rows["satisfaction"]["unavailable_because"]
    detail = api(director, "measure-detail", "sell_through_net").json()
    assert detail["confidence"].startswith("A, B or C") and detail["used_in"] == []
    assert api(director, "measure-detail", "nothing").status_code == 404


def test_the_api_tells_the_value_of_a_measure(director):
    partner = make_books()
    make.make_derived_measure(code="through_rate")
    query = {"partner_code": "example", "period": "2013Q3"}
    value = api(director, "measure-value", "growth_yoy", **query).json()
    sources = value.pop("sources")
    assert value == {
        "measure": "growth_yoy",
        "partner": partner.pk,
        "partner_code": "EXAMPLE",
        "period": "2013Q3",
        "value": "0.750500",
        "numerator": "3501.0000",
        "denominator": "2000.0000",
        "lines": 5,
        "sentence": "(net sales 3,501 − last year’s 2,000) ÷ 2,000 = 75.05\u00a0%",
        "parts": [],
        "completeness": None,
    }
    assert [(s["table"], s["starts_on"], s["lines"], s["net"]) for s in sources] == [
        ("sales", "2013-07-01", 5, "3501.0000"),
        ("sales", "2012-07-01", 1, "2000.0000"),
    ]
    for source in sources:
        assert len(director.get(source["url"]).json()["results"]) == source["lines"]
    made_value = api(director, "measure-value", "through_rate", **query).json()
    assert made_value["parts"] == [
        {"code": "sell_through_net", "value": "2000.0000"},
        {"code": "sell_in_net", "value": "3501.0000"},
    ]
    assert Decimal(made_value["value"]) == Decimal("0.571265")
    assert made_value["completeness"]["owed"] == 3


@pytest.mark.parametrize(
    ("code", "query", "field"),
    [
        ("sell_in_net", {"period": "2013Q3", "partner_code": "none"}, "partner"),
        ("sell_in_net", {"period": "2013Q9", "partner_code": "EXAMPLE"}, "period"),
        ("sell_in_net", {"partner_code": "EXAMPLE"}, "period"),
        ("monthly_variation", {"period": "2013-08", "partner_code": "EXAMPLE"}, "period"),
        ("satisfaction", {"period": "2013Q3", "partner_code": "EXAMPLE"}, "period"),
    ],
)
def test_the_api_says_what_is_wrong(director, code, query, field):
    make_books()
    response = api(director, "measure-value", code, **query)
    assert response.status_code == 400
    assert [each["field"] for each in response.json()["errors"]] == [field]


def test_another_territory_is_no_partner_for_the_api(client, cast):
    client.force_login(cast.north_manager)
    query = {"partner": cast.south_partner.pk, "period": "2026Q1"}
    assert api(client, "measure-value", "sell_in_net", **query).status_code == 400


def test_the_api_makes_derived_measures_by_the_same_rules(director):
    address = reverse("api:derivedmeasure-list")
    body = {key: value for key, value in TYPED.items() if key != "higher"} | {"places": 4}
    created = director.post(address, body, content_type="application/json")
    assert created.status_code == 201
    assert created.json()["expression"] == "sell_through_net ÷ sell_in_net"
    wrong = director.post(
        address,
        body | {"code": "other", "expression": "sell_in_net + line_breadth"},
        content_type="application/json",
    )
    assert wrong.status_code == 400
    assert [each["field"] for each in wrong.json()["errors"]] == ["expression"]
