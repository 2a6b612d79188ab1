"""Territories in the API."""

from django.db.models.functions import Upper

from accounts.filters import TerritoryFilter
from accounts.models import Territory
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, WriteMixin


class TerritoryRow(RowSerializer):
    class Meta:
        model = Territory
        fields = (
            "id",
            "code",
            "name",
            "level",
            "parent",
            "parent_code",
            "population",
            "gdp",
            "updated_at",
        )
        paths = {"parent_code": "parent__code"}


class TerritoryWrite(WriteSerializer):
    class Meta:
        model = Territory
        fields = ("code", "name", "level", "parent", "population", "gdp")
        codes = {"parent_code": ("parent", "code")}


class TerritoryViewSet(WriteMixin, ScopedViewSet):
    """Pieces of the map, in a tree."""

    model = Territory
    row_class = detail_class = TerritoryRow
    write_class = TerritoryWrite
    filterset_class = TerritoryFilter
    search_fields = ("name", "code")
    ordering_fields = {"code": Upper("code"), "name": "name", "path": "sort_path", "id": "pk"}
