"""What each kind of facts is: its table, and what the fields of a file mean for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import models

from sales.models import Payment, SalesFact, SalesKind


@dataclass(frozen=True)
class FactKind:
    """Fields of a file by what they are; each is a column of the table of `model`.

    `known` are understood by their distinct texts (codes, dates, words of a choice), those of
    `dates` are dates; `words` are texts of at most so many characters, `numbers` are numbers. These
    must be given, but for the `optional` ones. `day` is the date a fact counts for.
    """

    name: str
    model: type[models.Model]
    day: str
    dates: tuple[str, ...]
    known: tuple[str, ...]
    words: dict[str, int]
    numbers: tuple[str, ...]
    defaults: dict[str, str]
    optional: tuple[str, ...] = ()
    reverses: bool = False
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def lock(self) -> str:
        """The name of the lock that orders all who write these facts."""
        return f"{self.name}.facts"

    @property
    def required(self) -> tuple[str, ...]:
        """Fields of which each row needs a value, in the order in which refusals name them."""
        words = tuple(name for name in self.words if name not in self.optional)
        return (
            *(name for name in self.known if name not in self.optional),
            *words,
            *self.numbers,
        )

    @property
    def compared(self) -> tuple[str, ...]:
        """Fields by which a known row is found to have changed: all but what it is known by."""
        given = (*self.required, *self.optional)
        return tuple(name for name in given if name not in ("source", "reference"))

    def column(self, name: str) -> str:
        """The column of a field."""
        return self.columns.get(name, name)

    @property
    def has_products(self) -> bool:
        return "product" in self.known


SALES = FactKind(
    name="sales",
    model=SalesFact,
    day="occurred_on",
    dates=("occurred_on",),
    known=("partner", "product", "occurred_on", "kind"),
    words={"source": 40, "reference": 100},
    numbers=("quantity", "amount"),
    defaults={"source": "file", "kind": SalesKind.SELL_IN.value},
    reverses=True,
    columns={"partner": "partner_id", "product": "product_id"},
)
PAYMENTS = FactKind(
    name="payments",
    model=Payment,
    day="paid_on",
    dates=("paid_on", "due_on"),
    known=("partner", "paid_on", "due_on"),
    words={"source": 40, "reference": 100, "invoice": 100},
    numbers=("amount",),
    defaults={"source": "file"},
    optional=("due_on", "invoice"),
    columns={"partner": "partner_id"},
)
KINDS = {kind.name: kind for kind in (SALES, PAYMENTS)}
