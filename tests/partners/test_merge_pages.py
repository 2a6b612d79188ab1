"""The pages of duplicates and of a merge."""

import time
from datetime import date

import pytest

from core.models import Job
from partners.models import Partner
from partners.services import merge_partners
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


def merge(keep, drop):
    merge_partners(keep=keep, drop=drop, by=None, on=date(2026, 11, 25), reason="same")


@pytest.fixture
def twin(cast):
    return make.make_partner("Northern Trading Ltd", code="TWIN", territory=cast.north)


@pytest.fixture
def director(cast, client):
    client.force_login(cast.director)
    client.post("/preference/", {"language": "en"})
    return client


def test_a_pair_is_listed_compared_and_merged_by_a_job(cast, director, twin):
    keep = cast.north_partner
    make.make_fact(twin)
    page = director.get("/partners/duplicates/").content.decode()
    assert "Same name, but for the form of the company" in page
    assert f"/partners/{keep.pk}/merge/?other={twin.pk}" in page
    url = f"/partners/{keep.pk}/merge/"
    assert "This cannot be undone" in director.get(f"{url}?other={twin.pk}").content.decode()
    assert director.post(url, {"other": twin.pk, "name": "drop"}).status_code == 422
    answer = director.post(url, {"other": twin.pk, "name": "drop", "reason": "same address"})
    job = Job.objects.get()
    assert (answer.url, job.state) == (f"/jobs/{job.pk}/", "done")
    keep.refresh_from_db()
    assert (keep.name, keep.sales_facts.count()) == ("Northern Trading Ltd", 1)
    gone = director.get(f"/partners/{twin.pk}/").content.decode()
    assert f'href="/partners/{keep.pk}/"' in gone and "/edit/" not in gone
    assert f'href="/partners/{twin.pk}/"' in director.get(f"/partners/{keep.pk}/").content.decode()


def test_what_the_partner_that_stays_lacks_is_taken_unless_one_says_otherwise(cast, director, twin):
    level = make.make_level()
    Partner.objects.filter(pk=twin.pk).update(level=level, parent=cast.north_partner)
    url = f"/partners/{cast.north_partner.pk}/merge/?other={twin.pk}"
    fields = {one["name"]: one["from_drop"] for one in director.get(url).context["fields"]}
    assert [name for name, from_drop in fields.items() if from_drop] == ["level"]


def test_the_page_warns_when_the_partner_that_stays_is_not_in_business(cast, director, twin):
    Partner.objects.filter(pk=twin.pk).update(state="exited")
    for keep, drop, warns in ((twin, cast.north_partner, True), (cast.north_partner, twin, False)):
        page = director.get(f"/partners/{keep.pk}/merge/?other={drop.pk}").content.decode()
        assert ("It is not in business" in page) is warns


def test_the_history_names_the_other_to_who_may_see_it(client, cast, director, twin):
    merge(cast.south_partner, twin)
    page = director.get(f"/partners/{cast.south_partner.pk}/history/").content.decode()
    assert "Merged from" in page and "Northern Trading Ltd" in page
    client.force_login(cast.south_manager)
    page = client.get(f"/partners/{cast.south_partner.pk}/history/").content.decode()
    assert f"#{twin.pk}" in page and "Northern" not in page and "TWIN" not in page
    client.force_login(cast.north_manager)
    time.sleep(1.1)  # then the feed tells of it
    events = client.get("/api/v1/events/?verb=partners.partner.merge").json()["results"]
    assert events[0]["changes"]["merged_into"] == [None, None]
    assert "SOUTH-1" not in str(events)


def test_programs_read_into_which_partner_one_was_merged(client, cast, director, twin):
    merge(cast.south_partner, twin)
    url, names = f"/api/v1/partners/{twin.pk}/", ("state", "merged_into", "merged_into_code")
    found = director.get(url).json()
    assert [found[name] for name in names] == ["merged", cast.south_partner.pk, "SOUTH-1"]
    client.force_login(cast.north_manager)
    found = client.get(url).json()
    assert [found[name] for name in names] == ["merged", None, None]


def test_nothing_can_be_added_to_a_merged_partner(cast, director, twin):
    merge(cast.south_partner, twin)
    for partner, buttons in ((twin, False), (cast.north_partner, True)):
        page = director.get(f"/partners/{partner.pk}/?tab=contacts").content.decode()
        assert ("New contact" in page, "New site" in page) == (buttons, buttons)


def test_not_the_same(director, cast, twin):
    director.post(f"/partners/{twin.pk}/not-duplicate/", {"other": cast.north_partner.pk})
    page = director.get("/partners/duplicates/").content.decode()
    assert ("They will not be proposed again." in page, "TWIN" in page) == (True, False)


def test_the_other_partner_is_chosen_among_those_that_are_seen(client, cast, twin):
    client.force_login(cast.north_manager)
    page = client.get("/partners/duplicates/").content.decode()
    assert ("TWIN" in page, "/merge/" in page) == (True, False)
    ask = {"other": cast.south_partner.pk}
    assert client.post(f"/partners/{twin.pk}/not-duplicate/", ask).status_code == 404
    assert Partner.objects.filter(state="merged").count() == 0


def test_the_page_of_a_merged_partner_tells_no_name_that_is_not_seen(client, cast, twin):
    merge(cast.south_partner, twin)
    client.force_login(cast.north_manager)
    page = client.get(f"/partners/{twin.pk}/").content.decode()
    assert "SOUTH-1" not in page and "Southern" not in page
