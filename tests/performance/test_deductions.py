"""Points off: proposed by one, decided by another, then never changed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InternalError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from core.errors import Blocked
from core.models import Event
from core.workflow import fire, options
from performance.models import Deduction
from tests import factories as make
from tests.performance.network import TODAY

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, IntegrityError)


def codes(deduction, by):
    return [[problem.code for problem in option.problems] for option in options(deduction, by)]


def test_whoever_entered_it_does_not_decide_it(cast):
    deduction = make.make_deduction(cast.north_partner, entered_by=cast.director)
    assert codes(deduction, cast.director) == [["second_person"], ["second_person"]]
    with pytest.raises(Blocked):
        fire(deduction, "decide", by=cast.director, on=TODAY)
    assert codes(deduction, cast.administrator) == [[], []]
    assert codes(deduction, cast.north_manager) == []  # may enter, may not decide
    decided = fire(deduction, "decide", by=cast.administrator, on=TODAY)
    assert (decided.state, decided.decided_by) == ("decided", cast.administrator)


def test_whoever_changed_it_does_not_decide_it(client, cast):
    deduction = make.make_deduction(cast.north_partner, entered_by=cast.north_manager)
    client.force_login(cast.director)
    data = {
        "partner": cast.north_partner.pk,
        "decided_on": "2026-02-01",
        "points": "9",
        "reason": deduction.reason,
    }
    edit = reverse("performance:deduction_edit", args=[deduction.pk])
    assert client.post(edit, data).status_code == 302
    deduction = Deduction.objects.get()
    assert deduction.points == 9
    assert codes(deduction, cast.director) == [["second_person"], ["second_person"]]
    assert codes(deduction, cast.administrator) == [[], []]


def test_nothing_is_decided_before_its_day(cast):
    tomorrow = timezone.localdate() + timedelta(days=1)
    deduction = make.make_deduction(
        cast.north_partner, entered_by=cast.north_manager, decided_on=tomorrow
    )
    assert codes(deduction, cast.director) == [["day_not_come"], ["day_not_come"]]


def test_a_rejection_needs_a_reason(cast):
    deduction = make.make_deduction(cast.north_partner, entered_by=cast.north_manager)
    with pytest.raises(Blocked) as blocked:
        fire(deduction, "reject", by=cast.director, on=TODAY)
    assert [problem.code for problem in blocked.value.problems] == ["reason_required"]
    fire(deduction, "reject", by=cast.director, on=TODAY, reason="Not proven")
    event = Event.objects.of(deduction).get(verb="performance.deduction.reject")
    assert (event.reason, event.actor) == ("Not proven", cast.director)


@pytest.mark.parametrize(
    "fields",
    [
        {"points": Decimal("0.49")},
        {"points": Decimal("10.01")},
        {"reason": ""},
        {"state": "decided"},  # by nobody
    ],
)
def test_the_database_refuses_what_is_no_deduction(cast, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_deduction(cast.north_partner, **fields)


def test_the_database_knows_two_people(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_deduction(cast.north_partner, entered_by=cast.director, decided_by=cast.director)


def test_what_is_decided_cannot_be_changed_by_sql(cast):
    make.make_deduction(cast.north_partner, entered_by=cast.north_manager, decided_by=cast.director)
    for sql in (
        "UPDATE performance_deduction SET points = 1",
        "UPDATE performance_deduction SET decided_on = decided_on - 1",
        "UPDATE performance_deduction SET state = 'proposed', decided_by_id = NULL",
        "DELETE FROM performance_deduction",
    ):
        with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    moved = Deduction.objects.update(partner=cast.south_partner)  # as a merge does
    assert moved == 1


def test_pages_of_a_decided_one_change_nothing(client, cast):
    deduction = make.make_deduction(
        cast.north_partner, entered_by=cast.north_manager, decided_by=cast.director
    )
    client.force_login(cast.director)
    detail = reverse("performance:deduction_detail", args=[deduction.pk])
    for name in ("deduction_edit", "deduction_delete"):
        response = client.post(reverse(f"performance:{name}", args=[deduction.pk]), {})
        assert response.url == detail
    text = client.get(detail).content.decode()
    assert "What is decided cannot be changed any more." in text
    assert "_edit" not in text and reverse("performance:deduction_edit", args=[1]) not in text
    assert Deduction.objects.count() == 1


def test_a_manager_proposes_with_evidence_and_the_director_decides(
    client, cast, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    client.force_login(cast.north_manager)
    data = {
        "partner": cast.north_partner.pk,
        "decided_on": "2026-02-03",
        "points": "2.5",
        "reason": "Sold across the border",
        "evidence": SimpleUploadedFile("photo.txt", b"seen"),
    }
    new = reverse("performance:deduction_create")
    assert client.post(new, data | {"partner": cast.south_partner.pk}).status_code == 422
    response = client.post(new, data | {"evidence": SimpleUploadedFile("photo.txt", b"seen")})
    deduction = Deduction.objects.get()
    assert response.url == reverse("performance:deduction_detail", args=[deduction.pk])
    assert deduction.entered_by == cast.north_manager
    client.force_login(cast.director)
    file = client.get(reverse("performance:deduction_evidence", args=[deduction.pk]))
    assert b"".join(file.streaming_content) == b"seen"
    decide = reverse("performance:deduction_transition", args=[deduction.pk, "decide"])
    client.post(decide)
    deduction = Deduction.objects.get()
    assert (deduction.state, deduction.decided_by) == ("decided", cast.director)


def test_evidence_of_another_territory_is_not_there(client, cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    deduction = make.make_deduction(
        cast.north_partner, evidence=ContentFile(b"seen", name="seen.txt")
    )
    address = reverse("performance:deduction_evidence", args=[deduction.pk])
    client.force_login(cast.south_manager)
    assert client.get(address).status_code == 404
    client.force_login(cast.director)
    assert client.get(address).status_code == 200
    none = make.make_deduction(cast.north_partner)
    assert client.get(reverse("performance:deduction_evidence", args=[none.pk])).status_code == 404


def test_the_api_knows_two_people_too(client, cast):
    client.force_login(cast.director)
    body = {
        "partner": cast.north_partner.pk,
        "decided_on": "2026-02-03",
        "points": "2.5",
        "reason": "Sold across the border",
    }
    made = client.post("/api/v1/deductions/", body, content_type="application/json")
    assert made.status_code == 201
    row = made.json()
    assert (row["state"], row["entered_by"]) == ("proposed", cast.director.pk)
    fired = f"/api/v1/deductions/{row['id']}/transitions/decide/"
    refused = client.post(fired, {}, content_type="application/json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "second_person")
    client.force_login(cast.administrator)
    decided = client.post(fired, {}, content_type="application/json")
    assert decided.status_code == 200
    assert Deduction.objects.get().state == "decided"
    changed = client.patch(
        f"/api/v1/deductions/{row['id']}/", {"points": "1"}, content_type="application/json"
    )
    assert changed.status_code == 409
    gone = client.delete(f"/api/v1/deductions/{row['id']}/")
    assert gone.status_code == 409
    assert Deduction.objects.get().points == Decimal("2.50")
    assert Deduction.objects.get().decided_on == date(2026, 2, 3)
