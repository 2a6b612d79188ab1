"""What the loader of master data says became of each row."""

import io
import json

import pytest

from core.importing import records
from partners.models import Partner
from tests import factories as make

pytestmark = pytest.mark.django_db
TAXED = "91350100M000100Y43"


def partner(code, name="Name", territory="T", credit_code=""):
    return {"code": code, "name": name, "territory": territory, "credit_code": credit_code}


def load(*rows, **options):
    text = io.BytesIO(json.dumps(rows).encode())
    said = {"lines": False, "most": 100, "name": "x", "sha256": "", "by": None}
    loaded = records.load("partners", text, **said, **options)
    return loaded.outcomes, loaded.rejects


@pytest.mark.parametrize("dry_run", [True, False])
def test_each_row_has_its_outcome_or_is_refused(dry_run):
    make.make_territory(code="T")
    load(partner("A"), partner("B"), partner("C", credit_code=TAXED))
    outcomes, rejects = load(
        partner("a"),
        partner("B", "Other"),
        partner("NEW"),
        partner("total", "", ""),  # would be left out of a file as the totals of its columns
        partner("NEW"),
        partner("NEW", "Otherwise"),
        partner("D", credit_code=TAXED),
        partner("D", credit_code=TAXED),
        dry_run=dry_run,
    )
    assert outcomes == {1: "unchanged", 2: "updated", 3: "created", 5: "unchanged"}
    assert rejects == {
        4: [("name", "This field is required."), ("territory", "The cell is empty.")],
        6: [("code", "The row repeats row 3 with other values.")],
        7: [("credit_code", "Another record has this value already.")],
        8: [("code", "The row repeats row 7, which was rejected.")],
    }
    assert Partner.objects.count() == (3 if dry_run else 4)
