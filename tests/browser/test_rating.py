"""Rating with nothing but the keyboard."""

from datetime import date

from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from partners.models import Partner
from performance.models import Rating
from tests import factories as make


def test_marks_are_given_by_keys(signed_in: Page):
    version = make.make_scheme_version(rating_days=10)
    make.make_scheme_item(version, code="service", basis="rating", measure="", name="Service")
    evaluation = make.make_evaluation(
        version=version, state="rating", rating_before=date(2130, 1, 1)
    )
    for partner in Partner.objects.all():
        make.make_score(partner, evaluation=evaluation)
    make.make_rater(evaluation, get_user_model().objects.get(username="director"))
    page = signed_in
    page.goto(reverse("performance:evaluation_rate", args=[evaluation.pk]))
    rows, progress = page.locator(".rate-row"), page.locator("#rate-progress")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("4")
    expect(progress).to_have_text("1 of 3 rated")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("5")  # needs evidence, so the row asks for it
    expect(rows.nth(1).locator("textarea")).to_be_focused()
    page.keyboard.type("A second shop")
    page.keyboard.press("Control+Enter")
    expect(progress).to_have_text("2 of 3 rated")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("0")
    expect(progress).to_have_text("1 of 3 rated")
    [left] = Rating.objects.all()
    assert (left.mark, left.evidence, left.partner.name) == (5, "A second shop", "Beta Trading")
