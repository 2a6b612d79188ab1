"""The operator interface: commands whose last line is one JSON object."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError
from django.utils import translation

from core import context
from core.errors import DomainError


class JsonCommand(BaseCommand):
    """Subclasses implement `run(**options) -> dict`.

    The dict is printed as the last line. A DomainError prints {"error": code, "message": …} and
    exits with 1; so does a database that cannot be reached.
    """

    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--language", default=None, help="language of messages: zh-hans or en")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        language = options.pop("language", None) or translation.get_language() or "en"
        with translation.override(language), context.use(source="command"):
            try:
                result = self.run(**options)
            except DomainError as error:
                self.fail(error.code, str(error.message))
            except ValidationError as error:
                self.fail("invalid", " ".join(error.messages))
            except OperationalError as error:
                self.fail("database_unreachable", str(error).strip().splitlines()[0])
            else:
                self.emit(result)

    def run(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def emit(self, result: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(result, ensure_ascii=False, cls=DjangoJSONEncoder))

    def fail(self, code: str, message: str) -> None:
        self.emit({"error": code, "message": message})
        sys.exit(1)
