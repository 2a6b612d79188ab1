"""Parts of an evaluation that is being computed by several workers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet
from performance.models.evaluations import Evaluation


class EvaluationShard(models.Model):
    """The partners of an evaluation that is running whose keys are from `first` up to `last` (see
    performance.sharding); gone when it ends.

    `snapshot` names the state of the database that all shards are read in, `benchmarks` the targets
    that all partners share. `result` is there when a helper has scored them.
    """

    scope_path = None

    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.CASCADE, related_name="shards", db_index=False
    )
    number = models.PositiveIntegerField()
    snapshot = models.CharField(max_length=100)
    benchmarks = models.JSONField(default=dict)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    result = models.TextField(null=True)  # noqa: DJ001 (none yet is not an empty one)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("part of an evaluation")
        verbose_name_plural = _("parts of an evaluation")
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "number"], name="evaluation_shard_once")
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id} {self.number}"
