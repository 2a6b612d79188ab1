"""manage.py backtest DRAFT --against CODE --periods 2012Q1..2013Q3 [--format json|text]"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from core.commands import JsonCommand
from performance.backtest import asking, services, words
from performance.backtest.report import Report, Row


class Command(JsonCommand):
    help = (
        "Try a scheme version on past periods beside the one in force. DRAFT is the code of a "
        "scheme (its open draft) or CODE@NUMBER (that version); writes nothing but the report "
        "it prints. json: one object on one line, numbers are exact text."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("draft", metavar="DRAFT", help="CODE (its open draft) or CODE@NUMBER")
        parser.add_argument(
            "--against",
            required=True,
            metavar="CODE",
            help="CODE (its version in force) or CODE@NUMBER",
        )
        parser.add_argument(
            "--periods", required=True, metavar="FIRST..LAST", help="2012Q1..2013Q3, or one period"
        )
        parser.add_argument("--format", choices=["json", "text"], default="json")

    def run(self, **options: Any) -> dict[str, Any]:
        draft = asking.find_version(options["draft"], "draft", draft=True)
        against = asking.find_version(options["against"], "against", draft=False)
        periods = asking.find_periods(options["periods"], timezone.localdate())
        report = services.backtest(draft=draft, against=against, periods=periods)
        if options["format"] == "text":
            for line in words.lines(report):
                self.stdout.write(line)
            return {}
        return printed(report)

    def emit(self, result: dict[str, Any]) -> None:
        if result:
            super().emit(result)


def printed(report: Report) -> dict[str, Any]:
    """The whole report as one object."""
    return {
        "digest": report.digest,
        **report.result,
        "partners": [_partner(row) for row in report.rows],
    }


def _partner(row: Row) -> dict[str, Any]:
    _period, draft, against = row.trail[-1]
    return {
        "partner": row.code,
        "change": row.change,
        "near_level": row.near_level,
        "margin": row.margin,
        "draft": draft._asdict(),
        "against": against._asdict(),
        "trail": [
            {"period": period, "draft": draft._asdict(), "against": against._asdict()}
            for period, draft, against in row.trail
        ],
    }
