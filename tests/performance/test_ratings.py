"""Ratings: who gives which mark, how lenient, how far they agree, and letters."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import audit
from core.errors import Conflict, DomainError
from core.models import Event
from performance.models import Evaluation, Rating
from performance.process import rating
from tests import factories as make
from tests.letters import follow_links
from tests.performance.staged import give, make_staged, run

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "evaluations.md"
AT = datetime(2013, 10, 8, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_mark_is_given_changed_and_taken_back():
    staged = make_staged()
    evaluation, partner = run(), staged.partners["A"]
    first = give(evaluation, partner, staged.manager, 3)
    changed = give(evaluation, partner, staged.manager, 5, "Best shop in town")
    assert (changed.pk, changed.mark, changed.evidence) == (first.pk, 5, "Best shop in town")
    assert give(evaluation, partner, staged.manager, None) is None
    assert Rating.objects.count() == 0
    verbs = Event.objects.filter(verb__startswith="performance.rating").order_by("pk")
    assert [event.verb.split(".")[-1] for event in verbs] == ["created", "updated", "deleted"]


@pytest.mark.parametrize("mark", [1, 5])
def test_the_extremes_need_evidence(mark):
    staged = make_staged()
    evaluation = run()
    with pytest.raises(ValidationError):
        give(evaluation, staged.partners["A"], staged.manager, mark, "  ")
    with pytest.raises(ValidationError):
        give(evaluation, staged.partners["A"], staged.manager, 6)
    assert Rating.objects.count() == 0


def test_what_is_refused():
    staged = make_staged()
    evaluation, partner = run(), staged.partners["A"]
    with pytest.raises(PermissionDenied):  # was not asked
        give(evaluation, partner, staged.director, 3)
    with pytest.raises(DomainError) as unknown:
        rating.rate(
            evaluation=evaluation, item_code="sales", partner=partner, mark=3, by=staged.manager
        )
    assert unknown.value.code == "unknown_item"
    with pytest.raises(DomainError) as elsewhere:
        give(evaluation, make.make_partner(), staged.manager, 3)
    assert elsewhere.value.code == "unknown_partner"
    Evaluation.objects.update(state="computed")
    with pytest.raises(Conflict) as closed:
        give(evaluation, partner, staged.manager, 3)
    assert closed.value.code == "ratings_closed"


def test_others_marks_are_seen_when_ratings_are_closed():
    staged = make_staged()
    evaluation, partner = run(), staged.partners["A"]
    give(evaluation, partner, staged.manager, 3)
    give(evaluation, partner, staged.second, 4)

    def seen(user):
        return list(Rating.objects.visible_to(user).order_by("mark").values_list("mark", flat=True))

    assert (seen(staged.manager), seen(staged.second)) == ([3], [4])
    assert seen(staged.director) == [3, 4]  # runs the evaluation

    def told(user):
        events = Event.objects.visible_to(user).filter(verb__startswith="performance.rating")
        return sorted(event.changes["mark"][1] for event in events)

    assert [told(each) for each in (staged.manager, staged.second)] == [[3], [4]]
    assert told(staged.director) == [3, 4]
    Evaluation.objects.update(ratings_closed_at=AT)
    assert seen(staged.manager) == told(staged.manager) == [3, 4]
    # What happened to the partner is told without them.
    assert list(Event.objects.of_partner(partner).values_list("verb", flat=True)) == []
    happened = audit.record("partners.partner.updated", partner, by=None)
    assert list(Event.objects.of_partner(partner)) == [happened]


# --- the numbers of the page -----------------------------------------------------------------


def tables():
    """Every table of docs/algorithms/evaluations.md: its header and rows."""
    found, rows = [], []
    for line in [*PAGE.read_text().splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append((tuple(rows[0]), rows[2:]))
            rows = []
    return dict(found)


def given():
    """The marks of the page, given."""
    staged = make_staged()
    evaluation = run()
    people = {"first": staged.manager, "second": staged.second}
    people["third"] = staged.director
    rating.invite(evaluation=evaluation, users=[staged.director], by=staged.director)
    for partner, *marks in tables()["partner", "first", "second", "third"]:
        for name, mark in zip(people, marks, strict=True):
            if mark != "–":
                give(evaluation, staged.partners[partner], people[name], int(mark))
    return evaluation, people


def test_leniency_is_what_the_page_says():
    evaluation, people = given()
    found = {
        name: next(s for s in rating.standings(evaluation) if s.rater.user == user)
        for name, user in people.items()
    }
    rows = tables()["rater", "marks", "mean", "leniency"]
    expected = {
        name: (int(marks), Decimal(mean), Decimal(off.replace("−", "-")))
        for name, marks, mean, off in rows
    }
    assert {n: (s.given, s.mean, s.leniency) for n, s in found.items()} == expected
    assert [standing.asked for standing in found.values()] == [4, 4, 4]


def test_agreement_is_what_the_page_says():
    evaluation, _people = given()
    [agreement] = rating.agreements(evaluation)
    [(pairs, close, share)] = tables()["pairs", "within one mark", "share"]
    assert (agreement.pairs, agreement.close) == (int(pairs), int(close))
    assert agreement.share == Decimal(re.sub(r" %", "", share)) / 100
    assert (agreement.rated, agreement.enough) == (4, 3)


def test_alone_there_is_nothing_to_compare():
    staged = make_staged()
    evaluation = run()
    give(evaluation, staged.partners["A"], staged.manager, 4)
    [first, second] = rating.standings(evaluation)
    assert (first.given, first.leniency, second.given, second.mean) == (1, None, 0, None)
    [agreement] = rating.agreements(evaluation)
    assert (agreement.pairs, agreement.share, agreement.enough) == (0, None, 0)


# --- people and letters ----------------------------------------------------------------------


def test_they_are_asked_and_reminded_by_letter(django_capture_on_commit_callbacks):
    staged = make_staged()
    staged.manager.language = "en"
    staged.manager.save()
    with django_capture_on_commit_callbacks(execute=True):
        evaluation = run()
    assert [letter.to for letter in mail.outbox] == [
        [staged.manager.email],
        [staged.second.email],
    ]
    assert "2013-10-10" in mail.outbox[0].body
    assert set(follow_links().values()) == {200}
    for partner in staged.partners.values():
        give(evaluation, partner, staged.manager, 3)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        assert rating.remind_when_due(on=date(2013, 10, 7), at=AT) == []
        [reminded] = rating.remind_when_due(on=date(2013, 10, 8), at=AT)
        assert rating.remind_when_due(on=date(2013, 10, 9), at=AT) == []
    assert (reminded.user, [letter.to for letter in mail.outbox]) == (
        staged.second,
        [[staged.second.email]],
    )


def test_more_people_and_fewer():
    staged = make_staged()
    evaluation = run()
    finance = make.make_user("finance")
    with pytest.raises(DomainError) as refused:
        rating.invite(evaluation=evaluation, users=[finance], by=staged.director)
    assert refused.value.code == "may_not_rate"
    [rater] = rating.invite(evaluation=evaluation, users=[staged.director], by=staged.director)
    assert rating.invite(evaluation=evaluation, users=[staged.director], by=staged.director) == []
    give(evaluation, staged.partners["A"], staged.director, 3)
    with pytest.raises(Conflict) as has_rated:
        rating.dismiss(rater=rater, by=staged.director)
    assert has_rated.value.code == "has_rated"
    rating.dismiss(rater=evaluation.raters.get(user=staged.second), by=staged.director)
    left = evaluation.raters.values_list("user__username", flat=True)
    assert set(left) == {"m1", "d1"}


def test_partners_whom_too_few_can_rate_are_counted(sign_in):
    staged = make_staged()
    evaluation = run()
    page = f"/performance/evaluations/{evaluation.pk}/?tab=ratings"
    client = sign_in(staged.director)
    assert rating.with_too_few(evaluation) == 0
    assert "fewer raters" not in client.get(page).text
    rating.dismiss(rater=evaluation.raters.get(user=staged.second), by=staged.director)
    assert rating.with_too_few(evaluation) == 4  # all of them, seen by one manager
    assert "4 partners are seen by fewer raters than an item asks for" in client.get(page).text
    home = staged.partners["A"].territory
    local = make.make_user("sales_manager", username="m3", territories=[home])
    rating.invite(evaluation=evaluation, users=[local], by=staged.director)
    beside = sum(each.territory_id != home.pk for each in staged.partners.values())
    assert rating.with_too_few(evaluation) == beside


# --- the page --------------------------------------------------------------------------------


@pytest.fixture
def sign_in(client):
    def make_client(user):
        client.force_login(user, backend="accounts.backends.RoleBackend")
        session = client.session
        session["language"] = "en"
        session.save()
        return client

    return make_client


def test_one_mark_after_the_other(sign_in):
    staged = make_staged()
    evaluation, partner = run(), staged.partners["A"]
    client = sign_in(staged.manager)
    url = f"/performance/evaluations/{evaluation.pk}/rate/"
    page = client.get(url)
    assert [row["partner"].code for row in page.context["rows"]] == ["A", "B", "C", "D"]
    assert (page.context["given"], page.context["whole"]) == (0, 4)
    sent = {"item": "service", "partner": partner.pk}
    answer = client.post(url, {**sent, "mark": "4"})
    assert answer.context["row"]["saved"] is True
    refused = client.post(url, {**sent, "mark": "5"})
    assert "need evidence" in refused.context["row"]["error"]
    assert Rating.objects.get().mark == 4
    proof = ContentFile(b"photo", name="shop.jpg")
    client.post(url, {**sent, "mark": "5", "evidence": "A new shop", "file": proof})
    row = Rating.objects.get()
    assert (row.mark, row.evidence) == (5, "A new shop")
    file = client.get(f"/performance/ratings/{row.pk}/file/")
    assert b"".join(file.streaming_content) == b"photo"
    missing = client.get(url, {"missing": "1", "q": "B"})
    assert [row["partner"].code for row in missing.context["rows"]] == ["B"]
    client.post(url, {**sent, "mark": ""})
    assert Rating.objects.count() == 0


def test_the_page_asks_no_more_for_more_partners(sign_in):
    staged = make_staged()
    evaluation = run()
    client = sign_in(staged.manager)
    url = f"/performance/evaluations/{evaluation.pk}/rate/"
    client.get(url)
    with CaptureQueriesContext(connection) as four:
        client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url, {"q": staged.partners["A"].name})
    assert len(one) <= len(four) <= 20


def test_the_api_takes_marks(sign_in):
    staged = make_staged()
    evaluation = run()
    client = sign_in(staged.manager)
    body = {
        "evaluation": evaluation.pk,
        "item_code": "service",
        "partner_code": "A",
        "mark": 2,
        "evidence": "",
    }
    answer = client.post("/api/v1/ratings/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["mark"]) == (201, 2)
    again = client.post("/api/v1/ratings/", {**body, "mark": 3}, content_type="application/json")
    assert (again.json()["id"], Rating.objects.get().mark) == (answer.json()["id"], 3)
    refused = client.post("/api/v1/ratings/", {**body, "mark": 5}, content_type="application/json")
    assert refused.status_code == 400
