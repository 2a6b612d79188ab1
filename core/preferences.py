"""What a user chose about the pages: columns and page size of each list. Kept on the user's row."""

from __future__ import annotations

from typing import Any


def preferences_of(user: Any) -> dict[str, Any]:
    """{model label: {"columns": [...], "size": 50}}; read with the user, so it costs no query."""
    return user.preferences or {}


def save_preferences(user: Any, changes: dict[str, Any]) -> None:
    """Keep `changes` beside what is there. No event: it says nothing about the business."""
    user.preferences = {**preferences_of(user), **changes}
    user.save(update_fields=["preferences"])
