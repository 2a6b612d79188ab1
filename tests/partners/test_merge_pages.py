"""The pages of duplicates and of a merge."""

import pytest

from core.models import Job
from partners.models import Partner
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


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
    from datetime import date

    from partners.services import merge_partners

    merge_partners(
        keep=cast.south_partner, drop=twin, by=None, on=date(2026, 11, 25), reason="same"
    )
    client.force_login(cast.north_manager)
    page = client.get(f"/partners/{twin.pk}/").content.decode()
    assert "SOUTH-1" not in page and "Southern" not in page
