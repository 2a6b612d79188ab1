"""The way in, as a person walks it."""

import re

from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect


def test_a_person_signs_in_and_is_let_in(page: Page):
    get_user_model().objects.create_user(
        "director", email="director@example.com", password="a-long-secret", role="director"
    )
    page.goto("/account/login/")
    page.locator("input[name=login]").fill("director")
    page.locator("input[name=password]").fill("a-long-secret")
    page.locator("form button[type=submit]").first.click()
    expect(page).not_to_have_url(re.compile("/account/login/"))


def test_a_wrong_password_is_told_and_leads_nowhere(page: Page):
    page.goto("/account/login/")
    page.locator("input[name=login]").fill("director")
    page.locator("input[name=password]").fill("wrong")
    page.locator("form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile("/account/login/"))
    expect(page.locator("input[name=password]")).to_be_visible()
