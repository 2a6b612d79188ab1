"""Schemes say how partners are scored; evaluations are what came of it."""

from performance.models.evaluations import Evaluation, EvaluationSchedule, Score
from performance.models.schemes import (
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    TargetSource,
)

__all__ = [
    "Evaluation",
    "EvaluationSchedule",
    "Scheme",
    "SchemeItem",
    "SchemeLevel",
    "SchemeVersion",
    "Score",
    "TargetSource",
]
