"""Pages of the profiles: how the files of each source are read. They are kept where a file is
mapped; here they are looked at, renamed and deleted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from core.importing import registry
from core.importing.forms import ProfileForm
from core.importing.models import ImportProfile
from core.importing.views import kind_name
from core.tables import Column
from core.views import CRUDView

KIND = Column("kind", label=_("kind"), render=kind_name, export=kind_name)


class ImportProfileView(CRUDView):
    model = ImportProfile
    icon = "columns"
    section = "imports"
    parents = ("core:import_list",)
    columns = (
        "name",
        KIND,
        Column("created_by", label=_("kept by"), source="created_by__username"),
        Column("uses", kind="qty"),
        "last_used_at",
    )
    ordering = ("kind", "name")
    search_fields = ("name",)
    form_class = ProfileForm
    exclude = frozenset({"create", "bulk", "history", "options"})
    detail_template = "core/importprofile_detail.html"
    detail_fields = (KIND, "created_by", Column("uses", kind="qty"), "last_used_at")
    empty_text = _(
        "Import a file and give the choices of its columns a name: the next file of the same source"
        " is then read the same way."
    )
    foreign = False  # somebody else's, and not the user's to change

    def dispatch(self, route: str, pk: int | None = None, **kwargs: Any) -> HttpResponse:
        self.foreign = pk is not None and self._is_foreign(self.get_object(pk))
        return super().dispatch(route, pk, **kwargs)

    def _is_foreign(self, profile: ImportProfile) -> bool:
        """Whether it is somebody else's, and the user does not answer for all imports."""
        user = self.request.user
        return profile.created_by_id != user.pk and not user.has_perm("core.change_import")

    def can(self, route: str) -> bool:
        return super().can(route) and not (self.foreign and route in ("edit", "delete"))

    def require(self, action: str) -> None:
        super().require(action)
        if self.foreign and action in ("change", "delete"):
            raise PermissionDenied

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("created_by")

    def detail_context(self, obj: ImportProfile) -> dict[str, Any]:
        fields = registry.get(obj.kind).fields
        maps, constants = obj.options.get("maps", {}), obj.options.get("constants", {})
        return {
            "meanings": [
                (field.label, maps.get(field.name, ""), constants.get(field.name, ""))
                for field in fields
                if field.name in maps or field.name in constants
            ],
        }
