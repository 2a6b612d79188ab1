"""Who may open which address: every route against the matrix, for the whole cast."""

import pytest
from django.test import Client

from tests.contract import routes
from tests.contract.matrix import EVERYBODY, MODELS, OPEN, PAGES, READS, VERBS
from tests.contract.samples import SAMPLES

ACTION = {
    "list": "view",
    "filters": "view",
    "choose_columns": "view",
    "export": "view",
    "bulk": "view",
    "detail": "view",
    "history": "view",
    "create": "add",
    "edit": "change",
    "delete": "delete",
}


def test_every_address_is_in_the_matrix():
    models = {route.pages.model._meta.label_lower for route in routes.ROUTES if route.pages}
    assert models - set(MODELS) == set()
    assert models - set(SAMPLES) == set()
    odd = {r.name for r in routes.ROUTES if not r.pages and not r.pattern.startswith("api/")}
    assert odd == set(PAGES) | set(OPEN)


def may(pages, action):
    """Who may: a row's history is for those who may also read events."""
    access = MODELS[pages.model._meta.label_lower]
    people = getattr(access, ACTION[action])
    return people & MODELS["core.event"].view if action == "history" else people


def plain_routes(pages):
    return [r for r in routes.ROUTES if r.pages is pages and r.action in ACTION]


every_model = pytest.mark.parametrize(
    "pages", routes.PAGES.values(), ids=lambda pages: pages.model._meta.label_lower
)


@every_model
def test_anonymous_visitors_are_asked_to_sign_in(pages, cast):
    row = SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)
    for route in plain_routes(pages):
        response = Client().get(route.url(row.pk))
        assert response.status_code == 302, route.name
        assert response.url.startswith("/account/login/?next="), route.name


@pytest.mark.parametrize("name", sorted(PAGES))
def test_anonymous_visitors_are_asked_to_sign_in_to_odd_pages(name, db):
    route = next(r for r in routes.ROUTES if r.name == name)
    response = Client().get(route.url(1, **PAGES[name].arguments))
    assert (response.status_code, response.headers.get("Location", "")[:15]) == (
        302,
        "/account/login/",
    )


@every_model
def test_each_role_gets_what_the_matrix_says(pages, cast, sign_in):
    row = SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)
    found, expected = {}, {}
    for member in EVERYBODY:
        client = sign_in(getattr(cast, member))
        seen = sees(row, getattr(cast, member))
        for route in plain_routes(pages):
            status = client.get(route.url(row.pk)).status_code
            found[route.name, member] = "yes" if status in (200, 302) else status
            allowed = member in may(pages, route.action)
            expected[route.name, member] = (
                404 if route.needs_row and not seen else "yes" if allowed else 403
            )
    assert found == expected


def sees(row, user):
    return type(row)._default_manager.visible_to(user).filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_odd_pages_open_for_whom_the_matrix_names(name, cast, sign_in):
    route = next(r for r in routes.ROUTES if r.name == name)
    page = PAGES[name]
    key = page.row(cast).pk if page.row else 1
    found = {}
    for member in EVERYBODY:
        client = sign_in(getattr(cast, member))
        send = client.post if page.post else client.get
        status = send(route.url(key, **page.arguments)).status_code
        found[member] = "yes" if status in (200, 204, 302, 422) else status
    assert found == {m: "yes" if m in page.open_to else page.refusal.get(m, 403) for m in EVERYBODY}


def test_every_verb_of_the_api_is_in_the_matrix():
    api = {r.name for r in routes.ROUTES if r.pattern.startswith("api/v1/") and not r.needs_row}
    usual = {name for name in api if name.endswith("-list")} | {"api:docs", "api:schema"}
    assert api - usual == set(VERBS) | set(READS)


@pytest.mark.parametrize("name", sorted(READS))
def test_what_is_read_by_the_api_opens_for_whom_the_matrix_names(name, cast, sign_in):
    page = READS[name]
    url = next(r for r in routes.ROUTES if r.name == name).url(**page.arguments)
    query = {"partner": page.row(cast).pk, "period": "2026Q1"} if page.row else {}
    assert Client().get(url, query).status_code == 401
    found = {m: sign_in(getattr(cast, m)).get(url, query).status_code for m in EVERYBODY}
    assert found == {m: 200 if m in page.open_to else 403 for m in EVERYBODY}


@pytest.mark.parametrize("name", sorted(VERBS))
def test_verbs_of_the_api_open_for_whom_the_matrix_names(name, cast, sign_in):
    url = next(r for r in routes.ROUTES if r.name == name).url()
    ask = {"data": VERBS[name].body, "content_type": "application/json"}
    assert Client().post(url, **ask).status_code == 401
    found = {m: sign_in(getattr(cast, m)).post(url, **ask).status_code for m in EVERYBODY}
    assert found == {m: 200 if m in VERBS[name].open_to else 403 for m in EVERYBODY}
