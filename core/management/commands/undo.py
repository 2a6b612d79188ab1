"""Take an import back: `undo 12`."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from core.commands import JsonCommand
from core.errors import DomainError
from core.importing import engine
from core.importing.models import Import


class Command(JsonCommand):
    help = (
        "Take back what an import wrote: its new rows go, changed rows are again as they were."
        " Prints import, deleted, restored, seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="number of the import")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        load = Import.objects.filter(pk=options["number"]).first()
        if load is None:
            raise DomainError("no_import", _("There is no import %d.") % options["number"])
        plan = engine.undo(load, by=None)
        return {
            "import": load.pk,
            "deleted": plan.deleted,
            "restored": plan.restored,
            "seconds": round(time.monotonic() - started, 3),
        }
