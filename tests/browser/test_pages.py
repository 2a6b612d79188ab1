"""Journeys through the pages, as a person with mouse and keyboard makes them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make


def lines(page: Page) -> list[str]:
    return page.locator("#list .row-link").all_inner_texts()


def test_searching_a_list_swaps_the_table_and_the_address(signed_in: Page):
    signed_in.goto("/partners/")
    signed_in.keyboard.press("/")
    signed_in.keyboard.type("trading")
    expect(signed_in).to_have_url(re.compile(r"\?q=trading"))
    expect(signed_in.locator("#list .row-link")).to_have_count(2)
    signed_in.get_by_role("link", name="Name").click()
    expect(signed_in).to_have_url(re.compile(r"q=trading.*sort=name"))
    signed_in.go_back()
    signed_in.reload()
    assert lines(signed_in) == ["Alpha Trading", "Beta Trading"]


def test_the_filter_drawer_narrows_and_a_chip_widens_again(signed_in: Page):
    signed_in.goto("/partners/?q=trading")
    signed_in.get_by_role("button", name="Filter").click()
    signed_in.locator("#drawer").get_by_label("Prospect").check()
    signed_in.locator("#drawer").get_by_role("button", name="Show").click()
    expect(signed_in.get_by_text("Nothing matches.")).to_be_visible()
    expect(signed_in).to_have_url(re.compile("q=trading"))
    signed_in.get_by_role("link", name=re.compile("Remove filter")).click()
    expect(signed_in.locator("#list .row-link")).to_have_count(2)


def test_a_row_opens_wherever_it_is_clicked(signed_in: Page):
    signed_in.goto("/partners/")
    cell = signed_in.locator("#list tbody tr").nth(1).locator("td").nth(3).bounding_box()
    signed_in.mouse.click(cell["x"] + 20, cell["y"] + 10)
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Beta Trading")


def test_the_palette_walks_with_the_keyboard(signed_in: Page):
    signed_in.keyboard.press("Control+k")
    signed_in.keyboard.type("gamma")
    expect(signed_in.locator("#palette [role=option]").first).to_contain_text("Gamma Networks")
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Gamma Networks")


def test_ticking_rows_suspends_them_after_a_question(signed_in: Page):
    signed_in.goto("/partners/?q=trading")
    signed_in.locator("[data-tick-all]").check()
    expect(signed_in.get_by_text("2 rows selected")).to_be_visible()
    signed_in.get_by_role("button", name="Suspend").click()
    signed_in.locator("textarea[name=reason]").fill("audit")
    signed_in.get_by_role("button", name="Suspend").click()
    expect(signed_in.get_by_text("2 rows changed.")).to_be_visible()
    expect(signed_in.locator("#list .badge", has_text="Suspended")).to_have_count(2)


def test_a_lookup_finds_by_typing(signed_in: Page):
    signed_in.goto("/partners/new/")
    signed_in.get_by_label("Name", exact=True).fill("Delta")
    signed_in.locator("#id_code").fill("P-9")
    signed_in.locator("#id_territory").fill("nor")
    expect(signed_in.locator(".lookup [role=option]").first).to_have_text("North")
    signed_in.keyboard.press("Enter")
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Delta")


def test_dark_stays_dark(signed_in: Page):
    signed_in.get_by_role("button", name="Light or dark").click()
    signed_in.goto("/partners/")
    expect(signed_in.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_chart_is_drawn(signed_in: Page):
    from core import navigation
    from partners.models import Partner

    partner = Partner.objects.get(code="P-0")
    fact = make.make_fact(partner)
    navigation.cache.clear()
    signed_in.goto(f"/partners/{partner.pk}/?period={fact.occurred_on:%Y}Q1")
    expect(signed_in.locator("[data-chart] canvas")).to_be_visible()
    signed_in.get_by_text("Figures as a table").click()
    expect(signed_in.get_by_role("row", name="2026-01")).to_contain_text("100")


@pytest.mark.parametrize("path", ["/", "/partners/", "/partners/new/", "/jobs/"])
def test_nothing_overflows_on_a_phone(signed_in: Page, path: str):
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.goto(path)
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= 390
    signed_in.get_by_role("button", name="Menu", exact=True).click()
    expect(signed_in.locator("#side")).to_be_visible()


def test_no_page_breaks_the_content_security_policy(signed_in: Page):
    said: list[str] = []
    signed_in.on("console", lambda message: said.append(message.text))
    for path in ("/", "/partners/", "/partners/new/", "/account/2fa/", "/jobs/"):
        signed_in.goto(path)
    assert [text for text in said if "Content Security Policy" in text] == []


def test_a_curve_is_drawn_while_it_is_written(signed_in: Page):
    version = make.make_scheme_version()
    signed_in.goto(f"/performance/items/new/?version={version.pk}")
    preview = signed_in.locator("#item-preview")
    expect(preview.get_by_text("The curve cannot be drawn yet.")).to_be_visible()
    signed_in.locator("#id_code").fill("growth")
    signed_in.locator("#id_measure").select_option("growth_yoy")
    signed_in.locator("#id_weight").fill("40")
    signed_in.locator("#id_curve_text").fill("-10% → 0\n15% → 100")
    expect(preview.locator("canvas")).to_be_visible()
    expect(preview.get_by_text("Weights: 40 of 100")).to_be_visible()
    signed_in.locator("#id_curve_text").fill("-10% → 100\n15% → 0")
    expect(preview.get_by_text("A better value must not score fewer points.")).to_be_visible()
    # What belongs to another basis is not shown.
    expect(signed_in.locator("#id_raters")).to_be_hidden()
    signed_in.locator("#id_basis").select_option("rating")
    expect(signed_in.locator("#id_raters")).to_be_visible()
    expect(signed_in.locator("#id_measure")).to_be_hidden()
