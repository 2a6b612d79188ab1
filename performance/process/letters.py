"""The letters to raters, each in the language of who reads it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from performance.models import Evaluation, Rater


def to_raters(keys: Iterable[int], *, reminder: bool) -> list[EmailMessage]:
    """One letter each to these raters, whose evaluation still takes ratings."""
    raters = (
        Rater.objects.filter(pk__in=list(keys), evaluation__state=Evaluation.State.RATING)
        .exclude(user__email="")
        .select_related("user", "evaluation__scheme")
        .order_by("pk")
    )
    return [_letter(rater, reminder) for rater in raters]


def _letter(rater: Rater, reminder: bool) -> EmailMessage:
    evaluation = rater.evaluation
    with translation.override(rater.user.language):
        said = {"name": rater.user.get_full_name() or rater.user.username}
        said["what"], said["day"] = str(evaluation), evaluation.last_day_of_ratings.isoformat()
        if reminder:
            subject = _("Marks are still missing: %(what)s") % said
            text = _("some of your marks for %(what)s are still missing.") % said
        else:
            subject = _("Please rate your partners: %(what)s") % said
            text = _("please rate the partners you look after for %(what)s.") % said
        lines = [
            _("Dear %(name)s,") % said,
            "",
            text,
            _("The last day is %(day)s; after it the marks that are there count.") % said,
            "",
            _("You find the page under Performance → Evaluations → Ratings."),
        ]
        return EmailMessage(subject, "\n".join(lines), to=[rater.user.email])
