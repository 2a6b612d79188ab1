import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Territory
from tests.factories import make_territory

pytestmark = pytest.mark.django_db


def paths():
    return {t.name: t.path for t in Territory.objects.all()}


def test_the_path_leads_from_the_root_to_the_row():
    root = make_territory("root")
    child = make_territory("child", parent=root)
    leaf = make_territory("leaf", parent=child)
    assert leaf.path == f"/{root.pk}/{child.pk}/{leaf.pk}/"
    assert leaf.depth == 2
    assert [t.name for t in leaf.ancestors()] == ["root", "child"]
    assert {t.name for t in child.subtree()} == {"child", "leaf"}


def test_rows_written_in_bulk_get_their_path_too():
    root = make_territory("root")
    rows = Territory.objects.bulk_create(
        [Territory(code=f"B{n}", name=f"b{n}", parent=root) for n in range(3)]
    )
    assert {row.path for row in Territory.objects.filter(parent=root)} == {
        f"/{root.pk}/{row.pk}/" for row in rows
    }


def test_moving_a_row_takes_its_subtree_along():
    a, b = make_territory("a"), make_territory("b")
    child = make_territory("child", parent=a)
    leaf = make_territory("leaf", parent=child)
    child.parent = b
    child.save()
    leaf.refresh_from_db()
    assert leaf.path == f"/{b.pk}/{child.pk}/{leaf.pk}/"
    assert {t.name for t in b.subtree()} == {"b", "child", "leaf"}
    assert {t.name for t in a.subtree()} == {"a"}


def test_rows_sort_below_their_parent_by_code_whatever_is_moved_or_renamed():
    a, b = make_territory("a", code="a"), make_territory("b", code="B")
    make_territory("b2", code="2", parent=b)
    b1 = make_territory("b1", code="1", parent=b)
    make_territory("b10", code="10", parent=b)
    make_territory("leaf", code="0", parent=b1)
    order = Territory.objects.order_by("sort_path").values_list("name", flat=True)
    assert list(order.all()) == ["a", "b", "b1", "leaf", "b10", "b2"]
    Territory.objects.filter(pk=b1.pk).update(code="3")
    assert list(order.all()) == ["a", "b", "b10", "b2", "b1", "leaf"]
    Territory.objects.filter(pk=b1.pk).update(parent=a)
    assert list(order.all()) == ["a", "b1", "leaf", "b", "b10", "b2"]


def test_the_database_refuses_a_row_below_itself_even_by_sql():
    root = make_territory("root")
    child = make_territory("child", parent=root)
    before = paths()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_territory SET parent_id = %s WHERE id = %s", [child.pk, root.pk]
        )
    assert paths() == before


def test_similar_keys_are_not_taken_for_descendants():
    roots = [make_territory(f"r{n}") for n in range(12)]
    assert [t.name for t in roots[0].subtree()] == ["r0"]
