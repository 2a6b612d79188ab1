"""Where Celery looks for the tasks of this app."""

from core.importing.tasks import apply_import, check_import

__all__ = ["apply_import", "check_import"]
