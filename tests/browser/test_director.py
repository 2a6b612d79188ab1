"""A year in the life of a scorecard: a director builds it, tries it on two years, publishes and
schedules it, collects marks, answers an appeal and hands over a PDF; nobody helps."""

from collections.abc import Callable
from decimal import Decimal
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Territory, User
from core.periods import Period
from partners.models import Partner
from performance.models import Appeal, BacktestReport, Evaluation, SchemeVersion, Score
from tests import factories as make

QUARTERS = 8
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def last() -> Period:
    """The last quarter that is over."""
    return Period.containing("quarter", timezone.localdate()).previous()


@pytest.fixture
def other(browser: Browser, live_server) -> Callable[..., Page]:
    """The page of somebody else, signed in, in a window of its own."""
    windows = []

    def open_for(user: User, **options) -> Page:
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "accounts.backends.RoleBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["language"] = "en"
        session.save()
        context = browser.new_context(base_url=live_server.url, locale="en-US", **options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key}
        context.add_cookies([{**cookie, "url": live_server.url}])
        windows.append(context)
        return context.new_page()

    yield open_for
    for context in windows:
        context.close()


def fill_two_years(last: Period) -> None:
    """Alpha buys 90 % of its target of 3,000 a quarter, Beta all of it, Gamma half."""
    quarter = last
    for _number in range(QUARTERS):
        for partner, share in zip(Partner.objects.order_by("code"), (90, 100, 50), strict=True):
            make.make_target(partner, month=quarter.start, amount=Decimal(3000))
            fact = {"occurred_on": quarter.start, "amount": Decimal(30 * share)}
            make.make_fact(partner, kind="sell_in", **fact)
        quarter = quarter.previous()


def in_force() -> SchemeVersion:
    """A scheme that the draft is compared with."""
    version = make.make_scheme_version(make.make_scheme(code="old", name="Old card"))
    curve = {"kind": "proportional"}
    make.make_scheme_item(version, code="all", measure="target_attainment", curve=curve)
    SchemeVersion.objects.filter(pk=version.pk).update(state="published")
    return version


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toasts .note")).to_contain_text("Saved")


def confirm(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).click()
    page.locator("dialog[open]").get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#toasts .note")).to_be_visible()


def add_item(page: Page, fields: dict[str, str], chosen: dict[str, str]) -> None:
    page.get_by_role("link", name="Add an item").click()
    for name, value in chosen.items():
        page.select_option(f"[name={name}]", value)
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    save(page)


def rate_all(page: Page, evaluation: Evaluation, key: str) -> None:
    page.goto(f"/performance/evaluations/{evaluation.pk}/rate/")
    for number in range(3):
        expect(page.locator(".rate-row").nth(number)).to_be_focused()
        page.keyboard.press(key)
    expect(page.locator("#rate-progress")).to_have_text("3 of 3 rated")


def test_from_an_empty_scheme_to_a_partner_with_its_scorecard(
    signed_in: Page, other: Callable[..., Page], last: Period
):
    director, alpha = signed_in, Partner.objects.get(code="P-0")
    north = Territory.objects.get(name="North")
    managers = [make.make_user("sales_manager", territories=[north]) for _number in range(3)]
    boss = make.make_membership(alpha).user
    make.make_level(code="golden", name="金奖", name_en="Golden", rank=9000)
    fill_two_years(last)
    in_force()

    # The card.
    director.goto("/performance/schemes/")
    director.get_by_role("link", name="New scheme").click()
    for name, value in (("code", "card"), ("name", "季度卡"), ("name_en", "Quarterly card")):
        director.fill(f"[name={name}]", value)
    save(director)
    director.get_by_role("button", name="Work on a draft").click()
    measured = {"measure": "target_attainment", "curve_kind": "proportional"}
    add_item(director, {"code": "attainment", "weight": "70", "cap": "120"}, measured)
    expect(director.locator("main")).to_contain_text("cannot be published yet")
    rated = {"code": "service", "name": "服务", "name_en": "Service", "weight": "30"}
    rated |= {"anchor_1": "bad", "anchor_3": "fair", "anchor_5": "good"}
    rated |= {"curve_text": "1 → 0\n5 → 100"}
    add_item(director, rated, {"basis": "rating", "curve_kind": "linear"})
    director.locator("main").get_by_role("link", name="Edit").first.click()
    for name, value in (("rating_days", "10"), ("review_days", "20"), ("appeal_days", "7")):
        director.fill(f"[name={name}]", value)
    save(director)
    director.get_by_role("link", name="Add a level").click()
    director.select_option("[name=level]", label="Golden")
    director.fill("[name=min_total]", "85")
    save(director)

    # Two years of it.
    draft = SchemeVersion.objects.get(scheme__code="card")
    director.goto(f"/performance/versions/{draft.pk}/?tab=backtests")
    director.get_by_role("link", name="Run a backtest").click()
    director.select_option("[name=against]", label="Old card v1")
    first = last
    for _number in range(QUARTERS - 1):
        first = first.previous()
    director.fill("[name=first]", first.code)
    director.fill("[name=last]", last.code)
    director.get_by_role("button", name="Run a backtest").click()
    director.get_by_role("link", name="Show the result").click()
    expect(director.locator("h1")).to_contain_text("Quarterly card v1")
    assert len(BacktestReport.objects.get().result["periods"]) == QUARTERS

    # In force, and on its schedule.
    director.goto(f"/performance/versions/{draft.pk}/")
    confirm(director, "Publish")
    assert BacktestReport.objects.get().state == BacktestReport.State.ATTACHED
    director.get_by_role("link", name="Add a schedule").click()
    director.select_option("[name=every]", "quarter")
    save(director)
    assert draft.scheme.schedules.get().every == "quarter"

    # A quarter, three managers, and what they say.
    director.goto(f"/performance/run/?scheme={draft.scheme_id}")
    director.fill("[name=period]", last.code)
    director.get_by_role("button", name="Run an evaluation").click()
    evaluation = Evaluation.objects.get(scheme__code="card")
    for manager, key in zip(managers, "443", strict=True):
        rate_all(other(manager), evaluation, key)
    director.goto(f"/performance/evaluations/{evaluation.pk}/")
    director.get_by_role("button", name="Close ratings").click()
    director.goto(f"/performance/evaluations/{evaluation.pk}/")
    confirm(director, "Publish")
    # 90 of 120 points by attainment; a mean mark of 3.666667 is 66.6667 points.
    assert totals(evaluation) == {"P-0": Decimal(83), "P-1": Decimal(90), "P-2": Decimal(55)}

    # The partner is not content.
    phone = other(boss, viewport=PHONE)
    phone.goto("/performance/scores/")
    phone.locator("#list a").filter(has_text="Alpha").first.click()
    phone.get_by_role("link", name="File an appeal").first.click()
    phone.select_option("[name=item_code]", "service")
    phone.fill("[name=claim]", "We answered every call.")
    save(phone)
    appeal = Appeal.objects.get()
    director.goto(f"/performance/appeals/{appeal.pk}/")
    director.get_by_role("button", name="Take it on").click()
    director.get_by_role("link", name="Decide").click()
    director.select_option("[name=outcome]", label="Accept")
    director.fill("[name=points]", "100")
    director.fill("[name=reason]", "So they did.")
    director.locator("form .btn-primary").last.click()
    expect(director.locator("#toasts .note")).to_contain_text("has its answer")
    director.goto(f"/performance/evaluations/{evaluation.pk}/revise/")
    director.fill("[name=reason]", "Appeal of Alpha")
    director.locator("form .btn-primary").last.click()
    revision = Evaluation.objects.get(revision=2)
    director.goto(f"/performance/evaluations/{revision.pk}/")
    confirm(director, "Publish")
    assert totals(revision) == {"P-0": Decimal(93), "P-1": Decimal(90), "P-2": Decimal(55)}

    # And has it on paper.
    score = Score.objects.get(evaluation=revision, partner=alpha)
    phone.goto(f"/performance/scores/{score.pk}/")
    expect(phone.locator("main")).to_contain_text("93.00")
    for language in ("中文", "English"):
        phone.locator("summary", has_text="PDF").click()
        with phone.expect_download() as download:
            phone.get_by_role("link", name=language, exact=True).click()
        assert download.value.path().read_bytes().startswith(b"%PDF-")
        phone.keyboard.press("Escape")
    phone.goto(f"/performance/appeals/{appeal.pk}/")
    expect(phone.locator("main")).to_contain_text("So they did.")


def totals(evaluation: Evaluation) -> dict[str, Decimal]:
    return dict(evaluation.scores.values_list("partner__code", "total"))
