"""A scheme as a file: exported, read, compared and loaded. docs/schemes.md tells the format.

A document is the plain form of one version: what decides a score (performance.definitions), names,
note and windows, without what is at its default. Two versions that say the same have the same one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator

from catalog.models import ProductLine
from core import audit, crud
from core.errors import DomainError, Problem
from core.phrases import listed
from partners.models import Level
from performance import measures, services
from performance.definitions import definition, plain
from performance.models import (
    Basis,
    MinimumRule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
)
from performance.models.schemes import ANSWER_DAYS, default_scope
from performance.schemes import carried, validation

FORMAT = "channel-crm/scheme/1"
SCHEMA = Path(__file__).with_name("scheme.schema.json")
LARGEST = 1_000_000  # bytes
WIDTH = 96
# Days of the stages, with what they are where a document says nothing.
WINDOWS = {"rating_days": 0, "review_days": 0, "appeal_days": 0, "answer_days": ANSWER_DAYS}
UNCHANGED, CREATED, REPLACED = "unchanged", "created", "replaced"

Document = dict[str, Any]

_ITEM = {
    "measure": "",
    "kind": "",
    "product_line": None,
    "target_source": "none",
    "target": None,
    "cap": "100",
    "gate": None,
    "missing": "renormalise",
    "name": "",
    "name_en": "",
    "basis": "measure",
    "role": "weighted",
    "anchors": {},
    "source_scheme": None,
    "source_items": [],
    "minimum": None,
}
_VETO = {"name_en": "", "kind": "", "product_line": None, "effect": "no_level"}
_WHOLE = {
    "name_en": "",
    "note": "",
    "measures": [],
    "vetoes": [],
    "levels": [],
    "deduction_cap": "0",
    "grace": 0,
    "most_steps_up": None,
    "most_steps_down": None,
    "windows": {},
}
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?\Z")
_NUMBERS = ("weight", "target", "cap", "gate", "minimum", "bound", "min_total", "keep_total")


class BadFile(DomainError):
    """A file that says no scheme, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("bad_file", " ".join(str(problem.message) for problem in problems))
        self._problems = list(problems)

    @property
    def problems(self) -> list[Problem]:
        return self._problems


@dataclass(frozen=True)
class Loaded:
    """What loading came to: the version that now says it, and what still forbids publishing it."""

    version: SchemeVersion
    outcome: str  # unchanged, created, replaced (the open draft)
    problems: list[Problem]
    measures: list[str]  # codes of the derived measures that were made with it


# --- out -----------------------------------------------------------------------------------


def document(version: SchemeVersion) -> Document:
    """The document of a version."""
    found = definition(version)
    found.pop("scheme")
    measured = [*found["items"], *found.get("vetoes", [])]
    made = carried.rows_of(measured)
    for row in measured:
        row.pop("derived", None)  # it is named by its code, and stands once for all
    scheme = version.scheme
    return _lean(
        {
            "format": FORMAT,
            "code": scheme.code,
            "name": scheme.name,
            "name_en": scheme.name_en,
            "note": version.note,
            "measures": made,
            **found,
            "windows": {name: getattr(version, name) for name in WINDOWS},
        }
    )


def dump(found: Document) -> str:
    """A document as text, for people and for git: what fits on a line stands on one."""
    return _written(found, "") + "\n"


def _written(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {_written(v, deeper)}" for k, v in value.items()]
    else:
        parts = [_written(each, deeper) for each in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n" + ",\n".join(f"{deeper}{part}" for part in parts) + f"\n{indent}{end}"


def _lean(found: Document) -> Document:
    """Without what is at its default; numbers, lists and keys in one way of writing them."""
    scope = found.get("scope", default_scope())
    lean = {
        **found,
        "scope": {name: sorted(scope.get(name, [])) for name in SCOPE_NAMES},
        "measures": carried.lean(found.get("measures", [])),
        "items": [_lean_row(item, _ITEM) for item in found["items"]],
        "vetoes": sorted(
            (_lean_row(veto, _VETO) for veto in found.get("vetoes", [])),
            key=lambda veto: veto["code"],
        ),
        "levels": sorted(
            (_lean_row(level, {"keep_total": None}) for level in found.get("levels", [])),
            key=lambda level: (-Decimal(level["min_total"]), level["level"]),
        ),
        "deduction_cap": plain(Decimal(found.get("deduction_cap") or 0)),
        "windows": {
            name: days for name, days in found.get("windows", {}).items() if days != WINDOWS[name]
        },
    }
    order = (
        *("format", "code", "name", "name_en", "note", "scope"),
        *("measures", "items", "vetoes", "levels"),
    )
    names = [*order, *(name for name in _WHOLE if name not in order)]
    return {
        name: lean[name]
        for name in names
        if name in lean and (name not in _WHOLE or lean[name] != _WHOLE[name])
    }


SCOPE_NAMES = ("states", "channel_types", "levels", "territories")


def _lean_row(row: Document, defaults: Document) -> Document:
    lean = {
        name: plain(Decimal(value)) if name in _NUMBERS and value is not None else value
        for name, value in row.items()
    }
    if "curve" in lean:
        lean["curve"] = _lean_curve(lean["curve"])
    if "source_items" in lean:
        lean["source_items"] = sorted(lean["source_items"])
    if "anchors" in lean:
        lean["anchors"] = {mark: said for mark, said in sorted(lean["anchors"].items()) if said}
    if lean.get("minimum") is None or lean.get("minimum_rule") == MinimumRule.AT_LEAST:
        lean.pop("minimum_rule", None)
    if lean.get("basis") != Basis.RATING or lean.get("raters") == 2:
        lean.pop("raters", None)
    return {
        name: value
        for name, value in lean.items()
        if name not in defaults or value != defaults[name]
    }


def _lean_curve(part: Any) -> Any:
    """A curve, or a part of one, with its numbers in one way of writing them. A draft may hold what
    is no curve; that stays as it is."""
    if isinstance(part, dict):
        return {name: _lean_curve(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_lean_curve(value) for value in part]
    return plain(Decimal(part)) if isinstance(part, str) and _NUMBER.match(part) else part


# --- in ------------------------------------------------------------------------------------


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def parse(raw: Any) -> Document:
    """The document that a file, or JSON that was read already, holds. Raises BadFile."""
    found = _json(raw) if isinstance(raw, bytes | str) else raw
    problems = [
        Problem("bad_file", f"{_path(error)}: {_said(error)}", "file")
        for error in sorted(
            _validator().iter_errors(found), key=lambda error: list(map(str, error.absolute_path))
        )
    ]
    if problems:
        raise BadFile(problems)
    return _lean(found)


def _json(raw: bytes | str) -> Any:
    def refuse(message: str) -> BadFile:
        return BadFile([Problem("bad_file", message, "file")])

    if len(raw) > LARGEST:
        raise refuse(_("It is too large to be a scheme."))
    try:
        found = json.loads(raw if isinstance(raw, str) else raw.decode("utf-8-sig"))
        text = json.dumps(found, ensure_ascii=False)
        text.encode()  # not with half of a surrogate pair
    except UnicodeError as error:
        raise refuse(_("It is not written in UTF-8.")) from error
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise refuse(_("It is no JSON: line %(line)d, column %(column)d.") % where) from error
    except (RecursionError, ValueError) as error:  # too deep, or a number of a thousand digits
        raise refuse(_("It is no scheme.")) from error
    if "\\u0000" in text:
        raise refuse(_("It is no scheme."))
    return found


def _path(error: Any) -> str:
    """“items[2].weight”, counted from 1; the whole file where there is none."""
    text = ""
    for part in error.absolute_path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or str(_("file"))


def _said(error: Any) -> str:
    """What a violation of the schema means, in the reader's language."""
    if error.validator == "required":
        lacking = [name for name in error.validator_value if name not in error.instance]
        return _("it lacks %(names)s.") % {"names": listed(lacking)}
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return _("it has %(names)s, which nobody knows.") % {"names": listed(unknown)}
    if error.validator in ("enum", "const"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        shown = listed(json.dumps(value, ensure_ascii=False) for value in allowed)
        return _("it must be one of %(values)s.") % {"values": shown}
    if error.validator == "type":
        kinds = error.validator_value
        named = listed([kinds] if isinstance(kinds, str) else kinds)
        return _("it must be of the type %(type)s.") % {"type": named}
    if error.validator == "pattern":
        shown = str(error.instance)[:60]
        return _("“%(value)s” is not written as it must be.") % {"value": shown}
    return _("it is too short, too long, too small or too large.")


@transaction.atomic
def load(wanted: Document, *, by: Any, publish: bool = False, on: date | None = None) -> Loaded:
    """Make a scheme say what a document says: a new draft version, or the open draft rewritten.

    What its newest version says already changes nothing. Derived measures that it carries and that
    are not here are made. With `publish`, publishes it as of `on`. Raises BadFile with every
    reference, measure and value that does not hold; with `publish` also Blocked with every problem
    of the scheme.
    """
    measured = [*wanted["items"], *wanted.get("vetoes", [])]
    made, wrong = carried.make_missing(wanted.get("measures", []), measured, by=by)
    scheme = _scheme(wanted, by)
    newest = scheme.versions.select_related("scheme").order_by("-number").first()
    if newest is not None and not wrong and _said_of(document(newest)) == _said_of(wanted):
        version, outcome = newest, UNCHANGED
    else:
        version, outcome = _write(scheme, newest, wanted, by, wrong)
    draft = version.state == SchemeVersion.State.DRAFT
    if publish and draft:
        version = services.publish_version(version=version, by=by, on=on)
    problems = validation.problems(version) if draft and not publish else []
    return Loaded(version, outcome, problems, [row.code for row in made])


def _said_of(found: Document) -> Document:
    """What a document says of the version itself: its measures are the same by now, or it does not
    carry them."""
    return {name: value for name, value in found.items() if name != "measures"}


def _scheme(wanted: Document, by: Any) -> Scheme:
    """The scheme of that code, with the names of the document."""
    scheme = Scheme.objects.select_for_update().filter(code=wanted["code"]).first()
    scheme = scheme or Scheme(code=wanted["code"])
    scheme.name, scheme.name_en = wanted["name"], wanted.get("name_en", "")
    wrong = _unclean(scheme, "", set())
    if wrong:
        raise BadFile(wrong)
    crud.save(scheme, by=by)
    return scheme


def _write(
    scheme: Scheme,
    newest: SchemeVersion | None,
    wanted: Document,
    by: Any,
    wrong: list[Problem],
) -> tuple[SchemeVersion, str]:
    """Write the draft, unless something is `wrong` already or is found to be."""
    open_draft = newest is not None and newest.state == SchemeVersion.State.DRAFT
    version = (
        newest
        if newest is not None and open_draft
        else SchemeVersion(scheme=scheme, number=newest.number + 1 if newest else 1)
    )
    before = audit.snapshot(version) if open_draft else {}
    _tell(version, wanted)
    rows, problems = _rows(version, wanted)
    problems = [*wrong, *problems, *_unclean(version, "", {"scheme", "number", "state"})]
    if problems:
        raise BadFile(problems)
    version.save()
    for model in (SchemeItem, SchemeVeto, SchemeLevel):
        model.objects.filter(version=version).delete()
        model.objects.bulk_create(row for row in rows if isinstance(row, model))
    changes = audit.diff(before, audit.snapshot(version)) if open_draft else {}
    verb = "updated" if open_draft else "created"
    audit.record(crud.verb_of(version, verb), version, by=by, changes=changes, data={"file": True})
    return version, REPLACED if open_draft else CREATED


def _tell(version: SchemeVersion, wanted: Document) -> None:
    """Put what a document says itself on a version."""
    version.scope = {name: wanted["scope"][name] for name in SCOPE_NAMES}
    version.note = wanted.get("note", "")
    version.deduction_cap = Decimal(wanted.get("deduction_cap", "0"))
    version.grace = wanted.get("grace", 0)
    version.most_steps_up = wanted.get("most_steps_up")
    version.most_steps_down = wanted.get("most_steps_down")
    for name, usual in WINDOWS.items():
        setattr(version, name, wanted.get("windows", {}).get(name, usual))


# --- rows of a version ---------------------------------------------------------------------


class _References:
    """The rows that a document names by code, and which of them are not there."""

    def __init__(self, wanted: Document) -> None:
        measured = [*wanted["items"], *wanted.get("vetoes", [])]
        self.lines = _by_code(ProductLine, (row.get("product_line") for row in measured))
        self.schemes = _by_code(Scheme, (row.get("source_scheme") for row in wanted["items"]))
        self.levels = _by_code(Level, (row["level"] for row in wanted.get("levels", [])))
        self.measures = {measure.code: measure for measure in measures.everything()}
        # What is wrong with one that the file carries is told already.
        self.measures |= {row["code"]: None for row in wanted.get("measures", [])}
        self.problems: list[Problem] = []

    def find(self, known: dict[str, Any], code: str | None, where: str) -> Any:
        """The row of that code; a problem at `where` when it is not there."""
        if code and code not in known:
            message = _("%(where)s: there is no “%(code)s”.") % {"where": where, "code": code}
            self.problems.append(Problem("unknown_reference", message, "file"))
        return known.get(code or "")


def _by_code(model: Any, codes: Iterator[str | None]) -> dict[str, Any]:
    return {row.code: row for row in model.objects.filter(code__in={c for c in codes if c})}


def _rows(version: SchemeVersion, wanted: Document) -> tuple[list[Any], list[Problem]]:
    """The items, vetoes and levels of a document, and what is wrong with them."""
    refer = _References(wanted)
    rows: list[tuple[Any, str]] = []
    for position, item in enumerate(wanted["items"], start=1):
        where = f"items[{position}]"
        rows.append((_item_row(version, position, item, refer, where), where))
    for position, veto in enumerate(wanted.get("vetoes", []), start=1):
        where = f"vetoes[{position}]"
        rows.append((_veto_row(version, veto, refer, where), where))
    for position, level in enumerate(wanted.get("levels", []), start=1):
        found = refer.find(refer.levels, level["level"], f"levels[{position}].level")
        keep = level.get("keep_total")
        if found is not None:
            row = SchemeLevel(
                version=version,
                level=found,
                min_total=Decimal(level["min_total"]),
                keep_total=None if keep is None else Decimal(keep),
            )
            rows.append((row, f"levels[{position}]"))
    problems = list(refer.problems)
    for row, where in rows:
        problems += _unclean(row, f"{where}.", {"version"})
    codes = [veto["code"] for veto in wanted.get("vetoes", [])]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        message = _("vetoes: the code “%(code)s” is used twice.") % {"code": code}
        problems.append(Problem("duplicate_code", message, "file"))
    return [row for row, _where in rows], problems


def _item_row(
    version: SchemeVersion, position: int, item: Document, refer: _References, where: str
) -> SchemeItem:
    full = {**_ITEM, "raters": 2, "minimum_rule": MinimumRule.AT_LEAST, **item}
    numbers = {
        name: None if full[name] is None else Decimal(full[name])
        for name in ("weight", "target", "cap", "gate", "minimum")
    }
    refer.find(refer.measures, full["measure"], f"{where}.measure")
    line = refer.find(refer.lines, full.pop("product_line"), f"{where}.product_line")
    source = refer.find(refer.schemes, full.pop("source_scheme"), f"{where}.source_scheme")
    return SchemeItem(
        **full | numbers,
        version=version,
        position=position,
        product_line=line,
        source_scheme=source,
    )


def _veto_row(version: SchemeVersion, veto: Document, refer: _References, where: str) -> SchemeVeto:
    full = {**_VETO, **veto}
    refer.find(refer.measures, full["measure"], f"{where}.measure")
    line = refer.find(refer.lines, full.pop("product_line"), f"{where}.product_line")
    bound = Decimal(full.pop("bound"))
    return SchemeVeto(**full, version=version, bound=bound, product_line=line)


def _unclean(row: Any, where: str, exclude: set[str]) -> list[Problem]:
    """What the model finds wrong with a row."""
    try:
        row.full_clean(exclude=exclude, validate_unique=False)
    except ValidationError as error:
        return [
            Problem("invalid", f"{where}{'' if name == '__all__' else name}: {said}", "file")
            for name, messages in error.message_dict.items()
            for said in messages
        ]
    return []
