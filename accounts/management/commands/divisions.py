"""manage.py divisions: the administrative divisions of China as territories."""

from __future__ import annotations

from typing import Any

from accounts.divisions import load_divisions
from core.commands import JsonCommand


class Command(JsonCommand):
    help = "Load the administrative divisions of China (GB/T 2260) as territories; safe to repeat."

    def run(self, **options: Any) -> dict[str, Any]:
        """{created, updated, unchanged}."""
        return load_divisions(by=None)
