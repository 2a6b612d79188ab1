"""What is published cannot be changed, not even by SQL."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from performance.services import draft_version, evaluate
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, IntegrityError)


@pytest.fixture
def published():
    make_network()
    make_scheme(levels=[])
    return evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE performance_evaluation SET digest = 'x' WHERE id = {e}",
        "UPDATE performance_evaluation SET state = 'computed' WHERE id = {e}",
        "DELETE FROM performance_evaluation WHERE id = {e}",
        "UPDATE performance_score SET total = 100 WHERE evaluation_id = {e}",
        "DELETE FROM performance_score WHERE evaluation_id = {e}",
        """INSERT INTO performance_score (evaluation_id, partner_id, items)
        SELECT {e}, min(partner_id), '[]' FROM performance_score""",
        "UPDATE performance_schemeversion SET scope = '{{}}' WHERE id = {v}",
        "UPDATE performance_schemeversion SET state = 'draft' WHERE id = {v}",
        "DELETE FROM performance_schemeversion WHERE id = {v}",
        "UPDATE performance_schemeitem SET weight = 1 WHERE version_id = {v}",
        "DELETE FROM performance_schemeitem WHERE version_id = {v}",
        "UPDATE performance_schemeversion SET grace = 2 WHERE id = {v}",
        "UPDATE performance_schemeversion SET appeal_days = 9 WHERE id = {v}",
        "UPDATE performance_schemeitem SET minimum = 1 WHERE version_id = {v}",
        "UPDATE performance_score SET held = 'veto' WHERE evaluation_id = {e}",
        """INSERT INTO performance_schemeveto
        (version_id, code, name, name_en, measure, kind, side, bound, effect, created_at)
        VALUES ({v}, 'late', 'Late', '', 'return_rate', '', 'above', 1, 'zero', now())""",
        """INSERT INTO performance_schemelevel
        (version_id, level_id, min_total, created_at, updated_at)
        SELECT {v}, min(id), 1, now(), now() FROM partners_level""",
    ],
)
def test_sql_is_refused(published, sql):
    statement = sql.format(e=published.pk, v=published.scheme_version_id)
    with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_note_of_a_published_version_can_still_be_written(published):
    assert (
        type(published.scheme_version)
        .objects.filter(pk=published.scheme_version_id)
        .update(note="Why we did it so")
    )


def test_scores_cannot_be_moved_into_a_published_evaluation(published):
    draft = evaluate(scheme_code="seven", period="2013Q2", by=None, on=TODAY)
    with pytest.raises(REFUSED), transaction.atomic():
        draft.scores.update(evaluation=published)


def test_what_is_not_published_can_be_changed():
    make_network()
    version = make_scheme()
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    assert evaluation.scores.update(rank=7) == 4
    evaluation.delete()
    draft = draft_version(scheme=version.scheme, by=None)
    assert draft.items.update(weight=1) == 7
    draft.delete()
