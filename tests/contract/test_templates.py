"""Every page renders in both languages, empty and full, without a variable that is not there."""

import pytest

from tests.contract import routes
from tests.contract.samples import SAMPLES

GETS = ("list", "filters", "choose_columns", "create", "detail", "edit", "delete", "history")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "pages", routes.PAGES.values(), ids=lambda pages: pages.model._meta.label_lower
)
def test_no_template_reads_what_is_not_there(pages, language, cast, sign_in, strict_templates):
    client = sign_in(cast.administrator)
    session = client.session
    session["language"] = language
    session.save()
    mine = [route for route in routes.ROUTES if route.pages is pages and route.action in GETS]
    for route in mine:
        if not route.needs_row:
            assert client.get(route.url()).status_code == 200, route.name
    row = SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)
    for route in mine:
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(route.url(row.pk), headers=headers)
            assert response.status_code == 200, route.name
            assert response.headers["Content-Language"] == language


@pytest.mark.parametrize("pages", routes.with_action("detail"), ids=routes.label)
def test_every_tab_opens(pages, cast, sign_in, strict_templates):
    from core import tabs

    row = SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)
    client = sign_in(cast.director if pages.allows(cast.director, "view") else cast.administrator)
    for tab in tabs.of(pages.model, row, cast.director):
        response = client.get(pages.url("detail", row.pk), {"tab": tab.key})
        assert response.status_code == 200, tab.key
