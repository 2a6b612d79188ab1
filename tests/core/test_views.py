"""The mechanism of CRUDView, on the pages of partners."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from core import audit
from core.models import Event, Job
from core.views import registry
from partners.models import Contact, Partner
from tests import factories as make
from tests.cast import Cast

HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_user(client: Client) -> Any:
    """A client signed in as somebody of the cast."""

    def sign_in(user: Any) -> Client:
        client.force_login(user)
        session = client.session
        session["language"] = "en"
        session.save()
        return client

    return sign_in


def text(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


# --- Who may ---


def test_anonymous_is_sent_to_the_sign_in_page(cast: Cast, client: Client) -> None:
    response = client.get("/partners/?q=x")
    assert response.status_code == 302
    assert response["Location"] == "/account/login/?next=/partners/%3Fq%3Dx"


def test_list_shows_only_what_is_visible(cast: Cast, as_user: Any) -> None:
    page = text(as_user(cast.north_manager).get("/partners/"))
    assert "Northern Trading" in page
    assert "Southern Trading" not in page


@pytest.mark.parametrize("route", ["", "edit/", "delete/", "history/"])
def test_unseen_is_404(cast: Cast, as_user: Any, route: str) -> None:
    path = f"/partners/{cast.south_partner.pk}/{route}"
    assert as_user(cast.north_manager).get(path).status_code == 404


@pytest.mark.parametrize(("route", "status"), [("", 200), ("edit/", 403), ("delete/", 403)])
def test_seen_but_not_allowed_is_403(cast: Cast, as_user: Any, route: str, status: int) -> None:
    path = f"/partners/{cast.north_partner.pk}/{route}"
    assert as_user(cast.finance).get(path).status_code == status


def test_transition_of_an_unseen_row_is_404(cast: Cast, as_user: Any) -> None:
    path = f"/partners/{cast.south_partner.pk}/transition/resume/"
    assert as_user(cast.north_manager).post(path).status_code == 404


def test_lookup_offers_only_visible_rows(cast: Cast, as_user: Any) -> None:
    answer = as_user(cast.north_manager).get("/partners/options/?q=trading").json()
    assert answer == {"results": [{"id": cast.north_partner.pk, "text": "Northern Trading"}]}


def test_choices_of_a_form_are_narrowed(cast: Cast, as_user: Any) -> None:
    form = {"partner": cast.south_partner.pk, "name": "Li", "role": "sales"}
    response = as_user(cast.north_manager).post("/partners/contacts/new/", form)
    assert response.status_code == 422
    assert Contact.objects.count() == 0


# --- The list ---


def test_htmx_gets_only_the_table(cast: Cast, as_user: Any) -> None:
    response = as_user(cast.director).get("/partners/?q=north", headers=HTMX)
    assert "<html" not in text(response)
    assert "Northern Trading" in text(response)
    assert response["HX-Push-Url"] == "?q=north"
    assert response["Vary"].startswith("HX-Request")


def test_history_navigation_gets_the_whole_page(cast: Cast, as_user: Any) -> None:
    headers = {**HTMX, "HX-History-Restore-Request": "true"}
    assert "<html" in text(as_user(cast.director).get("/partners/", headers=headers))


def names(page: str) -> list[str]:
    """The partners in the order in which the list shows them."""
    found = [(page.index(name), name) for name in ("Northern", "Southern") if name in page]
    return [name for _at, name in sorted(found)]


def test_search_filter_and_sort(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)

    def listed(query: str) -> list[str]:
        return names(text(client.get(f"/partners/?{query}", headers=HTMX)))

    assert listed("") == ["Northern", "Southern"]
    assert listed("sort=-name") == ["Southern", "Northern"]
    assert listed("sort=nonsense") == ["Northern", "Southern"]
    assert listed("q=SOUTH trad") == ["Southern"]
    assert listed(f"territory={cast.north.pk}") == ["Northern"]
    assert listed(f"territory={cast.country.pk}") == ["Northern", "Southern"]
    assert listed("state=prospect") == []
    assert listed("state=prospect&state=active") == ["Northern", "Southern"]
    assert listed("page=999999999999") == ["Northern", "Southern"]


def test_a_filter_that_cannot_be_read_shows_nothing(cast: Cast, as_user: Any) -> None:
    page = text(as_user(cast.director).get("/partners/?state=nonsense", headers=HTMX))
    assert names(page) == []
    assert "This filter cannot be read" in page


def test_active_filters_are_chips_that_can_be_removed(cast: Cast, as_user: Any) -> None:
    address = f"/partners/?state=active&territory={cast.north.pk}&sort=code"
    page = text(as_user(cast.director).get(address, headers=HTMX))
    assert f'href="?territory={cast.north.pk}&amp;sort=code"' in page
    assert 'href="?state=active&amp;sort=code"' in page


def test_the_filter_form_comes_on_demand(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    assert 'name="channel_type"' not in text(client.get("/partners/"))
    assert 'name="channel_type"' in text(client.get("/partners/filters/", headers=HTMX))


def test_columns_and_page_size_are_kept(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    client.post("/partners/columns/", {"columns": ["code", "nonsense"], "query": ""})
    page = text(client.get("/partners/?size=25", headers=HTMX))
    assert "NORTH-1" in page
    assert "Distributor" not in page
    cast.director.refresh_from_db()
    assert cast.director.preferences == {"partners.partner": {"columns": ["code"], "size": 25}}


def test_a_name_is_escaped(cast: Cast, as_user: Any) -> None:
    make.make_partner("<script>alert(1)</script>", territory=cast.north)
    page = text(as_user(cast.director).get("/partners/", headers=HTMX))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("path", ["/partners/", "/partners/export/?format=csv"])
def test_as_many_queries_for_three_rows_as_for_one(
    cast: Cast, as_user: Any, path: str, django_assert_num_queries: Any
) -> None:
    client = as_user(cast.director)
    client.get(path)
    for _turn in range(2):
        with django_assert_num_queries(3 if "export" not in path else 2):
            assert text(client.get(path))
        make.make_partner(territory=cast.north, owner=cast.director, level=make.make_level())
        make.make_partner(territory=cast.south)


# --- Export ---


def test_csv_has_what_is_seen(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    client.post("/partners/columns/", {"columns": ["name", "code", "state"], "query": ""})
    body = text(client.get("/partners/export/?format=csv&sort=-name&state=active"))
    assert body[0] == "\ufeff"
    assert list(csv.reader(io.StringIO(body[1:]))) == [
        ["name", "code", "state"],
        ["Southern Trading", "SOUTH-1", "Active"],
        ["Northern Trading", "NORTH-1", "Active"],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_a_formula_is_disarmed(cast: Cast, as_user: Any, name: str) -> None:
    Partner.objects.filter(pk=cast.north_partner.pk).update(name=name)
    client = as_user(cast.north_manager)
    body = text(client.get("/partners/export/?format=csv"))
    assert list(csv.reader(io.StringIO(body)))[1][0] == f"'{name}"
    book = load_workbook(io.BytesIO(b"".join(client.get("/partners/export/?format=xlsx"))))
    cell = book.active["A2"]
    assert (cell.value, cell.data_type) == (f"'{name}", "s")


def test_numbers_stay_numbers(cast: Cast, as_user: Any) -> None:
    make.make_product("Cable", list_price="12.5000")
    client = as_user(cast.director)
    book = load_workbook(io.BytesIO(b"".join(client.get("/catalog/products/export/?format=xlsx"))))
    header, row = book.active.iter_rows(values_only=True)
    assert row[header.index("list price")] == 12.5


# --- Bulk ---


def bulk(client: Client, **data: Any) -> Any:
    return client.post("/partners/bulk/", {"action": "suspend", "query": "?", **data})


def states() -> dict[str, str]:
    return dict(Partner.objects.values_list("code", "state"))


def test_bulk_asks_before_it_acts(cast: Cast, as_user: Any) -> None:
    response = bulk(as_user(cast.director), pk=[cast.north_partner.pk])
    assert "Suspend: 1 record of partners" in text(response)
    assert states() == {"NORTH-1": "active", "SOUTH-1": "active"}


def test_bulk_over_all_that_match(cast: Cast, as_user: Any) -> None:
    make.make_partner("North East", code="NORTH-2", territory=cast.north)
    query = f"?territory={cast.north.pk}"
    bulk(as_user(cast.director), all="1", query=query, confirmed="1", reason="audit")
    assert states() == {"NORTH-1": "suspended", "NORTH-2": "suspended", "SOUTH-1": "active"}
    assert Event.objects.filter(verb="partners.partner.suspend", reason="audit").count() == 2


def test_bulk_leaves_the_unseen_alone(cast: Cast, as_user: Any) -> None:
    ticked = [cast.north_partner.pk, cast.south_partner.pk]
    bulk(as_user(cast.north_manager), pk=ticked, confirmed="1", reason="audit")
    assert states() == {"NORTH-1": "suspended", "SOUTH-1": "active"}


def test_bulk_tells_why_a_row_was_left_alone(cast: Cast, as_user: Any) -> None:
    make.make_partner("Newcomer", code="NEW", state="prospect", territory=cast.north)
    client = as_user(cast.director)
    bulk(client, all="1", confirmed="1", reason="audit")
    assert states() == {"NORTH-1": "suspended", "SOUTH-1": "suspended", "NEW": "prospect"}
    page = text(client.get("/partners/"))
    assert "2 rows changed." in page
    assert "Newcomer: “Suspend” is not possible in state “Prospect”." in page


def test_bulk_delete_spares_what_is_needed(cast: Cast, as_user: Any) -> None:
    make.make_fact(cast.south_partner)
    bulk(as_user(cast.director), action="delete", all="1", confirmed="1")
    assert "SOUTH-1" in states()


@pytest.fixture
def two_rows_are_many(monkeypatch: Any) -> None:
    """Two rows are already work for a job, and the worker takes it up at once."""
    monkeypatch.setattr("core.views.bulk.INLINE_LIMIT", 1)
    monkeypatch.setattr("celery.app.task.Task.delay", lambda task, *args: task(*args))


def test_many_rows_are_changed_by_a_job(
    cast: Cast, as_user: Any, two_rows_are_many: None, django_capture_on_commit_callbacks: Any
) -> None:
    make.make_partner("Newcomer", code="NEW", state="prospect", territory=cast.north)
    with django_capture_on_commit_callbacks(execute=True):
        response = bulk(as_user(cast.director), all="1", confirmed="1", reason="audit")
    job = Job.objects.get()
    assert response.url == f"/jobs/{job.pk}/"
    assert (job.state, job.title) == ("done", "Suspend: 3 × partners")
    assert (job.result["rows changed"], job.result["rows left alone"]) == (2, 1)
    assert "“Suspend” is not possible in state “Prospect”." in job.result["why"]
    assert states() == {"NORTH-1": "suspended", "SOUTH-1": "suspended", "NEW": "prospect"}
    assert Event.objects.filter(verb="partners.partner.suspend", actor=cast.director).count() == 2


def test_a_job_changes_only_what_its_user_sees_and_matches(
    cast: Cast, as_user: Any, two_rows_are_many: None, django_capture_on_commit_callbacks: Any
) -> None:
    make.make_partner("North East", code="NORTH-2", territory=cast.north)
    make.make_partner("North West", code="NORTH-3", territory=cast.north)
    with django_capture_on_commit_callbacks(execute=True):
        bulk(as_user(cast.north_manager), all="1", query="?q=NORTH-", confirmed="1", reason="audit")
    assert states() == {
        "NORTH-1": "suspended",
        "NORTH-2": "suspended",
        "NORTH-3": "suspended",
        "SOUTH-1": "active",
    }


def test_a_job_is_refused_what_its_user_may_no_longer(
    cast: Cast, as_user: Any, two_rows_are_many: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        bulk(as_user(cast.director), all="1", confirmed="1", reason="audit")
    cast.director.role = "trainer"
    cast.director.save()
    for run in waiting:
        run()
    job = Job.objects.get()
    assert (job.state, job.error) == (
        "failed",
        "Your role does not allow this. Nothing was changed.",
    )
    assert states() == {"NORTH-1": "active", "SOUTH-1": "active"}


def test_a_bulk_action_without_permission_is_not_there(cast: Cast, as_user: Any) -> None:
    assert bulk(as_user(cast.finance), all="1", confirmed="1").status_code == 404


# --- One row ---


def test_create_and_edit_leave_one_event_each(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.north_manager)
    form = {"name": "Eastern", "code": "e-1", "channel_type": "dealer", "territory": cast.north.pk}
    client.post("/partners/new/", form)
    partner = Partner.objects.get(code="e-1")
    client.post(f"/partners/{partner.pk}/edit/", {**form, "channel_type": "agent"})
    created, updated = Event.objects.filter(object_id=partner.pk, scope_id=partner.pk).order_by(
        "id"
    )
    assert (created.verb, created.actor) == ("partners.partner.created", cast.north_manager)
    assert (updated.verb, updated.changes) == (
        "partners.partner.updated",
        {"channel_type": ["dealer", "agent"]},
    )


def test_what_one_could_not_see_afterwards_is_not_saved(cast: Cast, as_user: Any) -> None:
    form = {"name": "Far", "code": "F", "channel_type": "dealer", "territory": cast.south.pk}
    response = as_user(cast.north_manager).post("/partners/new/", form)
    assert response.status_code == 422
    assert "you could no longer see the record" in text(response)
    assert not Partner.objects.filter(code="F").exists()


def test_delete_says_what_goes_along_and_what_protects(cast: Cast, as_user: Any) -> None:
    make.make_contact(cast.north_partner)
    client = as_user(cast.director)
    path = f"/partners/{cast.north_partner.pk}/delete/"
    assert "contacts: 1" in text(client.get(path))
    make.make_fact(cast.north_partner)
    assert "Sales lines: 1" in text(client.get(path))
    client.post(path)
    assert Partner.objects.filter(pk=cast.north_partner.pk).exists()


def test_transition_by_its_button(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    path = f"/partners/{cast.north_partner.pk}/transition/suspend/"
    client.post(path)
    assert "Give a reason." in text(client.get(f"/partners/{cast.north_partner.pk}/"))
    client.post(path, {"reason": "late payment"})
    assert states()["NORTH-1"] == "suspended"
    assert client.get(path).status_code == 405
    assert client.post(path.replace("suspend", "nonsense")).status_code == 404


def test_an_impossible_transition_is_greyed_with_its_reason(cast: Cast, as_user: Any) -> None:
    Partner.objects.filter(pk=cast.north_partner.pk).update(state="onboarding")
    page = text(as_user(cast.director).get(f"/partners/{cast.north_partner.pk}/"))
    assert "Begin cooperation: The partner has no owner. The partner has no contact person." in page


def test_history_reads_in_words(cast: Cast, as_user: Any) -> None:
    partner = cast.north_partner
    changes = {"owner": [None, cast.director.pk], "state": ["active", "suspended"]}
    audit.record("partners.partner.updated", partner, by=cast.director, changes=changes)
    page = text(as_user(cast.director).get(f"/partners/{partner.pk}/history/"))
    assert "<del>Active</del> → <ins>Suspended</ins>" in page
    assert "<ins>director</ins>" in page


def test_tabs_are_read_when_they_are_opened(cast: Cast, as_user: Any) -> None:
    make.make_contact(cast.north_partner, name="Li Lei")
    client = as_user(cast.director)
    path = f"/partners/{cast.north_partner.pk}/"
    assert "Li Lei" not in text(client.get(path))
    assert "Li Lei" in text(client.get(f"{path}?tab=contacts"))
    assert "<html" not in text(client.get(f"{path}?tab=contacts", headers=HTMX))


# --- Frame ---


def test_the_palette_finds_what_one_may_see(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.north_manager)
    page = text(client.get("/search/?q=trading"))
    assert "Northern Trading" in page
    assert "Southern Trading" not in page
    assert "Territories" in text(client.get("/search/?q=territ"))


def test_navigation_follows_permissions(cast: Cast, as_user: Any) -> None:
    assert 'href="/accounts/users/"' not in text(as_user(cast.north_manager).get("/partners/"))
    assert 'href="/accounts/users/"' in text(as_user(cast.administrator).get("/partners/"))


def entries(page: str) -> list[tuple[str, bool]]:
    """The addresses of the side navigation, and whether each is where one is."""
    side = page[page.index('id="side"') : page.index("</nav>")]
    links = re.findall(r'<a class="nav-link" href="([^"]+)"( aria-current="page")?', side)
    return [(address, bool(here)) for address, here in links]


def test_what_is_under_an_entry_shows_while_that_is_open(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    elsewhere = dict(entries(text(client.get("/partners/"))))
    assert (elsewhere["/partners/"], elsewhere["/sales/lines/"]) == (True, False)
    assert "/sales/targets/" not in elsewhere
    above = dict(entries(text(client.get("/sales/lines/"))))
    assert (above["/sales/lines/"], above["/sales/targets/"]) == (True, False)
    there = dict(entries(text(client.get("/sales/targets/"))))
    assert [address for address, here in there.items() if here] == ["/sales/targets/"]
    assert there.keys() == above.keys()


def test_who_may_not_open_an_entry_finds_what_is_under_it_in_its_place(
    cast: Cast, as_user: Any
) -> None:
    found = [address for address, _here in entries(text(as_user(cast.north_person).get("/")))]
    assert "/performance/evaluations/" not in found
    assert "/performance/scores/" in found


def test_language_and_unit_are_kept(cast: Cast, as_user: Any) -> None:
    client = as_user(cast.director)
    answer = client.post("/preference/", {"language": "zh-hans", "next": "//evil.example/"})
    assert answer["Location"] == "/"
    client.post("/preference/", {"amount_unit": "wan", "next": "/partners/"})
    cast.director.refresh_from_db()
    assert (cast.director.language, cast.director.amount_unit) == ("zh-hans", "wan")
    assert client.session["language"] == "zh-hans"


def test_error_pages_wear_the_frame(cast: Cast, as_user: Any) -> None:
    response = as_user(cast.director).get("/partners/999999999/")
    assert response.status_code == 404
    assert 'id="side"' in text(response)


def test_pages_carry_no_inline_script(cast: Cast, as_user: Any) -> None:
    page = text(as_user(cast.director).get(f"/partners/{cast.north_partner.pk}/"))
    scripts = [part.split(">", 1) for part in page.split("<script")[1:]]
    assert all("src=" in head or "application/json" in head for head, _body in scripts)
    assert " onclick=" not in page


def test_the_registry_knows_the_pages() -> None:
    import channel_crm.urls  # noqa: F401

    assert {"partners.partner", "catalog.product", "accounts.territory"} <= set(registry)
