import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from core import audit, context, crud
from core.errors import Conflict, NotVisible
from core.models import Event
from partners.models import Partner
from tests import factories as make


def test_saving_leaves_one_event_with_the_difference(cast):
    partner = cast.north_partner
    partner.name = "Northern Trade & Co"
    crud.save(partner, by=cast.director)
    event = Event.objects.get()
    assert event.verb == "partners.partner.updated"
    assert event.changes["name"] == ["Northern Trading", "Northern Trade & Co"]
    assert set(event.changes) == {"name", "pinyin"}
    assert (event.actor, event.object, event.scope_id) == (cast.director, partner, partner.pk)


def test_saving_without_a_change_leaves_no_event(cast):
    crud.save(cast.north_partner, by=cast.director)
    assert Event.objects.count() == 0


def test_creating_tells_what_was_given_and_not_what_was_empty(cast):
    partner = Partner(code="NEW", name="New", territory=cast.north)
    crud.save(partner, by=cast.director)
    assert Event.objects.get().changes == {
        "code": [None, "NEW"],
        "name": [None, "New"],
        "pinyin": [None, "new new"],
        "channel_type": [None, "distributor"],
        "territory": [None, cast.north.pk],
        "state": [None, "prospect"],
    }


def test_a_row_must_stay_visible_to_its_writer(cast):
    partner = Partner.objects.get(pk=cast.north_partner.pk)
    partner.territory = cast.south
    with pytest.raises(NotVisible):
        crud.save(partner, by=cast.north_manager)
    partner.refresh_from_db()
    assert partner.territory == cast.north
    assert Event.objects.count() == 0


def test_deleting_what_others_need_is_refused_with_their_names(cast):
    with translation.override("en"):
        with pytest.raises(Conflict) as caught:
            crud.delete(cast.north, by=cast.administrator)
        assert caught.value.code == "protected"
        assert "partners (1)" in str(caught.value)
        assert crud.delete_plan(cast.north).protected == [("partners", 1)]


def test_deleting_tells_what_goes_along_and_keeps_the_last_values(cast):
    make.make_contact(cast.north_partner)
    with translation.override("en"):
        plan = crud.delete_plan(cast.north_partner)
        assert plan.cascades == [("contacts", 1), ("portal accesses", 1)]
    key = cast.north_partner.pk
    crud.delete(cast.north_partner, by=cast.director, reason="duplicate")
    event = Event.objects.get()
    assert (event.verb, event.object_id, event.reason) == (
        "partners.partner.deleted",
        key,
        "duplicate",
    )
    assert event.changes["code"] == ["NORTH-1", None]
    assert not Partner.objects.filter(pk=key).exists()


@pytest.mark.parametrize(
    "statement", ["UPDATE core_event SET reason = 'x'", "DELETE FROM core_event"]
)
def test_the_database_refuses_to_change_history(cast, statement):
    audit.record("partners.partner.updated", cast.north_partner, by=None)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.count() == 1


def test_an_unknown_verb_is_refused(cast):
    with pytest.raises(ValueError, match="unknown verb"):
        audit.record("partners.partner.frobnicated", cast.north_partner, by=None)


def test_many_events_share_the_request_and_its_source(cast):
    with context.use(source="import", request_id="r-12345678"):
        audit.record_many(
            [("partners.partner.updated", p, {}) for p in Partner.objects.all()], by=cast.finance
        )
    assert set(Event.objects.values_list("source", "request_id")) == {("import", "r-12345678")}
    assert Event.objects.count() == 2


def test_events_follow_the_partner_they_belong_to(cast):
    audit.record("partners.partner.updated", cast.north_partner, by=None)
    audit.record("partners.partner.updated", cast.south_partner, by=None)
    audit.record("accounts.territory.updated", cast.north, by=None)
    seen = Event.objects.visible_to(cast.north_manager)
    assert [event.object for event in seen] == [cast.north_partner]
    assert Event.objects.visible_to(cast.director).count() == 3
