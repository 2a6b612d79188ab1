"""Files that move branches: each path is that of the parents, whatever the order of the rows."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.models import Territory
from tests.importing.test_load_sales import counts

pytestmark = pytest.mark.django_db
CODES = "ABCDEF"


def load_tree(load, parents):
    rows = "".join(f"{code},{code},{parent}\n" for code, parent in parents)
    return load("territories", "code,name,parent\n" + rows)


def check_paths():
    rows = {row.pk: row for row in Territory.objects.all()}
    for row in rows.values():
        above = rows.get(row.parent_id)
        assert row.path == f"{above.path if above else '/'}{row.pk}/"
        assert row.sort_path == f"{above.sort_path if above else ''}{row.code}\x01"


def test_a_branch_and_its_branch_move_at_once(load):
    load_tree(load, [("X", ""), ("Y", ""), ("A", ""), ("B", "A"), ("C", "B"), ("D", "C")])
    assert counts(load_tree(load, [("B", "X"), ("C", "Y")])) == (2, 0, 2, 0, 0)
    check_paths()


def test_a_long_circle_is_refused(load):
    load_tree(load, [("A", ""), ("B", ""), ("C", "")])
    assert counts(load_tree(load, [("A", "B"), ("B", "C"), ("C", "A")])) == (3, 0, 2, 0, 1)
    check_paths()


# A whole tree in any shape: each place of the order has its parent among those before it.
TREES = st.tuples(st.permutations(CODES), st.lists(st.integers(0, 9), min_size=6, max_size=6))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(TREES, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_any_tree_becomes_any_other_at_once(load, trees, chance):
    for order, picks in trees:
        rows = [
            (code, order[picks[i] % (i + 1)] if picks[i] % (i + 1) < i else "")
            for i, code in enumerate(order)
        ]
        chance.shuffle(rows)
        assert load_tree(load, rows)["rejected"] == 0
        assert dict(Territory.objects.values_list("code", "parent__code")) == {
            code: parent or None for code, parent in rows
        }
        check_paths()
