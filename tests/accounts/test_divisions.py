"""The administrative divisions come whole from the package, and can be loaded again."""

from collections import Counter

import pytest

from accounts.divisions import divisions, load_divisions
from accounts.models import Territory
from core.models import Event


def test_the_package_has_every_division_once():
    rows = [row for layer in divisions() for row in layer]
    levels = Counter(row.level for row in rows)
    assert levels == {"country": 1, "province": 34, "city": 333, "county": 2847}
    assert len({row.code for row in rows}) == len(rows)
    assert all(len(row.code) == 6 and row.code.isdigit() for row in rows[1:])


@pytest.mark.django_db
def test_load_twice_and_mend():
    total = sum(map(len, divisions()))
    assert load_divisions(by=None) == {"created": total, "updated": 0, "unchanged": 0}
    assert load_divisions(by=None) == {"created": 0, "updated": 0, "unchanged": total}
    assert Event.objects.count() == 1
    beijing = Territory.objects.get(code="110000")
    Territory.objects.filter(code="110101").update(name="Elsewhere")
    Territory.objects.filter(code="610100").update(parent=beijing)
    assert load_divisions(by=None) == {"created": 0, "updated": 2, "unchanged": total - 2}
    yanta = Territory.objects.get(code="610113")
    assert [row.name for row in yanta.ancestors()] == ["中国", "陕西省", "西安市"]


@pytest.mark.django_db
def test_what_hangs_directly_on_a_province():
    load_divisions(by=None)
    assert Territory.objects.get(code="110101").parent.name == "北京市"  # a municipality
    assert Territory.objects.get(code="429004").parent.name == "湖北省"  # no prefecture
    assert not Territory.objects.get(code="441900").children.exists()  # a city without counties
    assert not Territory.objects.get(code="710000").children.exists()
    assert Territory.objects.get(code="CN").subtree().count() == sum(map(len, divisions()))
