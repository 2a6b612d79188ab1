"""The day for the answer to an appeal: from the version, on the list, and by letter."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from core import workflow
from core.errors import Conflict
from core.models import Event, Job
from performance.models import Appeal, SchemeVersion
from performance.process import letters
from performance.process.appeals import file_appeal, remind_when_due
from performance.process.filters import AppealFilter
from performance.schemes import files
from performance.schemes.differences import between
from performance.schemes.forms import VersionForm
from performance.services import draft_version, publish_evaluation
from performance.tasks import tick, write_about_appeals
from tests import factories as make
from tests.letters import follow_links
from tests.performance.staged import give, make_staged, run

pytestmark = pytest.mark.django_db
AT = datetime(2026, 4, 1, tzinfo=UTC)
DUE = date(2026, 4, 20)


@pytest.fixture
def judges():
    """Who may decide, each with an address."""
    return [
        make.make_user(role, username=role, email=f"{role}@example.com")
        for role in ("director", "finance")
    ]


def appeal(**fields):
    row = make.make_appeal(due_on=DUE, **fields)
    Appeal.objects.filter(pk=row.pk).update(created_at=datetime(2026, 4, 10, tzinfo=UTC))
    row.refresh_from_db()
    return row


def owned(owner):
    return workflow.fire(appeal(), "take", by=owner, on=date(2026, 4, 11))


def remind(on):
    return [row.pk for row in remind_when_due(on=on, at=AT)]


def sent():
    found = [(letter.to[0], letter.subject) for letter in mail.outbox]
    mail.outbox.clear()
    return found


def test_the_version_says_how_many_days(django_capture_on_commit_callbacks):
    staged = make_staged(rating_days=0, review_days=0, answer_days=21)
    today = timezone.localdate()
    evaluation = publish_evaluation(evaluation=run(), by=staged.director, on=today)
    filed = file_appeal(
        evaluation=evaluation,
        partner=staged.partners["B"],
        claim="Wrong",
        by=staged.manager,
        on=today,
    )
    assert filed.due_on == today + timedelta(days=21)
    draft = draft_version(scheme=staged.version.scheme, by=staged.director)
    assert draft.answer_days == 21
    with pytest.raises(IntegrityError), transaction.atomic():
        SchemeVersion.objects.filter(pk=draft.pk).update(answer_days=0)


def test_a_document_names_the_days_only_where_they_are_unusual():
    usual = make.make_scheme_item(code="volume").version
    document = files.document(usual)
    assert (usual.answer_days, "windows" in document) == (10, False)
    document["windows"] = {"answer_days": 10}
    assert "windows" not in files.parse(document)
    document["windows"] = {"answer_days": 21}
    loaded = files.load(files.parse(document), by=None).version
    assert (loaded.answer_days, files.document(loaded)["windows"]) == (21, {"answer_days": 21})
    [change] = between(make.make_scheme_version(usual.scheme, number=7), loaded)[-1:]
    assert change.fields == [("days for the answer to an appeal", "10", "21")]
    with pytest.raises(files.BadFile):
        files.parse({**document, "windows": {"answer_days": 0}})


def test_the_editor_leaves_the_usual_days(cast):
    version = make.make_scheme_version()
    given = {"states": ["active"], "answer_days": ""}
    form = VersionForm(given, instance=version)
    assert form.is_valid(), form.errors
    assert (form.save().answer_days, version.appeal_days) == (10, 0)
    none = VersionForm({**given, "answer_days": "0"}, instance=version)
    assert list(none.errors) == ["answer_days"]


def test_a_new_appeal_writes_to_all_who_may_decide_it(judges, django_capture_on_commit_callbacks):
    staged = make_staged(review_days=0)
    evaluation = run()
    rater = staged.other_director
    evaluation.raters.create(user=rater)
    give(evaluation, staged.partners["B"], rater, 2)
    type(evaluation).objects.update(state="computed")
    evaluation.refresh_from_db()
    today = timezone.localdate()
    evaluation = publish_evaluation(evaluation=evaluation, by=staged.director, on=today)
    filing = {"evaluation": evaluation, "partner": staged.partners["B"], "on": today}
    with django_capture_on_commit_callbacks(execute=True):
        file_appeal(**filing, claim="Wrong", item_code="sales", by=staged.manager)
    everybody = ["d1@example.com", "d2@example.com", "director@example.com", "finance@example.com"]
    assert sorted(letter.to[0] for letter in mail.outbox) == everybody
    assert "Staged 2013Q3" in mail.outbox[0].body
    assert set(follow_links().values()) == {200}
    assert (today + timedelta(days=10)).isoformat() in mail.outbox[0].body
    mail.outbox.clear()
    # Neither to who filed it nor to who gave a mark that it is about.
    with django_capture_on_commit_callbacks(execute=True):
        file_appeal(**filing, claim="Wrong", item_code="service", by=judges[0])
    assert sorted(letter.to[0] for letter in mail.outbox) == ["d1@example.com", everybody[3]]


def test_the_owner_is_reminded_once_before_and_once_after(
    judges, django_capture_on_commit_callbacks
):
    row = owned(judges[1])
    mail.outbox.clear()
    found = []
    with django_capture_on_commit_callbacks(execute=True):
        for day in range(16, 24):
            found += [(day, key) for key in remind(date(2026, 4, day))]
            assert remind(date(2026, 4, day)) == []
    assert found == [(17, row.pk), (21, row.pk)]
    assert sent() == [
        ("finance@example.com", "An appeal is soon due for an answer"),
        ("finance@example.com", "An appeal is overdue for an answer"),
    ]
    told = Event.objects.filter(verb="performance.appeal.reminded").order_by("pk")
    assert [event.data for event in told] == [{"overdue": False}, {"overdue": True}]


def test_without_an_owner_all_who_may_decide_are_reminded(
    judges, django_capture_on_commit_callbacks
):
    appeal(), appeal()
    with django_capture_on_commit_callbacks(execute=True):
        assert len(remind(date(2026, 5, 1))) == 2
    assert sorted(sent()) == [
        ("director@example.com", "2 appeals are overdue for an answer"),
        ("finance@example.com", "2 appeals are overdue for an answer"),
    ]


def test_answered_in_time_there_is_no_letter(judges, django_capture_on_commit_callbacks):
    row = owned(judges[1])
    with django_capture_on_commit_callbacks(execute=True):
        assert remind(date(2026, 4, 18)) == [row.pk]
        workflow.fire(row, "reject", by=judges[1], on=date(2026, 4, 18), reason="It stands")
    assert sent() == []  # answered before the letter went out
    assert remind(date(2026, 5, 1)) == []


def test_the_day_of_filing_brings_no_second_letter(judges):
    today = timezone.localdate()
    row = make.make_appeal(due_on=today + timedelta(days=1))
    assert remind(today) == []
    assert remind(today + timedelta(days=1)) == [row.pk]


def test_the_tick_reminds(judges, django_capture_on_commit_callbacks):
    make.make_appeal(due_on=timezone.localdate() - timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        tick()
        tick()
    assert sorted(to for to, _subject in sent()) == ["director@example.com", "finance@example.com"]
    job = Job.objects.get(kind="letters")
    assert (job.state, job.result) == ("done", {"letters sent": 2})
    with pytest.raises(Conflict):  # delivered again
        write_about_appeals(job.pk, [Appeal.objects.get().pk], letters.LATE)
    assert sent() == []


def test_letters_are_in_the_language_of_the_reader(judges):
    row = owned(judges[1])
    judges[1].language = "zh-hans"
    judges[1].save()
    [letter] = letters.about_appeals([row.pk], letters.LATE)
    assert letter.subject == "有 1 项申诉的答复已逾期"
    assert "整个结果" in letter.body and "2026-04-20" in letter.body


def test_the_list_marks_and_finds_what_is_overdue(cast):
    today = timezone.localdate()
    late = make.make_appeal(due_on=today - timedelta(days=1))
    on_the_day = make.make_appeal(due_on=today)
    answered = make.make_appeal(due_on=DUE, state="withdrawn")
    found = {
        value: set(AppealFilter({"overdue": value}, queryset=Appeal.objects.all()).qs)
        for value in ("true", "false")
    }
    assert found == {"true": {late}, "false": {on_the_day, answered}}
    assert set(Appeal.objects.overdue(today)) == {late}
    assert [row.is_overdue(today) for row in (late, on_the_day, answered)] == [True, False, False]
    client = Client()
    client.force_login(cast.director, backend="accounts.backends.RoleBackend")
    page = client.get("/performance/appeals/").content.decode()
    assert page.count('class="worse') == 1


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_who_filed_it_is_told_the_answer_once(verb, judges, django_capture_on_commit_callbacks):
    boss = make.make_user("director", email="boss@example.com", language="en")
    row = workflow.fire(appeal(filed_by=boss), "take", by=judges[0], on=DUE)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        row = workflow.fire(row, verb, by=judges[0], on=DUE, reason="The ledger says so.")
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["boss@example.com"], "Your appeal has its answer")
    assert f": {row.get_state_display()}." in letter.body
    assert "The ledger says so." in letter.body
    assert judges[0].username not in letter.body
    assert follow_links() == {"boss@example.com": 200}
    job = Job.objects.get(kind="letters")
    with pytest.raises(Conflict):  # delivered a second time
        write_about_appeals(job.pk, [row.pk], letters.ANSWERED)
    assert len(mail.outbox) == 1
