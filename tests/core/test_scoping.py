from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from core.scoping import check_scope_declared, scope_errors
from partners.models import Contact, Partner
from tests import factories as make


def codes(queryset):
    return set(queryset.values_list("code", flat=True))


def test_global_roles_see_all(cast):
    for user in (cast.director, cast.administrator, cast.finance):
        assert codes(Partner.objects.visible_to(user)) == {"NORTH-1", "SOUTH-1"}


def test_a_manager_sees_the_subtree_of_the_territory(cast):
    city = make.make_territory("City", parent=cast.north, level="city")
    make.make_partner(territory=city, code="CITY-1")
    assert codes(Partner.objects.visible_to(cast.north_manager)) == {"NORTH-1", "CITY-1"}
    assert codes(Partner.objects.visible_to(cast.south_manager)) == {"SOUTH-1"}


def test_an_owner_sees_the_partner_outside_the_territory(cast):
    cast.south_partner.owner = cast.north_manager
    cast.south_partner.save()
    assert codes(Partner.objects.visible_to(cast.north_manager)) == {"NORTH-1", "SOUTH-1"}


def test_a_manager_without_territory_sees_nothing(cast):
    assert codes(Partner.objects.visible_to(cast.stranger)) == set()


def test_partner_people_see_their_own_and_below_only_where_allowed(cast):
    below = make.make_partner(parent=cast.north_partner, territory=cast.south, code="SUB-1")
    member = cast.north_person.membership
    assert codes(Partner.objects.visible_to(cast.north_person)) == {"NORTH-1"}
    member.include_sub_partners = True
    member.save()
    assert codes(Partner.objects.visible_to(cast.north_person)) == {"NORTH-1", below.code}


def test_anonymous_and_inactive_users_see_nothing(cast):
    cast.director.is_active = False
    for user in (AnonymousUser(), cast.director):
        assert codes(Partner.objects.visible_to(user)) == set()
        assert not User.objects.visible_to(user).exists()


def test_other_models_follow_their_path(cast):
    north = make.make_contact(cast.north_partner)
    make.make_contact(cast.south_partner)
    assert list(Contact.objects.visible_to(cast.north_manager)) == [north]


def test_a_partner_person_sees_no_colleague_of_the_vendor_or_of_another_partner(cast):
    assert list(User.objects.visible_to(cast.north_person)) == [cast.north_person]


def test_every_model_of_the_house_declares_its_scope():
    assert check_scope_declared() == []


def test_the_check_refuses_a_model_that_declares_nothing():
    class Undeclared(models.Model):  # noqa: DJ008 (nobody prints it)
        class Meta:
            app_label = "core"
            managed = False

    assert [error.id for error in scope_errors(Undeclared)] == ["core.E001"]
