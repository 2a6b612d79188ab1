from datetime import date

import pytest
from django.core.exceptions import PermissionDenied

from core import workflow
from core.errors import Blocked, Conflict
from core.models import Event
from partners.models import Partner
from tests import factories as make

TODAY = date(2026, 11, 23)


@pytest.fixture
def newcomer(cast):
    return make.make_partner(territory=cast.north, state="onboarding")


def test_fire_runs_saves_and_records(cast, newcomer):
    newcomer.owner = cast.north_manager
    newcomer.save()
    make.make_contact(newcomer)
    row = workflow.fire(newcomer, "activate", by=cast.north_manager, on=TODAY)
    assert (row.state, row.started_on) == ("active", TODAY)
    event = Event.objects.get()
    assert event.verb == "partners.partner.activate"
    assert event.changes == {
        "state": ["onboarding", "active"],
        "started_on": [None, "2026-11-23"],
    }


def test_blockers_are_all_listed_and_nothing_changes(cast, newcomer):
    with pytest.raises(Blocked) as caught:
        workflow.fire(newcomer, "activate", by=cast.director, on=TODAY)
    assert [problem.code for problem in caught.value.problems] == ["no_owner", "no_contact"]
    assert Partner.objects.get(pk=newcomer.pk).state == "onboarding"
    assert Event.objects.count() == 0


def test_the_button_is_grey_for_the_same_reasons(cast, newcomer):
    option = {o.name: o for o in workflow.options(newcomer, cast.director)}["activate"]
    assert [problem.code for problem in option.problems] == ["no_owner", "no_contact"]


def test_a_wrong_state_is_a_conflict(cast, newcomer):
    with pytest.raises(Conflict) as caught:
        workflow.fire(newcomer, "resume", by=cast.director, on=TODAY)
    assert caught.value.code == "wrong_state"


def test_the_state_is_read_under_the_lock_not_from_the_object_in_hand(cast, newcomer):
    stale = Partner.objects.get(pk=newcomer.pk)
    workflow.fire(newcomer, "leave", by=cast.director, on=TODAY, reason="bankrupt")
    with pytest.raises(Conflict):
        workflow.fire(stale, "leave", by=cast.director, on=TODAY, reason="bankrupt")


def test_a_reason_is_asked_for_where_it_is_needed(cast):
    with pytest.raises(Blocked) as caught:
        workflow.fire(cast.north_partner, "suspend", by=cast.director, on=TODAY, reason="  ")
    assert [problem.field for problem in caught.value.problems] == ["reason"]


def test_without_the_permission_nothing_is_offered_or_done(cast):
    assert workflow.options(cast.north_partner, cast.finance) == []
    with pytest.raises(PermissionDenied):
        workflow.fire(cast.north_partner, "suspend", by=cast.finance, on=TODAY, reason="x")


def test_buttons_come_in_the_order_of_the_lifecycle():
    assert workflow.names(Partner) == [
        "onboard",
        "activate",
        "suspend",
        "resume",
        "leave",
        "reopen",
        "merge",
    ]


def test_the_state_cannot_be_written_past_the_workflow(cast):
    with pytest.raises(AttributeError):
        cast.north_partner.state = "exited"


def test_a_partner_with_others_below_cannot_leave(cast):
    make.make_partner(parent=cast.north_partner)
    with pytest.raises(Blocked) as caught:
        workflow.fire(cast.north_partner, "leave", by=cast.director, on=TODAY, reason="x")
    assert [problem.code for problem in caught.value.problems] == ["has_sub_partners"]
