from core.admin import register
from performance.models import (
    Appeal,
    BacktestReport,
    BacktestResult,
    Consequence,
    Correction,
    Deduction,
    DerivedMeasure,
    Evaluation,
    EvaluationSchedule,
    ImprovementPlan,
    PlanAction,
    Rater,
    Rating,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
    Score,
)

register(Scheme, "code", "name", search=("code", "name"))
register(SchemeVersion, "scheme", "number", "state")
register(SchemeItem, "version", "code", "basis", "role", "measure", "weight")
register(SchemeLevel, "version", "level", "min_total", "keep_total")
register(SchemeVeto, "version", "code", "measure", "side", "bound", "effect")
register(Deduction, "partner", "decided_on", "points", "state", search=("partner__code",))
register(Consequence, "partner", "kind", "effective_on", "state", search=("partner__code",))
register(ImprovementPlan, "partner", "due_on", "state", search=("partner__code",))
register(PlanAction, "plan", "what", "owner", "due_on", "done_on")
register(Rating, "evaluation", "item_code", "partner", "rater", "mark")
register(Rater, "evaluation", "user", "reminded_at")
register(Correction, "evaluation", "partner", "item_code", "state", search=("partner__code",))
register(Appeal, "evaluation", "partner", "item_code", "state", search=("partner__code",))
register(EvaluationSchedule, "scheme", "every", "days_after", "active", "last_period")
register(DerivedMeasure, "code", "name", "expression", "unit", search=("code", "name"))
register(Evaluation, "scheme", "period_code", "revision", "state", "partner_count")
register(Score, "evaluation", "partner", "total", "rank", search=("partner__code",))
register(BacktestReport, "version", "against", "first_period", "last_period", "state")
register(BacktestResult, "report", "partner", "change", search=("partner__code",))
