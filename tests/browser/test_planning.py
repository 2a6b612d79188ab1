"""The grid of a target plan with the keyboard, and on a phone."""

from datetime import date
from decimal import Decimal

from playwright.sync_api import Page, expect

from partners.models import Partner
from tests import factories as make


def test_the_grid_is_filled_with_the_keyboard(signed_in: Page):
    partners = list(Partner.objects.order_by("name"))
    plan = make.make_plan(territory=partners[0].territory)
    for partner in partners:
        for month in (1, 2):
            make.make_plan_line(partner, plan=plan, month=date(2026, month, 1))
    signed_in.goto(f"/sales/plans/{plan.pk}/")
    signed_in.get_by_label("Alpha Trading 2026-01", exact=True).click()
    for typed in ("1500", "1,750.50", "-3"):
        signed_in.keyboard.press("Control+a")
        signed_in.keyboard.type(typed)
        signed_in.keyboard.press("Enter")
    expect(signed_in.locator("#plan-figures")).to_contain_text("7,251")
    signed_in.get_by_label("Gamma Networks 2026-01", exact=True).press("Tab")
    expect(signed_in.locator(".plan-grid [role=alert]")).to_be_visible()
    amounts = plan.lines.filter(month=date(2026, 1, 1)).order_by("partner__name")
    assert list(amounts.values_list("amount", flat=True)) == [
        Decimal(1500),
        Decimal("1750.50"),
        Decimal(1000),
    ]


def test_the_grid_fits_a_phone_and_its_panel_opens(signed_in: Page):
    partner = Partner.objects.get(name="Alpha Trading")
    plan = make.make_plan_line(partner).plan
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.goto(f"/sales/plans/{plan.pk}/")
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= 390
    signed_in.get_by_role("button", name="Alpha Trading").click()
    panel = signed_in.locator("dialog#panel[open]")
    for label, typed in (("Manager 2026-01", "1200"), ("Comment 2026-01", "opens a shop")):
        box = panel.get_by_label(label, exact=True)
        box.fill(typed)
        with signed_in.expect_response("**/enter/"):
            box.press("Tab")
    line = plan.lines.get()
    assert (line.manager, line.comment) == (Decimal(1200), "opens a shop")
