"""axe reads every kind of page and finds nothing serious, on a desk, on a phone, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from core.views import registry
from partners.models import Partner
from tests import factories as make

SERIOUS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """“rule: where it was found first” of what axe calls serious."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in SERIOUS]


@pytest.fixture
def network(signed_in: Page) -> Page:
    """A row of everything that has pages, and somebody who may open them all."""
    User.objects.filter(username="director").update(is_superuser=True)
    partner = Partner.objects.order_by("pk").first()
    make.make_fact(partner)
    make.make_target(partner)
    make.make_plan_line(partner)
    make.make_contact(partner)
    make.make_site(partner)
    make.make_schedule()
    make.make_score(partner)
    return signed_in


def addresses() -> list[str]:
    """The list, the first row and the form of every model, and the pages beside them."""
    found = ["/", "/jobs/", reverse("core:import_upload"), "/performance/run/", "/account/2fa/"]
    for view in registry.values():
        found.append(view.url("list"))
        if "create" in view.routes():
            found.append(view.url("create"))
        row = view.model.objects.order_by("pk").first()
        if row is not None and "detail" in view.routes():
            found.append(view.url("detail", row.pk))
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(network: Page, width: int, scheme: str):
    network.set_viewport_size({"width": width, "height": 900})
    network.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for address in addresses():
        assert network.goto(address).status == 200, address
        if wrong := violations(network):
            found[address] = wrong
    assert found == {}


def test_axe_finds_nothing_serious_before_signing_in(page: Page):
    page.goto(reverse("account_login"))
    assert violations(page) == []
