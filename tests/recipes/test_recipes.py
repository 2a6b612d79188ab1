"""The recipes of docs/recipes, run as they are written, against sums made with csv and Decimal."""

import csv
import gzip
import io
import json
import re
import shlex
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Sum
from django.db.models.functions import TruncQuarter

from sales.models import SalesDaily, SalesFact

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"
RECIPES = Path(settings.BASE_DIR) / "docs" / "recipes"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the data sets are not there: {DATA}"),
]


def commands(recipe, folder):
    """The `load` and `evaluate` commands of a recipe, its loops unrolled."""
    block = re.search(r"```sh\n(.*?)```", (RECIPES / recipe).read_text(), re.S).group(1)
    lines = [line.strip() for line in block.splitlines() if line.strip() and line[0] != "#"]
    loop = None
    for line in lines:
        if found := re.fullmatch(r"for (\w+) in (.*); do", line):
            loop = found.group(1), found.group(2).split()
        elif line == "done":
            loop = None
        else:
            for value in loop[1] if loop else [""]:
                text = line.replace(f"${loop[0]}", value) if loop else line
                _program, *words = shlex.split(text.replace("$DATA", str(DATA / folder)))
                yield words


def run(words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


def quarter(text):
    day = date.fromisoformat(text)
    return f"{day.year}Q{(day.month + 2) // 3}"


def rows_of(path):
    with (gzip.open if path.suffix == ".gz" else open)(
        path, "rt", encoding="utf-8", newline=""
    ) as stream:
        yield from csv.DictReader(stream)


def expected_sums(paths, partner, day, amount, keep=lambda row: True):
    sums = defaultdict(Decimal)
    for path in paths:
        for row in rows_of(path):
            if keep(row):
                sums[row[partner], quarter(row[day])] += Decimal(row[amount])
    return dict(sums)


def rollup_sums():
    rows = (
        SalesDaily.objects.annotate(start=TruncQuarter("day"))
        .values_list("partner__code", "start")
        .annotate(total=Sum("net"))
    )
    return {(code, quarter(start.isoformat())): total for code, start, total in rows}


def scores_of(evaluation):
    out = io.StringIO()
    call_command("scores", str(evaluation), "--format", "json", stdout=out)
    text = out.getvalue()
    rows = json.loads(text if text.lstrip().startswith("[") else text.splitlines()[-1])
    return rows["scores"] if isinstance(rows, dict) else rows


def check_scores(results, expected, partners):
    """Every partner of the scope is there, and its sell-in is the sum of its rows."""
    for period, result in results.items():
        rows = scores_of(result["evaluation"])
        assert len(rows) == partners
        for row in rows:
            value = row["sell_in_net.value"]
            assert Decimal(value or 0) == expected.get((str(row["partner"]), period), 0), (
                period,
                row,
            )


def play(recipe, folder):
    """Run a recipe; returns the results of its loads and, by period, of its evaluations."""
    loads, evaluations = [], {}
    for words in commands(recipe, folder):
        result = run(words)
        if words[0] == "load":
            loads.append((result["rows"], result["created"], result["rejected"]))
        else:
            evaluations[words[2]] = result
    return loads, evaluations


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def test_adventureworks():
    loads, evaluations = play("adventureworks.md", "adventureworks-dw")
    assert loads == [
        (11, 4, 0),
        (11, 7, 0),
        (11, 11, 0),
        (655, 655, 0),
        (4, 4, 0),
        (37, 37, 0),
        (606, 397, 209),
        (701, 701, 0),
        (60855, 60855, 0),
    ]
    path = DATA / "adventureworks-dw" / "FactResellerSales.csv.gz"
    expected = expected_sums([path], "ResellerKey", "OrderDate", "SalesAmount")
    assert rollup_sums() == expected
    assert len(evaluations) == 13
    check_scores(evaluations, expected, partners=701)


def test_iowa():
    loads, evaluations = play("iowa-liquor.md", "iowa-liquor-dev")
    assert loads == [
        (128, 1, 0),
        (128, 2, 0),
        (6482, 49, 0),
        (6482, 6482, 0),
        (128, 128, 0),
        (256301, 256300, 1),
        (12419, 12419, 0),
    ]
    folder = DATA / "iowa-liquor-dev"
    products = {row["Item Number"] for row in rows_of(folder / "products.csv")}
    expected = expected_sums(
        [folder / "sales_history.csv.gz", folder / "sales_2022-10.csv"],
        "Store Number",
        "Date",
        "Sale (Dollars)",
        keep=lambda row: row["Item Number"] in products,
    )
    assert rollup_sums() == expected
    assert SalesFact.objects.filter(quantity__lt=0).count() == 22
    assert len(evaluations) == 8
    check_scores(evaluations, expected, partners=128)
