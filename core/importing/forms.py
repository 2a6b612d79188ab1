"""What a person chooses: the file, then which columns mean what."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, add_to_form
from core.importing import engine, mapping, readers, registry, scales, values, wide
from core.importing.models import Import, ImportProfile
from core.importing.months import months_of

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

SCALES = [
    ("1", _("as it is")),
    ("1000", _("× 1,000 (thousands)")),
    ("10000", _("× 10,000 (万)")),
    ("1000000", _("× 1,000,000 (millions)")),
]


class UploadForm(forms.Form):
    """A kind that the user may import, and a file or what was copied out of one."""

    kind = forms.ChoiceField(label=_("What it holds"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (also .gz), XLSX, XLS or ODS; also one of them in a .zip."),
        required=False,
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


class CorrectedFileForm(forms.Form):
    """An error file that was corrected elsewhere."""

    file = forms.FileField(label=_("The corrected file"))


class ProfileForm(forms.ModelForm):
    """Of a profile the name; what it says is kept where a file is at hand."""

    class Meta:
        model = ImportProfile
        fields = ["name"]


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
    keep_as = forms.CharField(
        label=_("Keep these choices as"),
        max_length=60,
        required=False,
        help_text=_(
            "A name for the source, such as “U8 Wuhan”: its next file is read the same way."
        ),
        widget=forms.TextInput(attrs={"list": "profiles", "autocomplete": "off"}),
    )

    def __init__(self, load: Import, table: readers.Table, data: Any = None) -> None:
        self.importer = registry.get(load.kind)
        self.table = table
        self.header = table.header
        super().__init__(data, initial=_initial(load, self.importer, table.header))
        if table.is_workbook:
            names = table.sheet_names()
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
            if field.number:
                self.fields[f"scale_{field.name}"] = forms.ChoiceField(
                    label=_("Scale"), choices=SCALES, required=False
                )
        self._add_months()

    def _add_months(self) -> None:
        """What columns of months mean, if there are any and the kind can take them."""
        places = months_of(self.table.header)
        choices = wide.choices(self.importer.fields)
        if not choices or (len(places) < 2 and not self.initial["wide"]):
            return
        names = ", ".join(self.table.header[place] for place in places) or "—"
        self.fields["wide"] = forms.ChoiceField(
            label=_("The columns of months hold"),
            choices=[
                ("", _("nothing special: a row is one record")),
                *(
                    (option, _("%(value)s, a record each month") % {"value": value.label})
                    for option, _date, value in choices
                ),
            ],
            help_text=_("Columns of months: %s.") % names,
            required=False,
        )
        if wide.needs_year(self.table.header):
            self.fields["year"] = forms.IntegerField(
                label=_("Year of the months"),
                min_value=values.FIRST_YEAR,
                max_value=values.LAST_YEAR,
                required=False,
            )
        for name in self.initial["wide"].split("="):
            if name:
                hint = {"placeholder": _("from the months")}
                self.fields[f"map_{name}"].widget.attrs |= hint

    def rows(self) -> list[tuple[registry.Field, Any, Any, Any]]:
        """(field, column input, fixed value input, scale of a number) for the table of the page."""
        return [
            (
                field,
                self[f"map_{field.name}"],
                self[f"set_{field.name}"],
                self[f"scale_{field.name}"] if field.number else None,
            )
            for field in self.importer.fields
        ]

    def options(self) -> dict[str, Any]:
        """What the engine needs, as JSON keeps it."""
        return {
            "maps": self._given("map"),
            "constants": self._given("set"),
            "ignored": self._ignored(),
            "encoding": self.cleaned_data.get("encoding", ""),
            "sheet": self.cleaned_data.get("sheet") or None,
            "dates": self.cleaned_data.get("dates", ""),
            "all_or_nothing": self.cleaned_data["all_or_nothing"],
            "replace": self.cleaned_data.get("replace", ""),
            "replace_first": _iso(self.cleaned_data.get("replace_first")),
            "replace_last": _iso(self.cleaned_data.get("replace_last")),
            "wide": self.cleaned_data.get("wide", ""),
            "year": self.cleaned_data.get("year"),
            "scales": {n: scale for n, scale in self._given("scale").items() if scale != "1"},
        }

    def _ignored(self) -> list[str]:
        """Fields that were left empty and need not be given: a column is not taken by its name."""
        given = {*self._given("map"), *self._given("set")}
        given |= set(self.cleaned_data.get("wide", "").split("="))
        fields = self.importer.fields
        return [one.name for one in fields if not one.required and one.name not in given]

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
            # The columns under the encoding or sheet that was just chosen.
            options = engine.Options(**self.options())
            table = engine.open_table(self.table.path, self.importer, options)
            self.header = table.file_header
            engine.resolve(table, self.importer, options)
        except DomainError as error:
            places = (f"map_{error.field}", error.field)
            error.field = next((at for at in places if at in self.fields), None)
            add_to_form(self, error)
        return self.cleaned_data


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
    options = load.options or _guessed(load, importer, header)
    maps = _by_name(importer, header, options) | options["maps"]
    return {
        **{f"map_{name}": text for name, text in maps.items()},
        **{f"set_{name}": text for name, text in options.get("constants", {}).items()},
        **{f"scale_{name}": scale for name, scale in options.get("scales", {}).items()},
        **{name: options.get(name) for name in OPTIONS},
        "wide": options.get("wide", ""),
        "year": options.get("year"),
    }


def _by_name(
    importer: registry.Importer, header: list[str], options: dict[str, Any]
) -> dict[str, str]:
    """{field: column} of those that are called alike and about which `options` say nothing."""
    said = {*options.get("constants", {}), *options.get("ignored", ())}
    said |= set(options.get("wide", "").split("="))
    columns = {mapping.same_name(column): column for column in reversed(header)}
    names = ((one.name, columns.get(mapping.same_name(one.name))) for one in importer.fields)
    return {name: column for name, column in names if column and name not in said}


def _guessed(load: Import, importer: registry.Importer, header: list[str]) -> dict[str, Any]:
    """What the names of the columns, and for the year that of the file, let expect."""
    maps = mapping.guess(importer.fields, header)
    months = months_of(header)
    # What a column of its own gives is not expected of the months, unless it is the year's sum.
    choices = [one for one in wide.choices(importer.fields) if one[1].name not in maps]
    choices.sort(key=lambda one: one[2].name in maps)
    units = {name: scales.suggested(column) for name, column in maps.items()}
    option = ""
    if len(months) > 1 and choices:
        option, date, value = choices[0]
        maps = {name: text for name, text in maps.items() if name not in (date.name, value.name)}
        units[value.name] = scales.suggested(header[min(months)])
    numbers = {field.name for field in importer.fields if field.number}
    year = re.search(r"(?<!\d)20\d\d(?!\d)", load.file_name)
    return {
        "maps": maps,
        "scales": {name: scale for name, scale in units.items() if scale and name in numbers},
        "wide": option,
        "year": int(year[0]) if year else None,
    }
