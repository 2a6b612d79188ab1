"""What facts were before imports changed or removed them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet


class FactBefore(models.Model):
    """A sales line or payment as it was before an import changed or removed it: by this the import
    can be undone.

    `load` did it; `previous_load` had written the row. `kind` names the facts as the importer does,
    `row` is the whole row as PostgreSQL's to_jsonb writes it. No constraints to the fact, which may
    be gone, nor to its partner: a row goes back into the facts, which have them.
    """

    scope_path = "partner"

    load = models.ForeignKey("core.Import", on_delete=models.PROTECT, related_name="+")
    previous_load = models.ForeignKey(
        "core.Import", on_delete=models.PROTECT, null=True, related_name="+"
    )
    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=20)
    fact_id = models.BigIntegerField()
    removed = models.BooleanField(default=False)
    row = models.JSONField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Fact before a change")
        verbose_name_plural = _("Facts before a change")
        constraints = [
            models.UniqueConstraint(fields=["load", "kind", "fact_id"], name="fact_before_once"),
        ]
        indexes = [
            models.Index(fields=["kind", "fact_id"], name="fact_before_fact"),
            models.Index(fields=["partner", "kind"], name="fact_before_partner"),
        ]

    def __str__(self):
        return f"{self.kind} {self.fact_id} {self.load_id}"
