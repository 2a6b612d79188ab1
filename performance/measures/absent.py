"""Measures that are known but cannot be read yet: their source is not there.

They stand in the library with what they need, and can neither be chosen nor published. When the
source comes, a measure moves to a module of its own with its aggregates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from performance.measures import declaring as words
from performance.measures.declaring import COUNT, DAYS, MONTH, NOT_APPLICABLE, RATIO, Measure, whole

_ZERO = Decimal(0)
_INVENTORY = _("It needs the inventory app, which is not there yet.")
_ORDERS = _("It needs orders and forecasts, which are not there yet.")
_TRAINING = _("It needs the training app, which is not there yet.")
_RELATIONS = _("It needs the relationship app, which is not there yet.")


def _absent(
    code: str, label: Any, definition: Any, unit: str, source: str, why: Any, **more: Any
) -> Measure:
    return Measure(
        code=code,
        label=label,
        definition=definition,
        unit=unit,
        numerator=None,
        value=whole,
        derivation="",
        zero_policy="" if unit == COUNT else NOT_APPLICABLE,
        lowest=_ZERO,
        needs=frozenset(),
        source=source,
        grain=MONTH,
        graded=False,
        by_line=False,
        absent=why,
        **more,
    )


MEASURES = [
    _absent(
        "days_of_cover_in_band",
        _("Stock health"),
        _("Product-days with days of cover within the band ÷ product-days with stock."),
        RATIO,
        words.INVENTORY,
        _INVENTORY,
    ),
    _absent(
        "days_of_cover",
        _("Days of cover"),
        _("Stock ÷ mean daily sell-through."),
        DAYS,
        words.INVENTORY,
        _INVENTORY,
    ),
    _absent(
        "stock_accuracy",
        _("Accuracy of stock"),
        _("1 − the sum of differences between counted and booked stock ÷ booked stock."),
        RATIO,
        words.INVENTORY,
        _INVENTORY,
    ),
    _absent(
        "order_change_rate",
        _("Rate of changed orders"),
        _("Orders that were changed after they had been confirmed ÷ orders."),
        RATIO,
        words.ORDERS,
        _ORDERS,
        higher=False,
    ),
    _absent(
        "forecast_deviation",
        _("Deviation from forecast"),
        _("The sum of differences between forecast and purchase ÷ forecast."),
        RATIO,
        words.ORDERS,
        _ORDERS,
        higher=False,
    ),
    _absent(
        "deal_win_rate",
        _("Win rate of registered deals"),
        _("Registered deals won ÷ registered deals decided."),
        RATIO,
        words.DEALS,
        _("It needs deal registration, which is not there yet."),
    ),
    _absent(
        "certified_staff",
        _("Certified staff"),
        _("People of the partner with a certificate in force at the end of the period."),
        COUNT,
        words.TRAINING,
        _TRAINING,
    ),
    _absent(
        "training_completion",
        _("Completion of training"),
        _("Courses completed ÷ courses that were required by the end of the period."),
        RATIO,
        words.TRAINING,
        _TRAINING,
    ),
    _absent(
        "tickets_in_time",
        _("Tickets solved in time"),
        _("Tickets solved within their service level ÷ tickets closed."),
        RATIO,
        words.RELATIONS,
        _RELATIONS,
    ),
    _absent(
        "satisfaction",
        _("Satisfaction"),
        _("Mean answer of the surveys of the period ÷ the best answer."),
        RATIO,
        words.RELATIONS,
        _RELATIONS,
    ),
    _absent(
        "active_outlets",
        _("Active outlets"),
        _("Outlets that the partner supplied in the period."),
        COUNT,
        words.OUTLETS,
        _("It needs outlets in sell-through, which are not there yet."),
    ),
]
