"""Pages: `CRUDView` gives a model its list, detail, forms, export, bulk actions and history."""

from core.views.base import registry
from core.views.bulk import BulkAction
from core.views.crud import CRUDView

__all__ = ["BulkAction", "CRUDView", "registry"]
