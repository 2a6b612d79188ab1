"""manage.py scheme export CODE | load FILE [--publish] [--by USER]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from core.commands import JsonCommand
from core.errors import DomainError
from performance.models import Scheme, SchemeVersion
from performance.schemes import files


class Command(JsonCommand):
    help = (
        "Schemes as files (docs/schemes.md). export prints one and nothing else; load makes a "
        "draft of what has changed, and says “unchanged” where nothing has."
    )

    def add_arguments(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="print the newest version of a scheme")
        export.add_argument("code")
        export.add_argument("--published", action="store_true", help="the version in force")
        load = verbs.add_parser("load", help="load a scheme file; - reads it from standard input")
        load.add_argument("file")
        load.add_argument("--publish", action="store_true", help="publish the version at once")
        load.add_argument("--by", help="the user in whose name it is done", metavar="USER")

    def run(self, **options: Any) -> dict[str, Any]:
        if options["verb"] == "export":
            return self.export(options["code"], published=options["published"])
        return self.load(options)

    def export(self, code: str, *, published: bool) -> dict[str, Any]:
        """The document of a scheme; printed as it is, without the line of other commands."""
        version = _version(code, published)
        self.stdout.write(files.dump(files.document(version)), ending="")
        return {}

    def load(self, options: dict[str, Any]) -> dict[str, Any]:
        """Load the file; returns what came of it."""
        loaded = files.load(
            files.parse(_read(options["file"])),
            by=_user(options["by"]),
            publish=options["publish"],
            on=timezone.localdate(),
        )
        return {
            "scheme": loaded.version.scheme.code,
            "version": loaded.version.number,
            "state": loaded.version.state,
            "outcome": loaded.outcome,
            "measures": loaded.measures,
            "problems": [str(problem.message) for problem in loaded.problems],
        }

    def emit(self, result: dict[str, Any]) -> None:
        if result:
            super().emit(result)


def _version(code: str, published: bool) -> SchemeVersion:
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        message = _("There is no scheme “%(code)s”.") % {"code": code}
        raise DomainError("unknown_scheme", message, "scheme")
    newest = scheme.versions.select_related("scheme").order_by("-number").first()
    version = scheme.current() if published else newest
    if version is None:
        message = _("The scheme “%(scheme)s” has no published version.") % {"scheme": scheme}
        raise DomainError("no_published_version", message, "scheme")
    return version


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DomainError("unreadable", str(error), "file") from error


def _user(name: str | None) -> User | None:
    if not name:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        message = _("There is no user “%(name)s”.") % {"name": name}
        raise DomainError("unknown_user", message, "by")
    return user
