"""Rows of another territory do not exist: on pages, in lists, files, choices and search."""

import csv
import io

import pytest

from core import workflow
from tests.contract import routes
from tests.contract.samples import SAMPLES

SCOPED = [
    pages for label, pages in routes.PAGES.items() if label in SAMPLES and not SAMPLES[label].shared
]


def pair(cast, pages):
    """A row of the north and one of the south."""
    make_row = SAMPLES[pages.model._meta.label_lower].row
    return make_row(cast.north_partner), make_row(cast.south_partner)


def viewer(cast, pages):
    """The manager of the north, or its administrator where managers have no permission."""
    return cast.north_manager if pages.allows(cast.north_manager, "view") else None


@pytest.mark.parametrize("pages", SCOPED, ids=routes.label)
@pytest.mark.parametrize("action", ["detail", "edit", "delete", "history"])
def test_a_row_of_another_territory_is_not_found(pages, action, cast, sign_in):
    route = routes.of(pages, action)
    if route is None:
        assert action in pages.exclude
        return
    _mine, other = pair(cast, pages)
    client = sign_in(cast.north_manager)
    assert client.get(route.url(other.pk)).status_code == 404
    assert client.post(route.url(other.pk)).status_code == 404
    assert type(other)._default_manager.filter(pk=other.pk).exists()


@pytest.mark.parametrize("pages", routes.with_action("transition"), ids=routes.label)
def test_a_row_of_another_territory_does_not_change_its_state(pages, cast, sign_in):
    if pages not in SCOPED:
        assert SAMPLES[pages.model._meta.label_lower].shared
        return
    _mine, other = pair(cast, pages)
    client = sign_in(cast.north_manager)
    for name in workflow.names(pages.model):
        url = routes.of(pages, "transition").url(other.pk, name=name)
        assert client.post(url, {"reason": "x"}).status_code == 404
    before = getattr(other, pages.state_field)
    other.refresh_from_db()
    assert getattr(other, pages.state_field) == before


@pytest.mark.parametrize("pages", SCOPED, ids=routes.label)
def test_lists_and_files_hold_only_what_is_seen(pages, cast, sign_in):
    mine, other = pair(cast, pages)
    user = viewer(cast, pages)
    if user is None:
        assert sign_in(cast.north_manager).get(pages.url("list")).status_code == 403
        return
    client = sign_in(user)
    seen = set(pages.model._default_manager.visible_to(user).values_list("pk", flat=True))
    assert mine.pk in seen and other.pk not in seen
    html = client.get(pages.url("list")).content.decode()
    route = routes.of(pages, "detail")
    if route:
        assert route.url(mine.pk) in html
        assert route.url(other.pk) not in html
    text = b"".join(client.get(pages.url("export")).streaming_content).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) - 1 == len(seen)


@pytest.mark.parametrize("pages", [p for p in SCOPED if routes.of(p, "options")], ids=routes.label)
def test_choices_hold_only_what_is_seen(pages, cast, sign_in):
    _mine, other = pair(cast, pages)
    user = viewer(cast, pages) or cast.administrator
    keys = {row["id"] for row in sign_in(user).get(pages.url("options")).json()["results"]}
    assert keys <= set(pages.model._default_manager.visible_to(user).values_list("pk", flat=True))
    assert (other.pk in keys) == (user == cast.administrator)


@pytest.mark.parametrize("pages", routes.with_action("create"), ids=routes.label)
def test_the_choices_of_a_form_hold_only_what_is_seen(pages, cast, rf):
    page = pages()
    page.request = rf.get("/")
    page.request.user = cast.north_manager
    form = page.get_form(pages.model())
    for name, field in form.fields.items():
        queryset = getattr(field, "queryset", None)
        if queryset is not None:
            visible = queryset.model._default_manager.visible_to(cast.north_manager)
            assert not queryset.exclude(pk__in=visible.values("pk")).exists(), name


@pytest.mark.parametrize("text", ["Southern", "SOUTH-1"])
def test_search_finds_nothing_of_another_territory(text, cast, sign_in):
    path = "/search/"
    assert "Southern" not in sign_in(cast.north_manager).get(path, {"q": text}).content.decode()
    assert "Southern" in sign_in(cast.director).get(path, {"q": text}).content.decode()


def test_a_partner_learns_of_no_other_partner(cast, sign_in):
    """Every page a partner's person can open, read for the name and the code of another."""
    client = sign_in(cast.north_person)
    opened = 0
    for route in routes.ROUTES:
        if route.needs_row or route.pattern.startswith("api/") or "<" in route.pattern:
            continue
        response = client.get(route.url())
        if response.status_code != 200:
            continue
        body = b"".join(response) if response.streaming else response.content
        assert b"Southern" not in body and b"SOUTH-1" not in body, route.name
        opened += 1
    assert opened > 10
