"""A real browser: `page` is a Chromium page whose base address is the live server.

The Chromium that is on the machine is used. Without one these tests are skipped, except in CI,
where it is installed before and a skip would hide that nothing was looked at.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import factories as make

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing here may call home: the machine may have no network, and then it only costs time.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 1000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            # The live server answers from another thread: its data must really be committed.
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        reason = f"no browser on this machine: none of {', '.join(NAMES)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    # Playwright's loop runs in this thread; Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "Browser", live_server) -> Iterator["Page"]:
    """A fresh page at 1440 px; an error in the page's own scripts fails the test."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 1440, "height": 900}, locale="en-US"
    )
    fresh = context.new_page()
    fresh.set_default_timeout(10 * SECONDS)
    errors: list[str] = []
    fresh.on("pageerror", lambda error: errors.append(str(error)))
    yield fresh
    context.close()
    assert errors == []


@pytest.fixture
def signed_in(page: "Page") -> "Page":
    """The page of a director, with three partners to look at."""
    director = make.make_user("director", username="director")
    director.set_password("a-long-secret")
    director.save()
    north = make.make_territory("North")
    for number, name in enumerate(("Alpha Trading", "Beta Trading", "Gamma Networks")):
        make.make_partner(name, territory=north, code=f"P-{number}", owner=director)
    page.goto("/account/login/")
    page.locator("input[name=login]").fill("director")
    page.locator("input[name=password]").fill("a-long-secret")
    page.locator("form button[type=submit]").first.click()
    page.locator("#side").wait_for()
    return page
