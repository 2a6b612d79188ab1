"""Names and types of what goes out and comes in.

Going out, a `RowSerializer` only names columns: rows are read flat, in one query, and become JSON
as they are. Coming in, a `WriteSerializer` reads strict JSON types and finds related rows by id or
code among those that the user may see; what the values must be, the model says (`core.crud`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _, gettext_lazy
from rest_framework import serializers

from core.importing import codes
from core.text import clean_text, normalise_code

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Text:
    """Only JSON strings; invisible marks and outer blanks are taken away."""

    def to_internal_value(self: Any, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        clean = normalise_code if self.field_name == "code" else clean_text
        text = clean(data)
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class TextField(_Text, serializers.CharField):
    pass


class EmailField(_Text, serializers.EmailField):
    pass


class SlugField(_Text, serializers.SlugField):
    pass


class IntegerField(serializers.IntegerField):
    """Only JSON numbers."""

    def to_internal_value(self, data: Any) -> int:
        whole = isinstance(data, int) or isinstance(data, float) and data.is_integer()
        if isinstance(data, bool) or not whole:  # 1e400 is infinite
            self.fail("invalid")
        return int(data)


class BooleanField(serializers.BooleanField):
    """Only true and false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class DecimalField(serializers.DecimalField):
    """Decimals are strings, both ways: a JSON number loses digits in most languages."""

    default_error_messages = {"not_text": gettext_lazy("Write it as a string, like “1234.50”.")}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        if not _DECIMAL.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class DateField(serializers.DateField):
    """Only 2013-09-30."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class KeyField(serializers.PrimaryKeyRelatedField):
    """The id of a related row, among those that the user may see."""

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.offered_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("incorrect_type", data_type=type(data).__name__)
        return super().to_internal_value(data)


class CodeField(serializers.Field):
    """The code of a related row (any case, any width), among those that the user may see."""

    default_error_messages = {
        "invalid": gettext_lazy("Not a valid string."),
        "does_not_exist": gettext_lazy("There is no “%(code)s”."),
    }

    def __init__(self, queryset: Any, lookup: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.queryset, self.lookup = queryset, lookup

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        rows = self.queryset.all().visible_to(self.context["request"].user)
        found = codes.find(rows, [data], field=self.lookup, lost_zeros=False).get(data)
        if found is None:
            message = self.error_messages["does_not_exist"] % {"code": data[:60]}
            raise serializers.ValidationError(message, "does_not_exist")
        return found


_STRICT = {
    models.CharField: TextField,
    models.TextField: TextField,
    models.EmailField: EmailField,
    models.SlugField: SlugField,
    models.DecimalField: DecimalField,
    models.DateField: DateField,
    models.BooleanField: BooleanField,
    models.IntegerField: IntegerField,
    models.PositiveIntegerField: IntegerField,
    models.PositiveBigIntegerField: IntegerField,
    models.PositiveSmallIntegerField: IntegerField,
    models.BigAutoField: IntegerField,
}


class HouseSerializer(serializers.ModelSerializer):
    """What both directions share: strict fields, and no rules beside the model's."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, **_STRICT}
    serializer_related_field = KeyField

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        kwargs.pop("validators", None)  # the model's own run in full_clean
        return field_class, kwargs

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        kwargs.pop("validators", None)
        return field_class, kwargs

    def get_validators(self) -> list[Any]:
        return []


class RowSerializer(HouseSerializer):
    """Names the columns of a row. `Meta.paths` gives the lookups of those of related rows:
    {"territory_code": "territory__code"}; `Meta.needs` the columns without which the view cannot
    show a field: {"parent_code": ("parent",)}."""

    @classmethod
    def read(cls, queryset: Any, names: Sequence[str] | None = None) -> Any:
        """The rows of `queryset` as dicts, ready to become JSON; only the fields `names`, if given,
        and what they need."""
        given = cls.Meta.fields if names is None else names
        needs = getattr(cls.Meta, "needs", {})
        wanted = dict.fromkeys([*given, *(need for name in given for need in needs.get(name, ()))])
        paths = {name: path for name, path in cls._paths().items() if name in wanted}
        # Declared fields are no columns: the view fills them in.
        own = [name for name in wanted if name not in {*paths, *cls._declared_fields}]
        related = {name: models.F(path) for name, path in paths.items()}
        return queryset.values(*(own or ["pk"]), **related)

    @classmethod
    def _paths(cls) -> dict[str, str]:
        return getattr(cls.Meta, "paths", {})

    def build_field(self, field_name: str, info: Any, model_class: Any, nested_depth: int) -> Any:
        path = self._paths().get(field_name)
        if path is None:
            return super().build_field(field_name, info, model_class, nested_depth)
        null = False
        field = None
        for step in path.split("__"):
            field = model_class._meta.get_field(step)
            null = null or field.null
            model_class = field.related_model
        field_class, kwargs = self.build_standard_field(field_name, field)
        kept = {
            key: kwargs[key] for key in ("choices", "max_digits", "decimal_places") if key in kwargs
        }
        return field_class, {**kept, "source": "*", "allow_null": null}

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.read_only, field.required = True, False
        return fields


class WriteSerializer(HouseSerializer):
    """Reads what a client sends. `Meta.codes` names the ways to give a related row by its code:
    {"territory_code": ("territory", "code")}. `narrow` limits the choices of a relation further."""

    def narrow(self, relation: str, rows: Any) -> Any:
        """The rows of `rows` that may be given for `relation`."""
        return rows

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        related: dict[str, Any] = {k: v for k, v in fields.items() if isinstance(v, KeyField)}
        for name, item in related.items():
            item.queryset = self.narrow(name, item.queryset)
        for name, (relation, lookup) in self._codes().items():
            field: Any = fields[relation]
            field.required = False
            fields[name] = CodeField(
                field.queryset,
                lookup,
                required=False,
                allow_null=field.allow_null,
                help_text=_("Instead of “%(name)s”.") % {"name": relation},
            )
        return fields

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, (relation, _lookup) in self._codes().items():
            if name in attrs:
                given = attrs.pop(name)
                if attrs.setdefault(relation, given) != given:
                    message: Any = _("It contradicts “%(name)s”.") % {"name": relation}
                    raise serializers.ValidationError({name: [message]}, "contradiction")
        missing = {relation for relation, _lookup in self._codes().values()} - set(attrs)
        needed = [name for name in missing if self._needed(name)]
        if needed and not self.partial:
            message = self.fields[needed[0]].error_messages["required"]
            raise serializers.ValidationError({name: [message] for name in needed}, "required")
        return attrs

    def _needed(self, relation: str) -> bool:
        model: Any = self.Meta.model
        return not model._meta.get_field(relation).null

    def _codes(self) -> dict[str, tuple[str, str]]:
        return getattr(self.Meta, "codes", {})

    def _refuse_unknown(self, data: dict[str, Any]) -> None:
        """What can only be read is passed over, so that a client may send back what it got."""
        known = {*self.fields, *self.context["view"].detail_class.Meta.fields}
        message = _("There is no such field.")
        errors = {str(name)[:100]: [message] for name in data if name not in known}
        if errors:
            raise serializers.ValidationError(errors, "unknown_field")
