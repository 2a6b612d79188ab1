"""Which province belongs to which sales region, and how many partners it has.

The numbers follow the size of the provinces' economies, with at least one partner each.
"""

from __future__ import annotations

from typing import NamedTuple


class Region(NamedTuple):
    """A sales region: its manager's username and {province code: partners}."""

    manager: str
    provinces: dict[str, int]


NORTH = Region(
    "north",
    {"110000": 6, "120000": 3, "130000": 6, "140000": 4, "150000": 3, "210000": 5, "220000": 3,
     "230000": 3},
)  # fmt: skip
EAST = Region("east", {"310000": 5, "320000": 10, "330000": 9, "340000": 6})
SOUTH = Region("south", {"350000": 5, "440000": 11, "450000": 4, "460000": 2})
CENTRAL = Region("central", {"360000": 4, "370000": 9, "410000": 8, "420000": 6, "430000": 6})
NORTHWEST = Region("northwest", {"610000": 6, "620000": 3, "630000": 1, "640000": 2, "650000": 3})
SOUTHWEST = Region("southwest", {"500000": 4, "510000": 8, "520000": 3, "530000": 4, "540000": 1})

REGIONS = (NORTH, EAST, SOUTH, CENTRAL, NORTHWEST, SOUTHWEST)
COLD = {"150000", "210000", "220000", "230000", "650000"}  # building stops in winter
