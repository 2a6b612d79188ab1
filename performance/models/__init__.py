"""Schemes say how partners are scored; evaluations are what came of it."""

from performance.models.appeals import Appeal
from performance.models.backtests import BacktestReport, BacktestResult
from performance.models.changes import LateCheck, ScoreChange
from performance.models.consequences import (
    Consequence,
    ConsequenceKind,
    ImprovementPlan,
    PlanAction,
)
from performance.models.corrections import Correction
from performance.models.deductions import Deduction
from performance.models.derived import DerivedMeasure
from performance.models.evaluations import Evaluation, EvaluationSchedule, Held, Score
from performance.models.ratings import Rater, Rating
from performance.models.schemes import (
    Basis,
    MinimumRule,
    Role,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
    TargetSource,
    VetoEffect,
    VetoSide,
)
from performance.models.shards import EvaluationShard

__all__ = [
    "Appeal",
    "BacktestReport",
    "BacktestResult",
    "Basis",
    "Correction",
    "Consequence",
    "ConsequenceKind",
    "Deduction",
    "DerivedMeasure",
    "Evaluation",
    "EvaluationSchedule",
    "EvaluationShard",
    "Held",
    "LateCheck",
    "MinimumRule",
    "Rater",
    "ImprovementPlan",
    "MinimumRule",
    "PlanAction",
    "Rating",
    "Role",
    "Scheme",
    "SchemeItem",
    "SchemeLevel",
    "SchemeVersion",
    "SchemeVeto",
    "Score",
    "ScoreChange",
    "TargetSource",
    "VetoEffect",
    "VetoSide",
]
