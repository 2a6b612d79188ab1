"""manage.py evaluate SCHEME PERIOD [--publish] [--reason TEXT]"""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone

from core.commands import JsonCommand
from performance.services import evaluate


class Command(JsonCommand):
    help = "Score all partners by a scheme over a period: 2013Q3, 2013-09 or 2013."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("scheme")
        parser.add_argument("period")
        parser.add_argument("--publish", action="store_true", help="publish it at once")
        parser.add_argument(
            "--reason", default="", help="why a published period is opened again as a revision"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        begun = time.perf_counter()
        evaluation = evaluate(
            scheme_code=options["scheme"],
            period=options["period"],
            by=None,
            on=timezone.localdate(),
            publish=options["publish"],
            reason=options["reason"],
        )
        return {
            "evaluation": evaluation.pk,
            "partners": evaluation.partner_count,
            "digest": evaluation.digest,
            "seconds": round(time.perf_counter() - begun, 3),
        }
