"""Load a file: `load sales orders.csv --map 'reference=Order+"-"+Line' --set source=erp`."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from core.commands import JsonCommand
from core.errors import DomainError
from core.importing import engine, profiles, values
from core.importing.models import Import

# Options of the command that are those of the engine, unless they are empty.
SAID = (
    "encoding",
    "sheet",
    "dates",
    "all_or_nothing",
    "wide",
    "year",
    "replace",
    "replace_first",
    "replace_last",
    "without_suspicious",
)


class Command(JsonCommand):
    help = (
        "Load territories, product_lines, products, aliases, partners, contacts, targets, sales or"
        " payments from a CSV (also .gz), XLSX, XLS or ODS file, or a .zip of one. Prints rows,"
        " created, updated, unchanged, removed, rejected, seconds, error_file, import."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=EXPRESSION",
            help="column names and quoted literals joined by +",
        )
        parser.add_argument(
            "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", dest="constants"
        )
        parser.add_argument(
            "--profile", metavar="NAME", help="read it like this; other options go on top"
        )
        parser.add_argument("--encoding", default="", help="utf-8, gb18030, utf-16, latin-1 …")
        parser.add_argument("--sheet", help="name of the sheet; the first one by default")
        parser.add_argument(
            "--dates",
            choices=[values.DAY_FIRST, values.MONTH_FIRST],
            default="",
            help="order of day and month in dates such as 5/4/2026; found out where the file tells",
        )
        parser.add_argument(
            "--wide",
            default="",
            metavar="FIELD=VALUE_FIELD",
            help="columns of months (2026-01, 1月, Jan): the month is FIELD, the cell VALUE_FIELD",
        )
        parser.add_argument("--year", type=int, help="the year of columns such as 1月 and Jan")
        parser.add_argument(
            "--scale",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=1000",
            dest="scales",
            help="numbers given in thousands: 1000, 10000 (万) or 1000000",
        )
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="refuse the file if any row is rejected"
        )
        parser.add_argument(
            "--replace",
            choices=[engine.REPLACE_PARTNERS, engine.REPLACE_SOURCE],
            default="",
            help="facts of the same period, sources and kinds that are not in the file go: those of"
            " its partners, or of the whole source; loads all rows or nothing",
        )
        parser.add_argument("--replace-first", type=_day, metavar="YYYY-MM-DD")
        parser.add_argument(
            "--replace-last",
            type=_day,
            metavar="YYYY-MM-DD",
            help="the period, this day included; by default from the file's first to its last day",
        )
        parser.add_argument(
            "--without-suspicious",
            action="store_true",
            help="reject rows that are unlikely: amounts, dates, products",
        )
        parser.add_argument("--error-file", type=Path, help="where rejected rows go")
        parser.add_argument("--by", metavar="USERNAME", help="load as this user and in their scope")

    def run(self, **options: Any) -> dict[str, Any]:
        path: Path = options["file"]
        if not path.is_file():
            raise DomainError("no_file", _("There is no file %s.") % path)
        started = time.monotonic()
        user = _user(options["by"])
        profile = None
        if options["profile"]:
            profile = profiles.named(options["kind"], options["profile"], by=user)
        load = Import(
            kind=options["kind"],
            file_name=path.name[-200:],
            sha256=engine.sha256_of(path),
            profile=profile,
            created_by=user,
        )
        chosen = _chosen(options, profile.options if profile else {})
        load.options = asdict(chosen)
        try:
            result = engine.run(
                path,
                load,
                chosen,
                by=user,
                dry_run=options["dry_run"],
                error_path=options["error_file"] or _error_path(path),
            )
        except engine.RejectedRows as error:
            return self._refuse(error)
        report = _report(result.outcome, result.error_file, time.monotonic() - started)
        return report | {"import": None if options["dry_run"] else load.pk}

    def _refuse(self, error: engine.RejectedRows) -> dict[str, Any]:
        self.emit(
            {
                "error": error.code,
                "message": str(error.message),
                "rejected": error.result.outcome.rejected,
                "error_file": str(error.result.error_file),
            }
        )
        raise SystemExit(1)


def _chosen(options: dict[str, Any], kept: dict[str, Any]) -> engine.Options:
    """What the command line says, on top of what a profile keeps."""
    said = {name: options[name] for name in SAID}
    constants = _pairs(options["constants"])
    maps = {name: text for name, text in kept.get("maps", {}).items() if name not in constants}
    return engine.Options(
        **kept
        | {name: value for name, value in said.items() if value}
        | {
            "maps": maps | _pairs(options["map"]),
            "constants": kept.get("constants", {}) | constants,
            "scales": kept.get("scales", {}) | _pairs(options["scales"]),
        }
    )


def _report(outcome: Any, error_file: Path | None, seconds: float) -> dict[str, Any]:
    return {
        "rows": outcome.rows,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "removed": outcome.removed,
        "rejected": outcome.rejected,
        "seconds": round(seconds, 3),
        "error_file": str(error_file) if error_file else None,
    }


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise DomainError("bad_option", _("“%s” is not of the form field=value.") % text)
        pairs[name.strip()] = value
    return pairs


def _user(name: str | None) -> Any:
    if name is None:
        return None
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise DomainError("no_user", _("There is no active user “%s”.") % name)
    return user


def _error_path(path: Path) -> Path:
    """A new private file for each run: two loads of one file do not write into the same."""
    folder = Path(settings.MEDIA_ROOT) / "imports" / "errors"
    folder.mkdir(parents=True, exist_ok=True)
    stem = path.name.split(".")[0][:60]
    return Path(tempfile.mkdtemp(prefix=f"{stem}-", dir=folder)) / f"{stem}-errors.csv"
