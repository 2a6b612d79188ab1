"""manage.py scores EVALUATION [--format csv|json]"""

from __future__ import annotations

import csv
from typing import Any

from core.commands import JsonCommand
from performance.selectors import score_rows
from performance.services import get_evaluation


class Command(JsonCommand):
    help = (
        "Print the scores of an evaluation. csv: a header and one line a partner, nothing else; "
        "json: one object on one line. Numbers are exact decimals; empty or null is none. Columns "
        "that come later stand at the end. Codes of vetoes are a list, in csv with blanks between."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("evaluation", type=int)
        parser.add_argument("--format", choices=["csv", "json"], default="csv")

    def run(self, **options: Any) -> dict[str, Any]:
        evaluation = get_evaluation(options["evaluation"])
        rows = list(score_rows(evaluation))
        if options["format"] == "json":
            return {"evaluation": evaluation.pk, "digest": evaluation.digest, "scores": rows}
        self.as_csv = True
        if rows:
            writer = csv.DictWriter(self.stdout, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"vetoes": " ".join(row["vetoes"])} for row in rows)
        return {}

    def emit(self, result: dict[str, Any]) -> None:
        if result or not getattr(self, "as_csv", False):
            super().emit(result)
