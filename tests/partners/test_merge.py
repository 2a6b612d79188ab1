"""Merging two partners: everything moves, nothing is lost, history stays."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Sum
from hypothesis import HealthCheck, given, settings, strategies as st

from core import crud
from core.errors import Conflict, DomainError
from core.models import Event
from partners import moves
from partners.credit_code import check_character
from partners.models import Contact, NotDuplicate, Partner
from partners.services import merge_partners
from sales.models import (
    ClosedPeriod,
    FactBefore,
    Payment,
    ProductAlias,
    Report,
    SalesDaily,
    SalesFact,
    Target,
)
from tests import factories as make
from tests.sales.test_rollup import grouped, rollup

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)


def merge(keep, drop, by=None, fields=(), reason="the same company"):
    return merge_partners(keep=keep, drop=drop, by=by, on=TODAY, reason=reason, fields=fields)


@pytest.fixture
def two(cast):
    return make.make_partner("Kept", code="K", territory=cast.north), make.make_partner(
        "Dropped", code="D", territory=cast.south
    )


def sums():
    return (
        SalesFact.objects.aggregate(Count("pk"), Sum("amount"), Sum("quantity")),
        Payment.objects.aggregate(Count("pk"), Sum("amount")),
        SalesDaily.objects.aggregate(Sum("lines"), Sum("net"), Sum("returns"), Sum("quantity")),
    )


def test_everything_moves_and_the_sums_stay(cast, two):
    keep, drop = two
    for partner in two:
        make.make_fact(partner)
        make.make_fact(partner, amount=Decimal("-7.5"), kind="sell_out")
        make.make_payment(partner)
    site, user = make.make_site(drop), make.make_membership(drop).user
    below = make.make_partner(parent=drop)
    before = sums()
    merge(keep, drop, by=cast.director)
    assert sums() == before
    assert rollup() == grouped()
    assert set(SalesDaily.objects.values_list("partner", flat=True)) == {keep.pk}
    for row in (site, below, user.membership):
        row.refresh_from_db()
    assert (site.partner, below.parent, user.membership.partner) == (keep, keep, keep)
    assert below.path == f"/{keep.pk}/{below.pk}/"
    assert list(Partner.objects.visible_to(user)) == [keep]
    drop.refresh_from_db()
    assert (drop.state, drop.merged_into, drop.ended_on) == ("merged", keep, TODAY)
    assert [count for _name, count, why in moves.counts(drop) if not why] == []


def test_the_events_say_what_moved(cast, two):
    keep, drop = two
    make.make_fact(drop)
    make.make_target(keep)
    target = make.make_target(drop)
    merge(keep, drop, by=cast.director, fields=["name"])
    told = Event.objects.filter(verb__in=["partners.partner.merge", "partners.partner.absorb"])
    gone, kept = told.order_by("pk")
    what = {
        "moved": {"sales.salesfact.partner": 1, "sales.target.partner": 0},
        "had": {"sales.target.partner": [str(target)]},
        "fields": ["name"],
    }
    assert gone.data == kept.data == what
    assert gone.changes["merged_into"] == [None, keep.pk]
    assert kept.changes["merged_from"] == [None, drop.pk]
    assert (kept.changes["name"], kept.reason) == (["Kept", "Dropped"], "the same company")
    assert gone.changes["state"] == ["active", "merged"]
    assert gone.actor == kept.actor == cast.director


def test_of_targets_and_aliases_with_the_same_key_those_of_the_kept_partner_stay(two):
    keep, drop = two
    line = make.make_product_line()
    for partner, amount in ((keep, 1), (drop, 2)):
        make.make_target(partner, amount=Decimal(amount))
        make.make_target(partner, amount=Decimal(amount), product_line=line)
    make.make_target(drop, month=date(2026, 2, 1), amount=Decimal(3))
    make.make_alias(keep, code="x", factor=Decimal(1))
    make.make_alias(drop, code="X", factor=Decimal(2))
    make.make_alias(drop, code="y", factor=Decimal(3))
    merge(keep, drop)
    assert sorted(Target.objects.values_list("partner", "amount")) == [
        (keep.pk, 1),
        (keep.pk, 1),
        (keep.pk, 3),
    ]
    assert sorted(ProductAlias.objects.values_list("partner", "code", "factor")) == [
        (keep.pk, "x", 1),
        (keep.pk, "y", 3),
    ]


def test_a_person_at_both_is_kept_once_with_what_either_knew(two):
    keep, drop = two
    make.make_contact(keep, name="王 伟", phone="1", is_primary=True)
    make.make_contact(drop, name="王伟", phone="2", email="w@example.com", role="sales")
    make.make_contact(drop, name="李娜", is_primary=True)
    merge(keep, drop)
    values = ("name", "phone", "email", "role", "is_primary", "partner")
    assert list(Contact.objects.order_by("pk").values_list(*values)) == [
        ("王 伟", "1", "w@example.com", "sales", True, keep.pk),
        ("李娜", "", "", "other", False, keep.pk),
    ]


def test_reports_and_adjustments_follow_the_lines(two):
    keep, drop = two
    rules = [make.make_reporting_rule() for _number in range(2)]
    for rule, partner in ((rules[0], keep), (rules[0], drop), (rules[1], drop)):
        make.make_report(partner, rule=rule)
    report = Report.objects.filter(partner=drop).first()
    fact = make.make_fact(drop, kind=report.kind, occurred_on=report.starts_on)
    assert Report.objects.filter(received_at=None).count() == 1
    closed = ClosedPeriod.objects.create(
        month=report.starts_on.replace(day=1),
        kind=report.kind,
        closed_at=fact.recorded_at,
        net=fact.amount,
        lines=1,
    )
    merge(keep, drop)
    came = Report.objects.order_by("rule").values_list("rule", "partner", "received_at")
    assert [(rule, partner, at is not None) for rule, partner, at in came] == [
        (rule.pk, keep.pk, True) for rule in rules
    ]
    assert list(closed.adjustments.order_by("amount").values_list("partner", "amount")) == [
        (drop.pk, -fact.amount),
        (keep.pk, fact.amount),
    ]


def test_what_is_named_in_lists_is_named_there_afterwards(two):
    keep, drop = two
    rules = [make.make_reporting_rule(name=name) for name in ("both", "one")]
    rules[0].partners.set([keep, drop])
    rules[1].partners.set([drop])
    machine = make.make_user("integration")
    drop.machines.add(machine)
    assert moves.counts(drop) == [("Users", 1, ""), ("Reporting rules", 2, "")]
    merge(keep, drop)
    assert [list(rule.partners.all()) for rule in rules] == [[keep], [keep]]
    assert list(keep.machines.all()) == [machine]


def test_scores_stay_with_whom_they_were_given_to(cast, two):
    keep, drop = two
    evaluation = make.make_evaluation()
    scores = [make.make_score(partner, evaluation=evaluation) for partner in two]
    type(evaluation).objects.filter(pk=evaluation.pk).update(state="published")
    merge(keep, drop)
    for score, partner in zip(scores, two, strict=True):
        score.refresh_from_db()
        assert score.partner == partner


def test_what_stays_with_a_merged_partner_is_still_found(cast, client, two):
    keep, drop = two
    make.make_adjustment(drop)
    merge(keep, drop)
    client.force_login(cast.director)
    page = client.get(f"/sales/adjustments/?partner={drop.pk}")
    assert (page.context["listing"].total, page.context["listing"].errors) == (2, [])
    found = client.get(f"/api/v1/adjustments/?partner={drop.pk}").json()["results"]
    assert {row["partner"] for row in found} == {drop.pk}


def test_the_chosen_values_are_taken(two):
    keep, drop = two
    credit = "91310000DEM00001" + "5"
    drop.credit_code = credit + check_character(credit)
    drop.save()
    kept = merge(keep, drop, fields=["name", "credit_code", "territory"])
    kept.refresh_from_db()
    assert (kept.name, kept.credit_code, kept.territory, kept.code) == (
        "Dropped",
        drop.credit_code,
        drop.territory,
        "K",
    )


def test_a_credit_code_that_was_not_taken_can_be_given_later(cast, two):
    keep, drop = two
    credit = "91310000DEM00001" + "5"
    drop.credit_code = credit + check_character(credit)
    drop.save()
    kept = merge(keep, drop)
    assert kept.credit_code is None
    kept.credit_code = drop.credit_code
    crud.save(kept, by=cast.director)
    assert Partner.objects.get(credit_code=drop.credit_code) == keep


@pytest.mark.parametrize("depth", [1, 2])
def test_a_partner_may_be_merged_into_one_below_it(depth):
    root = make.make_partner("Root")
    top = make.make_partner("Top", parent=root)
    middle = make.make_partner("Middle", parent=top) if depth == 2 else top
    keep = make.make_partner("Low", parent=middle)
    kept = merge(keep, top)
    kept.refresh_from_db()
    assert kept.parent == root
    middle.refresh_from_db()
    assert middle.parent == (keep if depth == 2 else None)
    assert Partner.objects.filter(path="").count() == 0


@pytest.mark.parametrize("depth", [1, 2])
def test_a_partner_may_be_merged_into_one_above_it(depth):
    keep = make.make_partner("Top")
    middle = make.make_partner("Middle", parent=keep) if depth == 2 else keep
    drop = make.make_partner("Low", parent=middle)
    leaf = make.make_partner("Leaf", parent=drop)
    merge(keep, drop)
    leaf.refresh_from_db()
    assert (leaf.parent, leaf.path) == (keep, f"/{keep.pk}/{leaf.pk}/")


def test_a_parent_that_would_close_a_circle_is_refused_and_nothing_done(two):
    keep, _drop = two
    low = make.make_partner(parent=keep)
    with pytest.raises(Conflict) as caught:
        merge(keep, low, fields=["parent"])
    assert caught.value.code == "tree_cycle"
    assert (Partner.objects.filter(state="merged").count(), Event.objects.count()) == (0, 0)


def test_chains_end_at_the_last(cast, two):
    keep, drop = two
    first = make.make_partner(code="F")
    merge(drop, first)
    merge(keep, drop)
    first.refresh_from_db()
    assert first.merged_into == keep


def test_what_was_merged_is_merged_once(two):
    keep, drop = two
    third = make.make_partner()
    merge(keep, drop)
    for into, gone in ((third, drop), (drop, third)):
        with pytest.raises(Conflict) as caught:
            merge(into, gone)
        assert caught.value.code == "merged_already"
    with pytest.raises(Conflict):
        merge(keep, keep)


def test_a_merged_partner_takes_no_changes(two):
    keep, drop = two
    merge(keep, drop)
    drop.refresh_from_db()
    drop.name = "Other"
    with pytest.raises(ValidationError):
        drop.full_clean()


def test_a_merged_partner_stays_merged(cast, two):
    keep, drop = two
    opened = Partner.objects.get(pk=drop.pk)  # in a form, before the merge
    merge(keep, drop)
    with pytest.raises(IntegrityError), transaction.atomic():
        opened.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Partner.objects.filter(pk=drop.pk).delete()
    with pytest.raises(Conflict) as caught:
        crud.delete(Partner.objects.get(pk=drop.pk), by=cast.director)
    assert caught.value.code == "merged"
    drop.refresh_from_db()
    assert (drop.state, drop.merged_into) == ("merged", keep)


def test_a_row_that_names_the_merged_partner_comes_to_the_kept_one(two):
    """A form that was opened before the merge."""
    keep, drop = two
    merge(keep, drop)
    contact, target = make.make_contact(drop), make.make_target(drop)
    child = make.make_partner(parent=drop)
    for row in (contact, target, child):
        row.refresh_from_db()
    assert (contact.partner, target.partner, child.parent) == (keep, keep, keep)


def test_what_is_not_the_same_as_the_one_is_not_the_same_as_the_other(cast, two):
    keep, drop = two
    third = make.make_partner()
    for pair in ((keep, drop), (drop, third)):
        first, second = sorted(pair, key=lambda partner: partner.pk)
        NotDuplicate.objects.create(first=first, second=second, by=cast.director)
    merge(keep, drop)
    assert NotDuplicate.objects.values_list("first", "second").get() == (keep.pk, third.pk)


def test_who_may(cast, two):
    keep, drop = two
    for user in (cast.north_manager, cast.finance, cast.north_person):
        with pytest.raises(PermissionDenied):
            merge(keep, drop, by=user)
    for wrong in ({"reason": " "}, {"fields": ["state"]}):
        with pytest.raises(DomainError):
            merge(keep, drop, by=cast.director, **wrong)
    assert Partner.objects.filter(state="merged").count() == 0


def test_every_key_to_the_partner_moves_or_says_why_not():
    """A new model whose rows could be the same twice has to say how they move."""
    found = {label: moves.rule_of(label) or moves.Rule() for label in moves.relations()}
    undecided = {
        label
        for label, field in moves.relations().items()
        if could_be_twice(field) and not (found[label].move or found[label].stays)
    }
    assert undecided == set()
    assert {label for label, rule in found.items() if rule.stays} == {
        "performance.appeal.partner",
        "performance.backtestresult.partner",
        "performance.consequence.partner",
        "performance.correction.partner",
        "performance.rating.partner",
        "performance.score.partner",
        "performance.scorechange.partner",
        "sales.adjustment.partner",
        "sales.salesdaily.partner",
    }


def could_be_twice(field):
    """Whether a unique constraint or index names the column."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, field.model._meta.db_table)
    return any(one["unique"] and field.column in one["columns"] for one in constraints.values())


AMOUNTS = st.decimals("-1000", "1000", places=4)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 1),
        st.dates(date(2025, 12, 1), date(2026, 1, 5)),
        st.sampled_from(["sell_in", "sell_out"]),
        AMOUNTS,
    ),
    max_size=25,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS)
def test_whatever_the_rows_the_sums_stay(rows):
    with transaction.atomic():
        partners = [make.make_partner() for _number in range(3)]
        products = [
            make.make_product(product_line=make.make_product_line()) for _number in range(2)
        ]
        for who, what, day, kind, amount in rows:
            make.make_fact(
                partners[who], product=products[what], occurred_on=day, kind=kind, amount=amount
            )
        before, third = sums(), own(partners[2])
        merge(partners[0], partners[1])
        assert (sums(), own(partners[2])) == (before, third)
        assert rollup() == grouped()
        assert not SalesFact.objects.filter(partner=partners[1]).exists()
        transaction.set_rollback(True)


def own(partner):
    return list(SalesDaily.objects.filter(partner=partner).order_by("pk").values_list("net"))


def test_facts_from_before_an_import_come_back_at_the_kept_partner(two):
    keep, drop = two
    load = make.make_import(kind="sales")
    fact = make.make_fact(drop)
    row = {"id": fact.pk, "partner_id": drop.pk}
    FactBefore.objects.create(load=load, partner=drop, kind="sales", fact_id=fact.pk, row=row)
    merge(keep, drop)
    kept = FactBefore.objects.get()
    assert (kept.partner, kept.row) == (keep, row | {"partner_id": keep.pk})
