from core.admin import register
from performance.models import (
    Evaluation,
    EvaluationSchedule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    Score,
)

register(Scheme, "code", "name", search=("code", "name"))
register(SchemeVersion, "scheme", "number", "state")
register(SchemeItem, "version", "code", "measure", "weight")
register(SchemeLevel, "version", "level", "min_total")
register(EvaluationSchedule, "scheme", "every", "days_after", "active", "last_period")
register(Evaluation, "scheme", "period_code", "revision", "state", "partner_count")
register(Score, "evaluation", "partner", "total", "rank", search=("partner__code",))
