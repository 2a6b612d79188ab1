"""How a file is read that looks like earlier ones: by a profile, or as the last such file was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _

from core import crud
from core.errors import DomainError
from core.importing import engine, mapping, readers, registry, scales, services
from core.importing.models import Import, ImportProfile

# What was meant for one file alone.
ONCE = {"replace_first": "", "replace_last": "", "without_suspicious": False, "year": None}


@dataclass(frozen=True)
class Choice:
    """Options for a file and where they come from: a profile, an earlier import, or neither.
    `missing` are the columns they speak of that the file does not have; guesses stand for them."""

    options: dict[str, Any] = field(default_factory=dict)
    profile: ImportProfile | None = None
    earlier: Import | None = None
    missing: tuple[str, ...] = ()


def seen(kind: str, *, by: Any) -> QuerySet[ImportProfile]:
    """The profiles of a kind that `by` sees: their own first, then those used last."""
    own = Case(When(created_by=by, then=Value(0)), default=Value(1))
    rows = ImportProfile.objects.visible_to(by).filter(kind=kind).select_related("created_by")
    return rows.order_by(own, F("last_used_at").desc(nulls_last=True), "-id")


def named(kind: str, name: str, *, by: Any) -> ImportProfile:
    """The profile of this name that `by` (None: the operator) sees, their own before others'.
    DomainError `no_profile` when there is none, `ambiguous_profile` when it could be several."""
    rows = ImportProfile.objects.all() if by is None else seen(kind, by=by)
    found = list(rows.filter(kind=kind, name=name)[:2])
    if not found:
        raise DomainError("no_profile", _("There is no profile “%s” of this kind.") % name)
    if len(found) > 1 and (by is None or found[0].created_by_id != by.pk):
        raise DomainError(
            "ambiguous_profile", _("Several people have a profile “%s”; say whose it is.") % name
        )
    return found[0]


def proposed(load: Import, *, by: Any) -> Choice:
    """For a file that nobody said anything about: by the first profile that fits its columns, else
    as the last file of `by` that had the same columns, else by guessing."""
    file = _File(load)
    columns = file.columns(None)
    for profile in seen(load.kind, by=by):
        sheet = profile.options.get("sheet")
        if profile.columns in columns or sheet and profile.columns in file.columns(sheet):
            return of(load, profile.options, profile=profile)
    earlier = (
        Import.objects.filter(kind=load.kind, created_by=by, state=Import.State.APPLIED)
        .filter(columns__in=columns, options__has_key="maps")
        .exclude(options__has_key="json", options__json__in=("array", "lines"))
        .order_by("-applied_at")
        .first()
    )
    return of(load, earlier.options, earlier=earlier) if earlier else Choice()


def of(
    load: Import,
    options: dict[str, Any],
    *,
    profile: ImportProfile | None = None,
    earlier: Import | None = None,
) -> Choice:
    """`options` made to fit the file of `load`: a sheet that it has not is the first one, an
    encoding that it is not in is found out, and a field whose columns it has not is guessed.
    DomainError when the file cannot be read."""
    file = _File(load)
    sheet = options.get("sheet")
    options = {**options, "sheet": sheet if sheet in file.sheets else None, **ONCE}
    try:
        fitted, missing = _fitted(file, options)
    except DomainError:
        fitted, missing = {"maps": {}}, list(options["maps"].values())
        options["wide"] = ""
    if missing and options.get("encoding"):
        options["encoding"] = ""
        fitted, missing = _fitted(file, options)
    return Choice(options | fitted, profile, earlier, tuple(missing))


def keep(
    name: str, *, kind: str, header: Iterable[str], options: dict[str, Any], by: Any
) -> ImportProfile:
    """Keep how a file with this header is read; a profile of this name that `by` has is replaced.
    ValidationError when the name is too long."""
    own = ImportProfile.objects.filter(created_by=by, kind=kind, name=name)
    profile = own.first() or ImportProfile(created_by=by, kind=kind, name=name)
    profile.columns, profile.options = mapping.columns_of(header), {**options, **ONCE}
    crud.save(profile, by=by)
    return profile


def _fitted(file: _File, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(the maps of `options` that the file has the columns for, guesses for the others, and the
    scales; the expressions of those others). What a guessed column is given in, its own name says.
    """
    header = engine.open_table(file.path, file.importer, engine.Options(**options)).file_header
    guessed = mapping.guess(file.importer.fields, header)
    numbers = {one.name for one in file.importer.fields if one.number}
    maps, units, missing = {}, dict(options.get("scales", {})), []
    for name, text in options["maps"].items():
        try:
            mapping.parse(text, header)
        except DomainError:
            missing.append(text)
            text = guessed.get(name, "")
            if name in numbers:
                units[name] = scales.suggested(text)
        if text:
            maps[name] = text
    return {"maps": maps, "scales": {name: one for name, one in units.items() if one}}, missing


class _File:
    """The file of an import before anybody has said how to read it."""

    def __init__(self, load: Import) -> None:
        self.path, self.importer = services.path_of(load), registry.get(load.kind)
        self.table = readers.open_table(self.path)
        self.sheets = self.table.sheet_names() if self.table.is_workbook else []
        self._columns: dict[str | None, list[list[str]]] = {}

    def columns(self, sheet: str | None) -> list[list[str]]:
        """The columns of each row that may be the header, on this sheet (None: on the first one);
        none where there is no such sheet."""
        if sheet not in self._columns:
            known = sheet is None or sheet in self.sheets
            headers = replace(self.table, sheet=sheet).possible_headers() if known else ()
            self._columns[sheet] = [mapping.columns_of(header) for header in headers]
        return self._columns[sheet]
