import pytest
from django.contrib.auth.models import Group, Permission

from accounts.roles import PERMISSIONS, Role, codenames
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def known_permissions():
    return {
        f"{app}.{name}"
        for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }


def test_every_line_of_the_table_names_permissions_that_exist():
    known = known_permissions()
    for role in PERMISSIONS:
        assert codenames(role) - known == set()


def test_groups_are_a_copy_of_the_table():
    for role in Role:
        group = Group.objects.get(name=role.value)
        held = {
            f"{app}.{name}"
            for app, name in group.permissions.values_list("content_type__app_label", "codename")
        }
        assert held == codenames(role)


def test_permissions_come_from_the_role_without_a_query(django_assert_num_queries):
    user = make_user("finance")
    with django_assert_num_queries(0):
        assert user.has_perm("sales.view_salesfact")
        assert not user.has_perm("partners.change_partner")


def test_the_group_follows_the_role():
    user = make_user("finance")
    user.role = "director"
    user.save()
    assert [group.name for group in user.groups.all()] == ["director"]


def test_an_inactive_user_has_no_permission():
    user = make_user("director", is_active=False)
    assert not user.has_perm("partners.view_partner")
    assert user.get_all_permissions() == set()
