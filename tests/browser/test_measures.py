"""A measure made in a browser: the preview follows what is typed."""

from decimal import Decimal

from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from core.periods import Period
from partners.models import Partner
from performance.models import DerivedMeasure
from tests import factories as make


def test_a_derived_measure_shows_what_it_gives_while_it_is_typed(signed_in: Page):
    partner, today = Partner.objects.get(code="P-0"), timezone.localdate()
    for kind, amount in (("sell_in", 400), ("sell_through", 300)):
        make.make_fact(partner, kind=kind, amount=Decimal(amount), occurred_on=today)
    cache.clear()  # the newest day with data is remembered for a minute
    signed_in.goto("/performance/measures/derived/new/")
    preview = signed_in.locator("#preview")
    expect(preview).to_contain_text("Write an expression")
    signed_in.locator("button[data-text=sell_through_net]").click()
    signed_in.keyboard.type(" / ")
    signed_in.locator("button[data-text=sell_in_net]").click()
    expect(preview).to_contain_text("Net sell-through 300 ÷ Net sell-in 400 = 75")
    signed_in.locator("[name=expression]").fill("sell_in_net + active_months")
    expect(preview).to_contain_text("cannot be added, subtracted or compared")
    signed_in.locator("[name=expression]").fill("sell_in_net")
    expect(preview).to_contain_text("Choose that as its unit.")
    signed_in.locator("[name=unit]").select_option("currency")
    expect(preview.locator("[data-example-value]")).to_have_text("400")
    for name in ("code", "name", "definition"):
        signed_in.locator(f"[name={name}]").fill("typed")
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("typed")
    assert DerivedMeasure.objects.get().expression == "sell_in_net"
    before = Period.containing("month", today).previous()
    signed_in.locator("#example [name=period]").select_option(before.code)
    expect(signed_in.locator("#example [data-example-value]")).to_have_text("0")
