"""A partner appeals itself: against its own published scorecard, and learns of nothing else."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core import workflow
from core.errors import Blocked, DomainError
from performance import selectors
from performance.explain import outcome_sentences
from performance.models import Appeal, Evaluation
from performance.process.appeals import decide_appeal, file_appeal, open_to
from tests import factories as make

pytestmark = pytest.mark.django_db
NEW = "/performance/appeals/new/"
LIST = "/performance/appeals/"


def sign_in(user):
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session["language"] = "en"
    session.save()
    return client


def card(cast, *partners, appeal_before=date(2130, 1, 1)):
    """A published evaluation of one item, with the scores of some partners."""
    version = make.make_scheme_version()
    make.make_scheme_item(version, code="volume", name="提货额", name_en="Volume")
    evaluation = make.make_evaluation(version=version)
    for partner in partners:
        make.make_score(partner, evaluation=evaluation)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        state="published", appeal_before=appeal_before
    )
    evaluation.refresh_from_db()
    return evaluation


@pytest.fixture
def evaluation(cast):
    return card(cast, cast.north_partner)


def file(evaluation, partner, by, **fields):
    given = {"claim": "A delivery was not counted", "on": timezone.localdate()} | fields
    return file_appeal(evaluation=evaluation, partner=partner, by=by, **given)


def test_from_the_scorecard_to_the_answer(cast, evaluation):
    client = sign_in(cast.north_person)
    score = evaluation.scores.get()
    page = client.get(reverse("performance:score_detail", args=[score.pk]))
    query = f"?evaluation={evaluation.pk}&partner={cast.north_partner.pk}"
    assert page.context["appeal_url"] == NEW + query
    form = client.get(NEW + query + "&item_code=volume").context["form"]
    assert list(form.fields) == ["evaluation", "item_code", "claim", "evidence"]
    assert form.fields["item_code"].choices == [("", "The whole result"), ("volume", "Volume")]
    assert form["item_code"].value() == "volume"
    sent = client.post(
        NEW,
        {
            "evaluation": evaluation.pk,
            "item_code": "volume",
            "claim": "A delivery was not counted",
            "evidence": ContentFile(b"receipt", name="receipt.pdf"),
        },
    )
    appeal = Appeal.objects.get()
    assert (sent.status_code, sent.headers["Location"]) == (302, f"{LIST}{appeal.pk}/")
    assert (appeal.partner, appeal.filed_by, appeal.by_partner, appeal.state) == (
        cast.north_partner,
        cast.north_person,
        True,
        "filed",
    )
    assert appeal.due_on == timezone.localdate() + timedelta(days=10)
    file_page = client.get(f"{LIST}{appeal.pk}/evidence/")
    assert b"".join(file_page.streaming_content) == b"receipt"
    workflow.fire(appeal, "take", by=cast.finance, on=timezone.localdate())
    appeal.refresh_from_db()
    decide_appeal(
        appeal=appeal,
        accept=True,
        points=Decimal(70),
        by=cast.finance,
        on=timezone.localdate(),
        reason="The receipt is right",
    )
    shown = client.get(f"{LIST}{appeal.pk}/")
    told = dict(shown.context["fields"])
    assert list(told) == [
        *("evaluation", "partner", "item", "what is wrong", "created at", "answer due on"),
        *("answer", "points granted", "level granted", "decided at"),
    ]
    assert (told["item"], told["answer"]) == ("Volume", "The receipt is right")
    assert cast.finance.username not in shown.content.decode()
    assert shown.context["crumbs"][0] == ("Appeals", LIST)
    card_page = client.get(reverse("performance:score_detail", args=[score.pk]))
    assert [(row["row"], row["label"]) for row in card_page.context["appeals"]] == [
        (appeal, "Volume")
    ]


def test_the_list_tells_a_partner_its_own_and_names_nobody(cast, evaluation):
    mine = file(evaluation, cast.north_partner, cast.north_person)
    ours = make.make_appeal(cast.north_partner)  # filed by us, for reasons of our own
    other = make.make_appeal(cast.south_partner, by_partner=True)
    workflow.fire(mine, "take", by=cast.finance, on=timezone.localdate())
    client = sign_in(cast.north_person)
    page = client.get(LIST)
    assert [column.name for column in page.context["listing"].columns] == [
        *("period", "scheme", "item_code", "state", "due_on", "created_at"),
    ]
    text = page.content.decode()
    assert (page.context["listing"].total, f"{LIST}{mine.pk}/" in text) == (1, True)
    for hidden in (f"{LIST}{ours.pk}/", f"{LIST}{other.pk}/", cast.finance.username):
        assert hidden not in text
    export = b"".join(client.get(f"{LIST}export/").streaming_content).decode()
    assert (export.count("\n"), cast.finance.username in export) == (2, False)
    assert [client.get(f"{LIST}{row.pk}/").status_code for row in (ours, other)] == [404, 404]
    assert client.get(f"{LIST}{mine.pk}/decide/").status_code == 403
    assert client.get(f"{LIST}{mine.pk}/history/").status_code == 403
    drawer = client.get(f"{LIST}filters/").context["filterset"].form
    assert set(drawer.fields["evaluation"].queryset) == {evaluation, ours.evaluation}
    assert list(drawer.fields["partner"].queryset) == [cast.north_partner]


def test_as_many_queries_for_three_as_for_one(cast, evaluation):
    client = sign_in(cast.north_person)

    def count():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    file(evaluation, cast.north_partner, cast.north_person)
    count()
    one = count()
    for _ in range(2):
        again = card(cast, cast.north_partner)
        file(again, cast.north_partner, cast.north_person, item_code="volume")
    assert count() == one


def test_choices_are_of_the_own_partner_and_its_evaluations(cast, evaluation):
    below = make.make_partner(parent=cast.north_partner, territory=cast.north)
    cast.north_person.membership.include_sub_partners = True
    cast.north_person.membership.save()
    strange = card(cast, cast.south_partner)
    only_below = card(cast, below)
    closed = card(cast, cast.north_partner, appeal_before=None)
    unpublished = make.make_evaluation()
    make.make_score(cast.north_partner, evaluation=unpublished)
    today = timezone.localdate()
    assert set(open_to(cast.north_person, today)) == {evaluation}
    form = sign_in(cast.north_person).get(NEW).context["form"]
    assert set(form.fields["evaluation"].queryset) == {evaluation}
    # Unpublished results and those of others do not exist, also for the API.
    seen = set(Evaluation.objects.visible_to(cast.north_person))
    assert seen == {evaluation, closed, only_below}
    for row, partner, code in (
        (strange, cast.north_partner, "no_score"),
        (unpublished, cast.north_partner, "no_score"),
        (only_below, below, "not_your_partner"),
        (strange, cast.south_partner, "not_your_partner"),
    ):
        with pytest.raises(DomainError) as refused:
            file(row, partner, cast.north_person)
        assert refused.value.code == code
    score = only_below.scores.get()
    page = sign_in(cast.north_person).get(reverse("performance:score_detail", args=[score.pk]))
    assert (page.status_code, page.context["appeal_url"]) == (200, "")
    assert Appeal.objects.count() == 0


def test_a_form_that_is_refused_says_why(cast, evaluation):
    client = sign_in(cast.north_person)
    sent = {"evaluation": evaluation.pk, "item_code": "volume", "claim": "Wrong"}
    assert client.post(NEW, sent).status_code == 302
    again = client.post(NEW, sent)
    assert (again.status_code, again.context["form"].non_field_errors()) == (
        422,
        ["There is an open appeal about that already."],
    )
    nothing = client.post(NEW, {**sent, "item_code": "nothing"})
    assert list(nothing.context["form"].errors) == ["item_code"]
    strange = card(cast, cast.south_partner)
    other = client.post(NEW, {**sent, "evaluation": strange.pk})
    assert list(other.context["form"].errors) == ["evaluation", "item_code"]
    assert Appeal.objects.count() == 1


def test_nothing_is_open_to_appeals(cast):
    client = sign_in(cast.north_person)
    answer = client.get(NEW, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert [str(message) for message in answer.context["messages"]] == [
        "None of your results is open to appeals now."
    ]


def test_who_filed_it_may_withdraw_it_and_no_colleague(cast, evaluation):
    mine = file(evaluation, cast.north_partner, cast.north_person)
    colleague = make.make_membership(cast.north_partner).user
    client = sign_in(colleague)
    assert client.get(f"{LIST}{mine.pk}/").status_code == 200
    client.post(f"{LIST}{mine.pk}/transition/withdraw/")
    mine.refresh_from_db()
    assert mine.state == "filed"
    with pytest.raises(Blocked):
        workflow.fire(mine, "withdraw", by=colleague, on=timezone.localdate())
    sign_in(cast.north_person).post(f"{LIST}{mine.pk}/transition/withdraw/")
    mine.refresh_from_db()
    assert mine.state == "withdrawn"


def test_members_without_a_scorecard_have_no_appeals(cast, evaluation):
    client = sign_in(cast.south_person)
    assert [client.get(url).status_code for url in (LIST, NEW)] == [403, 403]


def test_the_api_lets_a_partner_file_and_tells_no_names(cast, evaluation):
    client = sign_in(cast.north_person)
    body = {
        "evaluation": evaluation.pk,
        "partner_code": "NORTH-1",
        "item_code": "volume",
        "claim": "A delivery was not counted",
    }
    made = client.post("/api/v1/appeals/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["filed_by"], answer["owner"], answer["by_partner"]) == (
        cast.north_person.pk,
        None,
        True,
    )
    again = client.post("/api/v1/appeals/", body, content_type="application/json")
    assert again.status_code == 409
    strange = card(cast, cast.south_partner)
    for wrong in ({"partner_code": "SOUTH-1"}, {"evaluation": strange.pk}):
        refused = client.post("/api/v1/appeals/", body | wrong, content_type="application/json")
        assert refused.status_code == 400
    appeal = Appeal.objects.get()
    workflow.fire(appeal, "take", by=cast.finance, on=timezone.localdate())
    Appeal.objects.update(revision=make.make_evaluation())
    [row] = client.get("/api/v1/appeals/").json()["results"]
    assert (row["state"], row["owner"], row["revision"]) == ("taken", None, None)
    [seen] = sign_in(cast.director).get("/api/v1/appeals/").json()["results"]
    assert (seen["owner"], seen["revision"] is None) == (cast.finance.pk, False)
    url = f"/api/v1/appeals/{appeal.pk}/transitions/withdraw/"
    withdrawn = client.post(url, {}, content_type="application/json")
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")


def test_a_scorecard_does_not_tell_a_partner_who_changed_it(cast):
    evaluation = card(cast, cast.north_partner)
    score = evaluation.scores.get()
    items = [{"code": "volume", "weight": "100", "points": "70.0000"}]
    items[0] |= dict.fromkeys(("numerator", "denominator", "value", "target", "x"), None)
    items[0] |= {"lines": 0, "status": ""}
    review = make.make_evaluation(period="2025Q3", state="review", review_before=date(2030, 1, 1))
    make.make_score(cast.north_partner, evaluation=review)
    change = make.make_correction(
        cast.north_partner,
        evaluation=review,
        reason="Floods in June",
        proposed_by=cast.north_manager,
        state="accepted",
        decided_by=cast.director,
    )
    score.corrected = [{"correction": change.pk, "item": "", "computed": None, "level": None}]
    score.held, score.base = "review", Decimal(80)
    definition = {"items": [], "levels": []}
    assert outcome_sentences(definition, score)[-1].endswith(
        "Floods in June (north_manager, director)"
    )
    assert outcome_sentences(definition, score, people=False)[-1].endswith("Floods in June")
    score.corrected = [
        {"correction": change.pk, "item": "volume", "computed": None, "points": "70.0000"}
    ]
    score.items = items
    [with_names] = selectors.scorecard(score)
    [without] = selectors.scorecard(score, people=False)
    told = "changed in review from — to 70: Floods in June"
    assert with_names.sentence == f"{told} (north_manager, director)"
    assert without.sentence == told
