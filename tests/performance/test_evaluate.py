"""Evaluations on real rows: the numbers, the digest, revisions, and what is refused."""

import csv
import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from core.errors import Blocked, Conflict, DomainError
from core.models import Event
from performance import run
from performance.models import Evaluation, Scheme
from performance.selectors import score_rows, scorecard, sources
from performance.services import draft_version, evaluate, publish_evaluation, publish_version
from sales.models import SalesFact
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme
from tests.performance.test_engine_split import make_ruled

pytestmark = pytest.mark.django_db


def evaluated(period="2013Q3", scheme="seven", **fields):
    return evaluate(scheme_code=scheme, period=period, by=None, on=TODAY, **fields)


def values(evaluation, partner):
    row = next(row for row in score_rows(evaluation) if row["partner"] == partner)
    return {name: row[name] for name in row if name.endswith(".value")}


def test_values_of_every_measure():
    make_network()
    make_scheme()
    evaluation = evaluated()
    assert values(evaluation, "A") == {
        "sell_in_net.value": "3501.0000",
        "target_attainment.value": "1.400400",
        "growth_yoy.value": "0.750500",
        "focus_line_share.value": "0.285776",
        "active_months.value": "2",
        "line_breadth.value": "2",
        "return_rate.value": "0.124969",
    }
    assert values(evaluation, "B") == {
        "sell_in_net.value": "20.0000",
        "target_attainment.value": "0.500000",
        "growth_yoy.value": None,
        "focus_line_share.value": "2.500000",
        "active_months.value": "1",
        "line_breadth.value": "1",
        "return_rate.value": "0.866667",
    }
    assert values(evaluation, "C")["growth_yoy.value"] == "-1.000000"
    assert values(evaluation, "D") == {
        "sell_in_net.value": "0.0000",
        "target_attainment.value": None,
        "growth_yoy.value": None,
        "focus_line_share.value": None,
        "active_months.value": "0",
        "line_breadth.value": "0",
        "return_rate.value": None,
    }


def test_sums_equal_plain_sql():
    make_network()
    make_scheme()
    evaluation = evaluated()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.code, coalesce(sum(f.amount), 0), count(f.id) FROM partners_partner p "
            "LEFT JOIN sales_salesfact f ON f.partner_id = p.id AND f.kind = 'sell_in' "
            "AND f.occurred_on >= '2013-07-01' AND f.occurred_on < '2013-10-01' GROUP BY p.code"
        )
        expected = {code: (net, lines) for code, net, lines in cursor.fetchall()}
    found = {
        score.partner.code: (Decimal(score.items[0]["value"]), score.items[0]["lines"])
        for score in evaluation.scores.select_related("partner")
    }
    assert found == expected
    assert evaluation.watermark["kinds"] == {"sell_in": {"lines": 6, "net": "3521.0000"}}


def test_targets_shown_and_peer_median():
    make_network()
    make_scheme()
    rows = {row["partner"]: row for row in score_rows(evaluated())}
    assert rows["A"]["target_attainment.target"] == "2500.00"
    assert rows["B"]["target_attainment.target"] == "40.00"
    assert rows["D"]["target_attainment.target"] is None
    # the median of 3501 and 20: partners without sales are no peers
    assert rows["A"]["sell_in_net.target"] == "1760.5000"
    assert rows["B"]["sell_in_net.points"] == "1.1360"


def test_rank_total_and_level():
    make_network()
    gold = make.make_level(code="g", rank=901)
    silver = make.make_level(code="s", rank=900)
    make_scheme(
        [("sell_in_net", 100, "peer_median", {"kind": "proportional"})],
        levels=[(gold, 100), (silver, 1)],
    )
    rows = [tuple(row.values())[:4] for row in score_rows(evaluated())]
    assert rows == [
        ("A", "100.00", "1", "g"),
        ("B", "1.14", "2", "s"),
        ("C", "0.00", "3", None),
        ("D", "0.00", "3", None),
    ]


def test_product_line_filter_and_its_targets():
    partners = make_network()
    version = make_scheme(
        [
            ("sell_in_net", 50, "none", {"kind": "linear", "points": [["0", "0"], ["9", "100"]]}),
            ("target_attainment", 50, "none", {"kind": "proportional"}),
        ],
        publish=False,
    )
    focus = partners["A"].targets.get(product_line__isnull=False).product_line
    version.items.update(product_line=focus)
    publish_version(version=version, by=None, on=TODAY)
    evaluation = evaluated()
    assert values(evaluation, "A") == {
        "sell_in_net.value": "1000.5001",
        "target_attainment.value": "2.501250",
    }
    score = evaluation.scores.get(partner=partners["A"])
    line = scorecard(score)[0]
    assert [(s.lines, s.net) for s in sources(score, line.definition)] == [
        (1, Decimal("1000.5001"))
    ]


def test_scope_by_state_type_level_and_territory():
    land = make.make_territory()
    town = make.make_territory(parent=land)
    gold = make.make_level(code="g")
    wanted = make.make_partner(territory=town, level=gold, channel_type="agent")
    make.make_partner(territory=town, level=gold, channel_type="dealer")
    make.make_partner(territory=town, channel_type="agent")
    make.make_partner(territory=make.make_territory(), level=gold, channel_type="agent")
    make.make_partner(territory=town, level=gold, channel_type="agent", state="exited")
    scope = {
        "states": ["active"],
        "channel_types": ["agent"],
        "levels": ["g"],
        "territories": [land.code],
    }
    assert run.scope_partners(scope) == [(wanted.pk, wanted.code)]


def test_quarterly_basic_is_there_after_migrate():
    make_network()
    rows = {row["partner"]: row for row in score_rows(evaluated(scheme="quarterly-basic"))}
    assert list(rows["A"])[:4] == ["partner", "total", "rank", "level"]
    assert [name for name in rows["A"] if name.endswith(".points")] == [
        "sell_in_net.points",
        "target_attainment.points",
        "growth_yoy.points",
        "line_breadth.points",
    ]
    # (40 × 99.5456 + 30 × 120 + 15 × 100 + 15 × 73.3333) ÷ 100
    assert (rows["A"]["total"], rows["A"]["rank"], rows["A"]["level"]) == (
        "101.82",
        "1",
        "platinum",
    )


# --- the digest ----------------------------------------------------------------------------


def test_a_rerun_of_the_same_inputs_has_the_same_digest():
    make_network()
    make_scheme()
    first = evaluated()
    again = evaluated()
    assert (again.pk, again.digest) == (first.pk, first.digest)
    assert again.scores.count() == 4


def test_the_digest_knows_no_keys_and_no_order():
    make_network()
    make_scheme()
    digest = evaluated().digest
    rows = list(SalesFact.objects.order_by("-pk").values())
    SalesFact.objects.all().delete()
    for row in rows:
        row.pop("id")
    SalesFact.objects.bulk_create(SalesFact(**row) for row in rows)
    assert evaluated().digest == digest


def test_one_cent_more_is_another_digest():
    partners = make_network()
    make_scheme()
    digest = evaluated().digest
    make.make_fact(partners["D"], occurred_on=date(2013, 8, 1), amount=Decimal("0.01"))
    assert evaluated().digest != digest


# --- life ----------------------------------------------------------------------------------


def test_after_publishing_a_rerun_is_a_new_revision():
    make_network()
    make_scheme()
    first = evaluated(publish=True)
    second = evaluated(reason="A file came late")
    assert (first.state, first.revision, second.state, second.revision) == (
        "published",
        1,
        "computed",
        2,
    )
    assert first.digest == second.digest
    verbs = Event.objects.of(first).values_list("verb", flat=True)
    assert set(verbs) == {"performance.evaluation.publish", "performance.evaluation.computed"}


def test_a_period_in_the_future_is_refused():
    make_network()
    make_scheme()
    with pytest.raises(DomainError) as caught:
        evaluated("2014Q2")
    assert caught.value.code == "period_in_future"
    assert not Evaluation.objects.exists()


def test_a_running_period_is_computed_but_not_published():
    make_network()
    make_scheme()
    with pytest.raises(DomainError) as caught:
        evaluated("2014Q1", publish=True)
    assert caught.value.code == "period_not_over"
    provisional = evaluated("2014Q1")
    with pytest.raises(Blocked) as blocked:
        publish_evaluation(evaluation=provisional, by=None, on=TODAY)
    assert [problem.code for problem in blocked.value.problems] == ["period_not_over"]


@pytest.mark.parametrize(
    ("scheme", "period", "code"),
    [("nothing", "2013Q3", "unknown_scheme"), ("seven", "2013Q5", "bad_period")],
)
def test_what_does_not_exist(scheme, period, code):
    make_network()
    make_scheme()
    with pytest.raises(DomainError) as caught:
        evaluated(period, scheme)
    assert caught.value.code == code


def test_a_scheme_without_published_version():
    make_scheme(publish=False)
    with pytest.raises(DomainError) as caught:
        evaluated()
    assert caught.value.code == "no_published_version"


def test_what_fails_leaves_nothing_but_the_reason(monkeypatch):
    make_network()
    make_scheme()
    kept = evaluated()

    def full(cursor, buffer, columns):
        raise OSError("disk full")

    monkeypatch.setattr(run, "_copy", full)
    with pytest.raises(OSError, match="disk full"):
        evaluated()
    kept.refresh_from_db()
    assert (kept.state, kept.scores.count()) == ("failed", 4)
    failed = Event.objects.of(kept).first()
    assert (failed.verb, failed.data) == ("performance.evaluation.failed", {"error": "disk full"})
    monkeypatch.undo()
    assert evaluated().state == "computed"


def test_a_new_version_retires_the_old_one():
    make_network()
    old = make_scheme()
    new = draft_version(scheme=old.scheme, by=None)
    assert new.items.count() == 7
    new = publish_version(version=new, by=None, on=TODAY)
    old.refresh_from_db()
    assert (old.state, new.state, new.number) == ("retired", "published", 2)
    assert evaluated().scheme_version == new
    with pytest.raises(Conflict):
        publish_version(version=old, by=None, on=TODAY)


# --- commands ------------------------------------------------------------------------------


def command(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_commands(settings):
    make_network()
    make_scheme()
    result = json.loads(command("evaluate", "seven", "2013Q3", publish=True))
    assert list(result) == ["evaluation", "partners", "digest", "seconds"]
    assert result["partners"] == 4
    header, first, *rest = command("scores", str(result["evaluation"])).splitlines()
    assert header.startswith("partner,total,rank,level,sell_in_net.value,sell_in_net.target,")
    assert first.startswith("A,") and len(rest) == 3
    listed = json.loads(command("scores", str(result["evaluation"]), format="json"))
    assert [row["partner"] for row in listed["scores"]] == ["A", "B", "C", "D"]
    told = json.loads(command("explain", str(result["evaluation"]), "a", language="en"))
    growth = told["items"][2]
    assert [(s["lines"], s["net"]) for s in growth["sources"]] == [
        (3, "3501.0000"),
        (1, "2000.0000"),
    ]
    assert growth["why"] == (
        "(net sales 3,501 − last year’s 2,000) ÷ 2,000 = 75.05\u00a0%; on the line from "
        "0\u00a0% → 60 to 15\u00a0% → 100: 60 + (75.05\u00a0% − 0\u00a0%) ÷ (15\u00a0% − 0\u00a0%) "
        "× (100 − 60) = 260.1333, capped at 100"
    )
    with connection.cursor() as cursor:
        cursor.execute(growth["sources"][0]["sql"])
        assert len(cursor.fetchall()) == 3


def test_scores_are_printed_with_what_the_rules_made_of_them():
    """By a version with a bonus, a deduction, a veto (B has given back more than it bought) and
    levels that were reached before."""
    partners = make_network()
    make_ruled()
    people = {"entered_by": make.make_user(), "decided_by": make.make_user()}
    make.make_deduction(partners["A"], decided_on="2013-08-01", points=Decimal("6.5"), **people)
    evaluation = evaluated(scheme="ruled")
    number = str(evaluation.pk)
    listed = json.loads(command("scores", number, format="json"))["scores"]
    beyond = ["base", "bonus", "deducted", "vetoes", "held"]
    assert [list(row)[-5:] for row in listed] == [beyond] * 4
    told = {row["partner"]: [row["total"], row["level"], *map(row.get, beyond)] for row in listed}
    for score in evaluation.scores.select_related("partner", "level"):
        exact = [None if each is None else str(each) for each in (score.total, score.base)]
        level = score.level and score.level.code
        assert told[score.partner.code] == [
            *(exact[0], level, exact[1], str(score.bonus), str(score.deducted)),
            *(score.vetoes, score.held or None),
        ]
    assert told["A"][4] == "6.50"
    assert told["B"][5:] == [["returns"], "veto"]
    assert told["C"][5:] == [[], None]
    rows = list(csv.DictReader(StringIO(command("scores", number))))
    assert [[row["total"], row["level"], *(row[name] for name in beyond)] for row in rows] == [
        ["" if each is None else " ".join(each) if isinstance(each, list) else each for each in row]
        for row in told.values()
    ]


def test_commands_refuse_in_one_json_line(capsys):
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("evaluate", "seven", "2013Q3", stdout=out)
    assert stopped.value.code == 1
    assert json.loads(out.getvalue())["error"] == "unknown_scheme"


def test_seeded_scheme_has_no_problems():
    from performance.schemes.validation import problems

    assert problems(Scheme.objects.get(code="quarterly-basic").current()) == []
