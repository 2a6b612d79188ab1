"""What was imported: the file as it came, how it was read, what came of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet, sees_everything


class ImportQuerySet(ScopedQuerySet):
    """An import is seen by who uploaded it and by global roles that may look at imports."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if sees_everything(user) and user.has_perm("core.view_import"):
            return self.all()
        return self.filter(created_by=user)


class Import(models.Model):
    """One file on its way in. The command makes one too, so that facts know where they came from.

    `options` is what the engine needs to read it again: mapping {field: expression}, constants
    {field: value} and the other fields of engine.Options. `report` is shown on the page: first
    rejects, sums by month and the rest of what a check finds.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Failed")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    scope_path = None

    kind = models.CharField(_("kind"), max_length=50)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/", blank=True, max_length=200)
    file_name = models.CharField(_("file name"), max_length=200)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    options = models.JSONField(default=dict)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    created = models.PositiveBigIntegerField(_("created"), default=0)
    updated = models.PositiveBigIntegerField(_("updated"), default=0)
    unchanged = models.PositiveBigIntegerField(_("unchanged"), default=0)
    removed = models.PositiveBigIntegerField(_("removed"), default=0)
    rejected = models.PositiveBigIntegerField(_("rejected"), default=0)
    report = models.JSONField(default=dict)
    error_file = models.FileField(upload_to="imports/%Y/%m/", blank=True, max_length=200)
    error = models.TextField(_("error"), blank=True)
    job = models.ForeignKey(
        "core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("uploaded by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("undone by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_running(self) -> bool:
        """Whether a worker has it, or should."""
        return self.state in (self.State.CHECKING, self.State.APPLYING, self.State.UNDOING)
