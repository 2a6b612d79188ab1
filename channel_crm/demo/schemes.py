"""Schemes beside `quarterly-basic`: a richer one in force, an example with a draft that changes it;
and the schedules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from core import crud
from core.periods import Period
from performance import services
from performance.backtest.services import keep_backtest
from performance.models import EvaluationSchedule, Scheme, SchemeVersion
from performance.schemes import examples, files

BASIC, RICH, CARD = "quarterly-basic", "channel-quarterly", "quarterly-distributor"
_FILE = Path(__file__).with_name(f"{RICH}.json")


def make_rich_scheme(*, by: Any, on: date) -> SchemeVersion:
    """Load and publish the scheme. Raises Blocked when its definition does not hold."""
    wanted = files.parse(_FILE.read_bytes())
    return files.load(wanted, by=by, publish=True, on=on).version


def make_card(*, by: Any, on: date) -> SchemeVersion:
    """The quarterly card of the examples, in force, and a draft that weighs focus products more."""
    example = examples.find(CARD)
    assert example is not None
    files.load(example.document, by=by, publish=True, on=on)
    weights = {"attainment": "45", "focus": "25"}
    items = [
        item | {"weight": weights.get(item["code"], item["weight"])}
        for item in example.document["items"]
    ]
    draft = example.document | {
        "items": items,
        "note": "主推产品加重 5 分，回测后发布。/ Five more for focus products, after a backtest",
        "deduction_cap": "10",
    }
    return files.load(files.parse(draft), by=by).version


# What the next version is to say: more for growth and focus lines, less for sheer volume.
_TRIED = {"attainment": 25, "volume": 10, "focus": 15, "growth": 15}


def try_draft(quarters: list[Period], *, by: Any) -> None:
    """A draft of the second scheme, and its backtest over `quarters`, oldest first."""
    scheme = Scheme.objects.get(code=RICH)
    current = scheme.current()
    assert current is not None
    draft = services.draft_version(scheme=scheme, by=by)
    for code, weight in _TRIED.items():
        draft.items.filter(code=code).update(weight=Decimal(weight))
    keep_backtest(draft=draft, against=current, periods=quarters, by=by)


def make_schedules(last: Period, *, by: Any) -> None:
    """Both schemes quarterly; `last` is the quarter that has been evaluated already."""
    for scheme in Scheme.objects.filter(code__in=(BASIC, RICH)):
        schedule = EvaluationSchedule(
            scheme=scheme, every="quarter", days_after=5, last_period=last.code
        )
        crud.save(schedule, by=by)
