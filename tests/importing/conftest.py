"""`load(kind, content, *options)` runs the real command on a real file and returns its JSON."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import translation

from tests import factories as make


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    with translation.override("en"):
        yield


@pytest.fixture
def load(db, tmp_path):
    def run(kind, content, *options, name="file.csv", fails=False):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out = io.StringIO()
        try:
            call_command("load", kind, str(path), *options, stdout=out, language="en")
        except SystemExit as stop:
            assert fails and stop.code == 1
        return json.loads(out.getvalue().splitlines()[-1])

    return run


@pytest.fixture
def network(db):
    """A partner P-1 and a product A-1, which the files below name."""
    line = make.make_product_line("Cables", code="CAB")
    return make.make_partner("One", code="P-1"), make.make_product(
        "Cable", code="A-1", product_line=line
    )


def reasons(result):
    """[(row, field, reason)] of the error file."""
    with Path(result["error_file"]).open(encoding="utf-8-sig", newline="") as stream:
        return [(int(row[-3]), row[-2], row[-1]) for row in list(csv.reader(stream))[1:]]
