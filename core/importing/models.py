"""What was imported: the file as it came, how it was read, what came of it; and how files of a
source are read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet, sees_everything


class ImportQuerySet(ScopedQuerySet):
    """Imports and profiles are seen by who made them and by global roles that may see imports."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if sees_everything(user) and user.has_perm("core.view_import"):
            return self.all()
        return self.filter(created_by=user)


class ImportProfile(models.Model):
    """How the files of one source are read, under a name that says which source that is.

    `columns` are the names of the columns it fits, as mapping.columns_of gives them; `options` are
    those of an import. `uses` counts the imports that were applied with it.
    """

    scope_path = None

    kind = models.CharField(_("kind"), max_length=50)
    name = models.CharField(_("name"), max_length=60)
    columns = ArrayField(models.TextField(), verbose_name=_("columns"))
    options = models.JSONField(_("choices"))
    uses = models.PositiveIntegerField(_("uses"), default=0)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("kept by"),
        on_delete=models.CASCADE,
        related_name="+",
    )

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import profile")
        verbose_name_plural = _("import profiles")
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["created_by", "kind", "name"],
                name="import_profile_name",
                violation_error_message=_("You have a profile of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Import(models.Model):
    """One file on its way in. The command makes one too, so that facts know where they came from.

    `options` is what the engine needs to read it again: mapping {field: expression}, constants
    {field: value} and the other fields of engine.Options. `columns` are those of the file, as
    mapping.columns_of gives them. `report` is shown on the page: first rejects, sums by month,
    notes.

    An import that `corrects` another holds rows that this one had rejected: `corrected_rows` are
    their numbers there.
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
    profile = models.ForeignKey(
        ImportProfile,
        verbose_name=ImportProfile._meta.verbose_name,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    columns = ArrayField(models.TextField(), default=list)
    # What came into the books by a correction leads back to the file it was wrong in.
    corrects = models.ForeignKey(
        "self",
        verbose_name=_("corrects"),
        null=True,
        on_delete=models.PROTECT,
        related_name="corrections",
    )
    corrected_rows = ArrayField(models.PositiveIntegerField(), default=list)
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
