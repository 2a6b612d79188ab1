"""What a scheme can say beyond weights, on real rows: ratings, other schemes, deductions, vetoes,
minima, levels that are held; and that no order of anything changes a digest."""

import hashlib
import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from partners.models import Level, Partner
from performance.definitions import definition
from performance.explain import outcome_sentences
from performance.models import Score
from performance.schemes import files
from performance.selectors import scorecard
from performance.services import evaluate
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, IntegrityError)
AS_IT_IS = {"kind": "linear", "points": [["0", "0"], ["100", "100"]]}
NET = {
    "code": "net",
    "measure": "sell_in_net",
    "target_source": "fixed",
    "target": "1000",
    "weight": "100",
    "curve": {"kind": "proportional"},
}
SERVICE = {
    "code": "service",
    "basis": "rating",
    "name": "Service",
    "weight": "40",
    "anchors": {"1": "bad", "3": "fair", "5": "good"},
    "curve": {"kind": "linear", "points": [["1", "0"], ["5", "100"]]},
}


def card(*items, code="card", **more):
    """A published scheme."""
    document = {"format": files.FORMAT, "code": code, "name": code, "items": list(items)}
    loaded = files.load(files.parse(document | more), by=None, publish=True, on=TODAY)
    return loaded.version


def evaluated(period="2013Q3", scheme="card", **options):
    options.setdefault("reason", "Once more")  # for what is published already
    return evaluate(scheme_code=scheme, period=period, by=None, on=TODAY, **options)


def outcomes(evaluation):
    """{partner: (total, level, held)}"""
    rows = evaluation.scores.values_list("partner__code", "total", "level__code", "held")
    return {
        code: (None if total is None else str(total), level, held)
        for code, total, level, held in rows
    }


def said(evaluation, partner):
    score = evaluation.scores.select_related("level", "level_before").get(partner__code=partner)
    return outcome_sentences(definition(evaluation.scheme_version), score)


# --- ratings -----------------------------------------------------------------------------------


def test_ratings_count_from_the_number_of_raters_asked_for():
    partners = make_network()
    card(NET | {"weight": "60"}, SERVICE, windows={"rating_days": 10})
    evaluation = evaluated()
    for code, marks in (("A", (4, 5)), ("B", (3,)), ("C", (1, 1, 2))):
        for mark in marks:
            make.make_rating(evaluation, partners[code], item_code="service", mark=mark)
    make.make_rating(evaluation, partners["D"], item_code="another", mark=5)
    again = evaluated()
    assert again.pk == evaluation.pk
    assert {code: total for code, (total, _level, _held) in outcomes(again).items()} == {
        "A": "95.00",  # 0.6 × 100 + 0.4 × 87.5
        "B": "2.00",  # one mark: the weight is shared
        "C": "3.33",  # 0.4 × 8.3333
        "D": "0.00",
    }
    assert again.watermark["ratings"] == 7
    score = again.scores.get(partner=partners["C"])
    line = scorecard(score)[1]
    assert line.stored["value"] == "1.333333"
    assert "marks sum to 4 ÷ 3 raters = 1.333333" in line.sentence
    lacking = scorecard(again.scores.get(partner=partners["B"]))[1].sentence
    assert lacking == (
        "Too few people have rated it. Marks: 1, needed: 2. "
        "Its weight is shared among the other items."
    )


def test_ratings_of_what_is_published_stay():
    partners = make_network()
    card(NET | {"weight": "60"}, SERVICE, windows={"rating_days": 10})
    evaluation = evaluated()
    rating = make.make_rating(evaluation, partners["A"], item_code="service")
    evaluated(publish=True)
    copied = (
        "INSERT INTO performance_rating (evaluation_id, item_code, partner_id, rater_id, mark, "
        "evidence, file, created_at) SELECT evaluation_id, 'x', partner_id, rater_id, 3, '', '', "
        "now() FROM performance_rating"
    )
    changed, gone = "UPDATE performance_rating SET mark = 4", "DELETE FROM performance_rating"
    for sql in (changed, gone, copied):
        with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    rating.refresh_from_db()
    assert rating.mark == 3


@pytest.mark.parametrize("mark", [1, 5])
def test_the_extremes_need_evidence(mark):
    partners = make_network()
    card(NET | {"weight": "60"}, SERVICE, windows={"rating_days": 10})
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_rating(evaluated(), partners["A"], item_code="service", mark=mark, evidence="")


# --- results of another scheme -----------------------------------------------------------------


def year(*items, **more):
    return card(
        {
            "code": "quarters",
            "basis": "scores",
            "source_scheme": "seven",
            "source_items": list(items),
            "weight": "100",
            "curve": AS_IT_IS,
        },
        code="year",
        **more,
    )


def test_the_mean_of_the_quarters_takes_last_revisions_inside_the_year():
    partners = make_network()
    make_scheme()
    evaluated("2012Q3", "seven", publish=True)
    evaluated("2013Q3", "seven", publish=True)
    make.make_fact(partners["B"], occurred_on=date(2013, 9, 1), amount=Decimal(500))
    third = evaluated("2013Q3", "seven", publish=True)
    fourth = evaluated("2013Q4", "seven", publish=True)
    evaluated("2013Q2", "seven")  # not published
    assert third.revision == 2
    year()
    evaluation = evaluated("2013", "year")
    assert evaluation.watermark["schemes"] == {"seven": [third.pk, fourth.pk]}
    for score in evaluation.scores.select_related("partner"):
        totals = Score.objects.filter(evaluation__in=[third, fourth], partner=score.partner)
        found = [total for total in totals.values_list("total", flat=True) if total is not None]
        mean = sum(found) / len(found)
        assert Decimal(score.items[0]["value"]) == mean.quantize(Decimal("0.0001"))
        assert score.items[0]["denominator"] == str(len(found))


def test_the_mean_of_named_items():
    make_network()
    make_scheme()
    quarter = evaluated("2013Q3", "seven", publish=True)
    year("growth_yoy", "active_months")
    evaluation = evaluated("2013", "year")
    expected = {}
    for score in quarter.scores.select_related("partner"):
        named = [i for i in score.items if i["code"] in ("growth_yoy", "active_months")]
        applying = [(Decimal(i["weight"]), Decimal(i["points"])) for i in named if i["points"]]
        weights = sum(weight for weight, _points in applying)
        mean = sum(weight * points for weight, points in applying) / weights
        expected[score.partner.code] = str(mean.quantize(Decimal("0.0001")))
    found = {s.partner.code: s.items[0]["value"] for s in evaluation.scores.all()}
    assert found == expected
    assert len(set(expected.values())) > 2


def test_without_a_published_quarter_it_does_not_apply():
    make_network()
    make_scheme()
    evaluated("2013Q3", "seven")
    year()
    evaluation = evaluated("2013", "year")
    assert set(outcomes(evaluation).values()) == {(None, None, "")}
    assert scorecard(evaluation.scores.first())[0].sentence.startswith(
        "The other scheme has no published result in the period."
    )


# --- deductions, vetoes, minima ----------------------------------------------------------------


def test_decided_deductions_of_the_period_count_up_to_the_cap():
    partners = make_network()
    card(NET, deduction_cap="5")
    judge = make.make_user("director")
    for code, day, points, verdict in (
        ("A", (2013, 7, 1), "3", "decided"),  # the first day
        ("A", (2013, 9, 30), "4", "decided"),  # the last
        ("A", (2013, 10, 1), "9", "decided"),  # the day after
        ("A", (2013, 8, 1), "10", "proposed"),
        ("B", (2013, 8, 1), "1.5", "rejected"),
        ("C", (2013, 8, 1), "1", "decided"),
    ):
        make.make_deduction(
            partners[code],
            decided_on=date(*day),
            points=Decimal(points),
            state=verdict,
            decided_by=None if verdict == "proposed" else judge,
        )
    evaluation = evaluated()
    rows = evaluation.scores.values_list("partner__code", "base", "deducted", "total")
    assert {code: tuple(map(str, row)) for code, *row in rows} == {
        "A": ("100.00", "5.00", "95.00"),
        "B": ("2.00", "0.00", "2.00"),
        "C": ("0.00", "1.00", "0.00"),
        "D": ("0.00", "0.00", "0.00"),
    }
    assert evaluation.watermark["deductions"] == "8.00"
    assert said(evaluation, "A") == [
        "The weighted items give 100.",
        "Deductions: − 5 (at most 5 count).",
        "Total: 95.",
    ]
    assert said(evaluation, "B") == []


@pytest.mark.parametrize(
    ("effect", "expected"),
    [("no_level", ("2.00", None, "veto")), ("zero", ("0.00", "bronze", "veto"))],
)
def test_a_veto(effect, expected):
    make_network()
    veto = {"code": "returns", "name": "Many returns", "measure": "return_rate"}
    card(
        NET,
        vetoes=[veto | {"side": "above", "bound": "0.5", "effect": effect}],
        levels=[{"level": "bronze", "min_total": "0"}],
    )
    evaluation = evaluated()
    found = outcomes(evaluation)
    assert found["B"] == expected
    assert found["A"] == ("100.00", "bronze", "")
    assert found["D"] == ("0.00", "bronze", "")  # without sales the measure has no value
    assert evaluation.scores.get(partner__code="B").vetoes == ["returns"]
    assert "Veto “Many returns” — Return rate above 50\u00a0%" in said(evaluation, "B")[1]


def test_a_minimum_takes_the_level_and_leaves_the_total():
    make_network()
    card(
        NET | {"weight": "50"},
        {
            "code": "growth",
            "measure": "growth_yoy",
            "weight": "50",
            "curve": {"kind": "linear", "points": [["-1", "0"], ["0", "60"]]},
            "minimum": "60",
        },
        levels=[{"level": "bronze", "min_total": "0"}],
    )
    evaluation = evaluated()
    assert outcomes(evaluation) == {
        "A": ("100.00", "bronze", ""),
        "B": ("2.00", "bronze", ""),  # no year before: it does not apply
        "C": ("0.00", None, "minimum"),
        "D": ("0.00", "bronze", ""),
    }
    assert said(evaluation, "C")[-1] == (
        "“Growth year on year” has 0 and needs at least 60 points, so there is no level."
    )


# --- levels before -----------------------------------------------------------------------------

RISING = {
    "levels": [
        {"level": "gold", "min_total": "80"},
        {"level": "silver", "min_total": "50"},
    ],
    "grace": 1,
}


def test_levels_are_forgiven_lost_and_reached_again():
    make_network()
    own = Partner.objects.filter(code="A")
    own.update(level=Level.objects.get(code="gold"))
    card(NET, **RISING)

    def of_a(period, **options):
        evaluation = evaluated(period, publish=True, **options)
        score = evaluation.scores.select_related("level", "level_before").get(partner__code="A")
        names = [row and row.code for row in (score.level_before, score.level)]
        return (*names, score.held)

    assert of_a("2013Q1") == ("gold", "gold", "grace")  # from the level it has
    assert of_a("2013Q2") == ("gold", None, "")  # forgiven once already
    assert of_a("2013Q3") == (None, "gold", "")  # whoever has none is placed freely
    own.update(level=None)
    assert of_a("2013Q1") == ("gold", "gold", "grace")  # a revision starts where the first did


def test_at_most_so_many_levels_at_once():
    make_network()
    Partner.objects.filter(code__in="AB").update(level=Level.objects.get(code="silver"))
    card(
        NET,
        levels=[
            {"level": "platinum", "min_total": "90"},
            {"level": "gold", "min_total": "80"},
            {"level": "silver", "min_total": "50", "keep_total": "2"},
        ],
        most_steps_up=1,
    )
    evaluation = evaluated()
    assert outcomes(evaluation) == {
        "A": ("100.00", "gold", "steps"),
        "B": ("2.00", "silver", "keep"),
        "C": ("0.00", None, ""),
        "D": ("0.00", None, ""),
    }
    assert said(evaluation, "A")[-1] == "Levels rise by at most 1 at once: from Silver to Gold."
    assert said(evaluation, "B")[-1] == "Silver is kept: 2 is enough to keep it."


# --- the digest --------------------------------------------------------------------------------

WHOLE = {
    "items": [
        NET | {"weight": "60"},
        SERVICE,
        {
            "code": "extra",
            "role": "bonus",
            "measure": "line_breadth",
            "weight": "5",
            "curve": {"kind": "bands", "bands": [[None, "0"], ["2", "100"]]},
        },
    ],
    "vetoes": [
        {
            "code": "returns",
            "name": "Returns",
            "measure": "return_rate",
            "side": "above",
            "bound": "0.3",
        }
    ],
    "levels": [{"level": "gold", "min_total": "60", "keep_total": "50"}],
    "deduction_cap": "20",
    "windows": {"rating_days": 10},
}


def test_the_digest_of_a_whole_card_can_be_worked_out_from_what_is_stored():
    partners = make_network()
    card(*WHOLE["items"], **{k: v for k, v in WHOLE.items() if k != "items"})
    make.make_deduction(
        partners["A"], decided_on=date(2013, 8, 1), decided_by=make.make_user("director")
    )
    evaluation = evaluated()
    head = {
        "definition": definition(evaluation.scheme_version),
        "period": "2013Q3",
        "start": "2013-07-01",
    }
    text = json.dumps(head, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.code, s.total, s.rank, l.code, s.items, s.base, s.bonus, s.deducted, "
            "s.vetoes::text, s.held, b.code FROM performance_score s "
            "JOIN partners_partner p ON p.id = s.partner_id "
            "LEFT JOIN partners_level l ON l.id = s.level_id "
            "LEFT JOIN partners_level b ON b.id = s.level_before_id "
            'WHERE s.evaluation_id = %s ORDER BY p.code COLLATE "C"',
            [evaluation.pk],
        )
        for row in cursor.fetchall():
            text += "\t".join(str(cell) for cell in row) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == evaluation.digest


facts = st.tuples(
    st.sampled_from("PQR"),
    st.sampled_from(["ONE", "TWO"]),
    st.integers(0, 91),
    st.integers(-50_000, 200_000).map(lambda cents: Decimal(cents) / 100),
)
marks = st.tuples(st.sampled_from("PQR"), st.integers(2, 4))
costs = st.tuples(st.sampled_from("PQR"), st.integers(1, 20).map(lambda n: Decimal(n) / 2))


def digest_of(partners, rows, rated, cases):
    """The digest over a network that is made in the order of the arguments, and of a rerun."""
    with transaction.atomic():
        made = {code: make.make_partner(code=code) for code in partners}
        lines = {code: make.make_product_line(code=code) for code in ("ONE", "TWO")}
        goods = {code: make.make_product(product_line=line) for code, line in lines.items()}
        card(*WHOLE["items"], **{k: v for k, v in WHOLE.items() if k != "items"})
        for partner, line, day, amount in rows:
            make.make_fact(
                made[partner],
                product=goods[line],
                occurred_on=date.fromordinal(date(2013, 7, 1).toordinal() + day),
                amount=amount,
            )
        judge = make.make_user("director")
        for partner, points in cases:
            make.make_deduction(
                made[partner], decided_on=date(2013, 8, 1), points=points, decided_by=judge
            )
        evaluation = evaluated()
        for partner, mark in rated:
            make.make_rating(evaluation, made[partner], item_code="service", mark=mark)
        digests = [evaluated().digest for _ in range(2)]
        totals = sorted(evaluation.scores.values_list("partner__code", "total", "rank", "held"))
        transaction.set_rollback(True)
    assert digests[0] == digests[1]
    return digests[0], totals


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(facts, max_size=8),
    rated=st.lists(marks, max_size=6),
    cases=st.lists(costs, max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_no_order_of_partners_facts_marks_and_cases_changes_anything(rows, rated, cases, random):
    shuffled = [random.sample(each, len(each)) for each in (list("PQR"), rows, rated, cases)]
    assert digest_of("PQR", rows, rated, cases) == digest_of(*shuffled)
