"""The framework's own rows: what happened (Event), long work (Job)."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Now
from django.db.models.signals import class_prepared
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from core.feed import changed_at
from core.scoping import ScopedQuerySet, scope_root, sees_everything


class Model(models.Model):
    """The base of the house's models. A subclass declares `scope_path` (see core.scoping).

    `updated_at` is the database's own, whoever writes (core.feed.changed_at): an object that was
    saved does not know the new one until it is read again.
    """

    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), db_default=Now(), editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


@receiver(class_prepared)
def _tell_of_changes(sender: type[models.Model], **kwargs: Any) -> None:
    """A Meta of its own would hide a trigger of the base, so that every subclass is given it."""
    if issubclass(sender, Model):
        changed_at(sender).register(sender)  # type: ignore[arg-type]  # a class is meant


class EventQuerySet(ScopedQuerySet):
    """Events follow the partner they belong to; those of shared data are for global roles. Of a
    model with `events_follow_rows`, whose rows are hidden from some who see the partner, an event
    is seen by who sees its row, and by who did it."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        seen = self.all()
        if not sees_everything(user):
            seen = seen.filter(scope_id__in=scope_root().objects.visible_to(user).values("pk"))  # type: ignore[attr-defined]
        for model in _that_say("events_follow_rows"):
            rows = model._default_manager.visible_to(user).filter(pk=OuterRef("object_id"))  # type: ignore[attr-defined]
            other = ~Q(content_type=ContentType.objects.get_for_model(model))
            seen = seen.filter(other | Q(actor=user) | Exists(rows))
        return seen

    def of_partner(self, partner: models.Model) -> QuerySet:
        """What happened to a partner, newest first, without rows of models that say `is_detail`:
        dozens of marks and planned months, which a page of their own sums up."""
        details = ContentType.objects.get_for_models(*_that_say("is_detail")).values()
        return self.filter(scope_id=partner.pk).exclude(content_type__in=details).order_by("-id")

    def told_to(self, user: Any) -> QuerySet:
        """Of those in the user's scope, what a program of the user is told of: events of what the
        user may view at all. Those of users are for who may view users."""
        types = ContentType.objects.filter(_may_view(user))
        return self.visible_to(user).filter(content_type__in=types.values("pk"))

    def of(self, obj: models.Model) -> QuerySet:
        """The history of one object, newest first."""
        content_type = ContentType.objects.get_for_model(obj)
        return self.filter(content_type=content_type, object_id=obj.pk).order_by("-id")


def _that_say(flag: str) -> list[type[models.Model]]:
    return [model for model in apps.get_models() if getattr(model, flag, False)]


def _may_view(user: Any) -> Q:
    """The types of the models that the user may view."""
    types = Q(pk__in=[])
    for config in apps.get_app_configs():
        names = [model._meta.model_name for model in config.get_models()]
        seen = [name for name in names if user.has_perm(f"{config.label}.view_{name}")]
        types |= Q(app_label=config.label, model__in=seen)
    return types


class Event(models.Model):
    """What somebody did to an object. Append-only: the database refuses changes.

    `scope_id` is the key of the scope root (the partner) the object belongs to, or null. It is no
    foreign key, because an event outlives what it tells of. `changes` is {field: [old, new]}.
    """

    scope_path = None

    verb = models.CharField(_("verb"), max_length=100)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    source = models.CharField(_("source"), max_length=10)
    request_id = models.CharField(_("request"), max_length=64)
    content_type = models.ForeignKey(ContentType, null=True, on_delete=models.PROTECT)
    object_id = models.BigIntegerField(null=True)
    object = GenericForeignKey()
    object_repr = models.CharField(_("object"), max_length=200)
    scope_id = models.BigIntegerField(null=True)
    changes = models.JSONField(_("changes"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    data = models.JSONField(default=dict)
    # The clock of the database: by it and core.feed.horizon nobody misses an event.
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["content_type", "object_id", "-id"], name="event_object"),
            models.Index(fields=["scope_id", "-id"], name="event_scope"),
            models.Index(fields=["created_at", "id"], name="event_feed"),
            models.Index(
                KeyTransform("import", "data"),
                condition=Q(data__import__isnull=False),
                name="event_import",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_repr}"


class JobQuerySet(ScopedQuerySet):
    """A job is seen by who started it and by global roles."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.all() if sees_everything(user) else self.filter(created_by=user)


class Job(models.Model):
    """A piece of long work. Progress while it runs lives in the cache (core.jobs)."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (State.QUEUED, State.RUNNING)

    scope_path = None

    kind = models.CharField(_("kind"), max_length=50)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    result = models.JSONField(_("result"), default=dict)
    result_url = models.CharField(max_length=300, blank=True)
    error = models.TextField(_("error"), blank=True)
    cancel_requested = models.BooleanField(default=False)
    # The task and what it gets besides the job, so that another worker can take it up.
    task = models.CharField(max_length=200, blank=True)
    arguments = models.JSONField(default=list)
    losses = models.PositiveSmallIntegerField(default=0)  # how many workers it has lost
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="job_finished_has_time",
                condition=Q(state__in=["queued", "running"]) | Q(finished_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in self.OPEN


class KeptAnswerQuerySet(ScopedQuerySet):
    """An answer is seen by whom it was given to."""

    def visible_to(self, user: Any) -> QuerySet:
        return super().visible_to(user).filter(caller_id=user.pk)


class KeptAnswer(models.Model):
    """What the API answered to a request with an idempotency key (core.api.idempotency).

    `fingerprint` is that of the request, `body` the answer's bytes as they were sent.
    """

    scope_path = None

    caller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key


# Django finds them here.
from core.importing.models import Import, ImportProfile  # noqa: E402, F401
from core.webhooks.models import (  # noqa: E402, F401
    WebhookDelivery,
    WebhookEndpoint,
    WebhookProgress,
    WebhookSecret,
)
