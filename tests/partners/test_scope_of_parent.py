"""A partner must not learn of another one, not even of the one it buys from."""

import pytest
from django.test import Client

from tests import factories as make


@pytest.fixture
def child(cast):
    parent = make.make_partner("Secret Wholesale", territory=cast.south, code="SECRET-9")
    cast.north_partner.parent = parent
    cast.north_partner.note = "Pays late"
    cast.north_partner.save()
    return cast.north_partner


def read(user, path):
    client = Client()
    client.force_login(user, backend="accounts.backends.RoleBackend")
    response = client.get(path)
    assert response.status_code == 200, path
    body = b"".join(response) if response.streaming else response.content
    return body.decode()


def places(child):
    return [
        f"/partners/{child.pk}/",
        f"/partners/{child.pk}/?tab=data",
        "/partners/",
        "/partners/export/",
        f"/api/v1/partners/{child.pk}/",
        "/api/v1/partners/",
    ]


def test_nobody_who_does_not_see_the_parent_reads_of_it(cast, child):
    for user in (cast.north_person, cast.north_manager):
        for path in places(child):
            text = read(user, path)
            assert "Secret" not in text and "SECRET-9" not in text, (user, path)


def test_who_sees_the_parent_reads_of_it(cast, child):
    assert "Secret Wholesale" in read(cast.director, f"/partners/{child.pk}/")
    assert "SECRET-9" in read(cast.director, f"/api/v1/partners/{child.pk}/")


def test_the_form_keeps_a_parent_that_the_writer_does_not_see(cast, child):
    client = Client()
    client.force_login(cast.north_manager, backend="accounts.backends.RoleBackend")
    page = client.get(f"/partners/{child.pk}/edit/")
    assert "parent" not in page.context["form"].fields
    data = {"code": child.code, "name": "Renamed", "channel_type": "dealer"}
    response = client.post(f"/partners/{child.pk}/edit/", {**data, "territory": cast.north.pk})
    assert response.status_code == 302
    parent = child.parent_id
    child.refresh_from_db()
    assert (child.name, child.parent_id) == ("Renamed", parent)


def test_a_partner_does_not_read_the_notes_on_it(cast, child):
    for path in places(child):
        assert "Pays late" not in read(cast.north_person, path), path
    assert "Pays late" in read(cast.north_manager, f"/api/v1/partners/{child.pk}/")
