"""`load(kind, content, *options)` runs the real command on a real file and returns its JSON."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import translation

from core.importing import errorfile
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
def page(client, cast, django_capture_on_commit_callbacks):
    """Posts and runs the jobs that a worker would run."""
    make.make_product(code="A-1")
    client.force_login(cast.north_manager)

    def post(name, *args, **data):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(reverse(f"core:{name}", args=args), data)

    return post


@pytest.fixture
def network(db):
    """A partner P-1 and a product A-1, which the files below name."""
    line = make.make_product_line("Cables", code="CAB")
    return make.make_partner("One", code="P-1"), make.make_product(
        "Cable", code="A-1", product_line=line
    )


def reasons(result):
    """[(row, field, reason)] of the error file, which has one line a row."""
    with Path(result["error_file"]).open(encoding="utf-8-sig", newline="") as stream:
        header, *lines = csv.reader(stream)
    told = [line[len(header) - errorfile.WIDTH : len(header)] for line in lines]
    assert len({place for place, _fields, _reasons in told}) == len(told)
    return [
        (errorfile.row_of(place), field, reason)
        for place, fields, reasons in told
        for field, reason in zip(fields.split(" | "), reasons.split(" | "), strict=True)
    ]
