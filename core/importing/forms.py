"""What a person chooses: the file, then which columns mean what."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, add_to_form
from core.importing import engine, mapping, readers, registry, values, xlsx
from core.importing.models import Import

ENCODINGS = [
    ("", _("Found out by itself")),
    ("utf-8", "UTF-8"),
    ("gb18030", "GB18030"),
    ("utf-16", "UTF-16"),
    ("latin-1", "Latin-1"),
]

REPLACE = [
    ("", _("Add new rows, update known ones")),
    (
        engine.REPLACE_PARTNERS,
        _("Replace the period: rows of these partners that are not in the file go"),
    ),
    (
        engine.REPLACE_SOURCE,
        _("Replace the period of the whole source: rows of all its partners go"),
    ),
]

DATES = [
    ("", _("Found out by itself")),
    (values.DAY_FIRST, _("day/month/year")),
    (values.MONTH_FIRST, _("month/day/year")),
]


class UploadForm(forms.Form):
    """A kind that the user may import, and a file or what was copied out of one."""

    kind = forms.ChoiceField(label=_("What it holds"))
    file = forms.FileField(
        label=_("File"), help_text=_("CSV (also .gz), XLSX or XLS."), required=False
    )
    text = forms.CharField(
        label=_("Or paste rows from Excel"),
        help_text=_("With their column names above them."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        strip=False,  # an empty first cell is a tab
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind, one.label) for kind, one in registry.importers().items() if one.may(user)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Either of the two, as the file that is uploaded."""
        super().clean()
        text, file = self.cleaned_data.pop("text", ""), self.cleaned_data.get("file")
        if text.strip() and file:
            self.add_error("text", _("Give a file or paste rows, not both."))
        elif text.strip():
            self.cleaned_data["file"] = ContentFile(text.encode(), name=f"{_('Pasted rows')}.tsv")
        elif not file and "file" not in self.errors:
            self.add_error("file", _("Choose a file, or paste rows below."))
        return self.cleaned_data


class MappingForm(forms.Form):
    """A column, or columns joined by +, and a fixed value for each field of the kind."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=ENCODINGS, required=False)
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    dates = forms.ChoiceField(label=_("Order of dates"), choices=DATES, required=False)
    all_or_nothing = forms.BooleanField(
        label=_("Load nothing if any row is rejected"), required=False
    )
    replace = forms.ChoiceField(
        label=_("What the file does"),
        choices=REPLACE,
        required=False,
        help_text=_("A file that replaces is loaded whole or not at all."),
    )
    replace_first = forms.DateField(
        label=_("Replace from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: the first day in the file."),
    )
    replace_last = forms.DateField(
        label=_("Replace until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("This day too. Empty: the last day in the file."),
    )

    def __init__(self, load: Import, table: readers.Table, data: Any = None) -> None:
        self.importer = registry.get(load.kind)
        self.table = table
        super().__init__(data, initial=_initial(load, self.importer, table.header))
        if table.is_workbook:
            names = xlsx.sheet_names(table.path)
            self.fields["sheet"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
            del self.fields["encoding"]
        else:
            del self.fields["sheet"]
        if not self.importer.replaces:
            for name in ("replace", "replace_first", "replace_last"):
                del self.fields[name]
        for field in self.importer.fields:
            self.fields[f"map_{field.name}"] = forms.CharField(
                label=_("Column"),
                required=False,
                widget=forms.TextInput(attrs={"list": "columns", "autocomplete": "off"}),
            )
            self.fields[f"set_{field.name}"] = forms.CharField(
                label=_("Fixed value"), required=False
            )

    def rows(self) -> list[tuple[registry.Field, Any, Any]]:
        """(field, column input, fixed value input) for the table of the page."""
        return [
            (field, self[f"map_{field.name}"], self[f"set_{field.name}"])
            for field in self.importer.fields
        ]

    def options(self) -> dict[str, Any]:
        """What the engine needs, as JSON keeps it."""
        return {
            "maps": self._given("map"),
            "constants": self._given("set"),
            "encoding": self.cleaned_data.get("encoding", ""),
            "sheet": self.cleaned_data.get("sheet") or None,
            "dates": self.cleaned_data.get("dates", ""),
            "all_or_nothing": self.cleaned_data["all_or_nothing"],
            "replace": self.cleaned_data.get("replace", ""),
            "replace_first": _iso(self.cleaned_data.get("replace_first")),
            "replace_last": _iso(self.cleaned_data.get("replace_last")),
        }

    def _given(self, prefix: str) -> dict[str, str]:
        names = [field.name for field in self.importer.fields]
        given = {name: self.cleaned_data.get(f"{prefix}_{name}", "") for name in names}
        return {name: text for name, text in given.items() if text}

    def clean(self) -> dict[str, Any]:
        """The same check of the mapping that the engine does, while the person is still here."""
        super().clean()
        if self.errors:
            return self.cleaned_data
        first, last = (self.cleaned_data.get(f"replace_{end}") for end in ("first", "last"))
        if first and last and first > last:
            self.add_error("replace_last", _("The period ends before it begins."))
        maps, constants = self._given("map"), self._given("set")
        for name in maps.keys() & constants.keys():
            self.add_error(f"set_{name}", _("Give a column or a fixed value, not both."))
        try:
            mapping.resolve(self.importer.fields, self._header(), maps, constants)
        except DomainError as error:
            at = f"map_{error.field}"
            error.field = at if at in self.fields else None
            add_to_form(self, error)
        return self.cleaned_data

    def _header(self) -> list[str]:
        """The columns under the encoding or sheet that was just chosen."""
        options = engine.Options(**self.options())
        return engine.open_table(self.table.path, self.importer, options).header


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


OPTIONS = (
    "encoding",
    "sheet",
    "dates",
    "all_or_nothing",
    "replace",
    "replace_first",
    "replace_last",
)


def _initial(load: Import, importer: registry.Importer, header: list[str]) -> dict[str, Any]:
    if load.options:
        maps, constants = load.options["maps"], load.options["constants"]
    else:
        maps, constants = mapping.guess(importer.fields, header), {}
    return {
        **{f"map_{name}": text for name, text in maps.items()},
        **{f"set_{name}": text for name, text in constants.items()},
        **{name: load.options.get(name) for name in OPTIONS},
    }
