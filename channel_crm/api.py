"""/api/v1/: every resource, the schema and the page to browse it."""

from django.contrib.auth.decorators import login_required
from django.urls import path
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounts.api import TerritoryViewSet
from catalog.api import ProductLineViewSet, ProductViewSet
from core.api.imports import ImportViewSet
from core.api.permissions import ModelPermission
from partners.api import ContactViewSet, LevelViewSet, PartnerViewSet, SiteViewSet
from partners.feed import EventViewSet
from performance.api import DeductionViewSet, EvaluationScheduleViewSet, EvaluationViewSet
from performance.backtest.api import BacktestReportViewSet, BacktestResultViewSet
from performance.library.api import DerivedMeasureViewSet, MeasureViewSet
from performance.process.api import (
    AppealViewSet,
    CorrectionViewSet,
    RatingViewSet,
    ScoreChangeViewSet,
)
from performance.results.api import (
    ConsequenceViewSet,
    ImprovementPlanViewSet,
    PlanActionViewSet,
    ScoreViewSet,
)
from performance.schemes.api import SchemeVersionViewSet, SchemeViewSet
from sales.api import (
    AdjustmentViewSet,
    ClosedPeriodViewSet,
    PaymentViewSet,
    ProductAliasViewSet,
    ReportViewSet,
    SalesFactViewSet,
    TargetPlanLineViewSet,
    TargetPlanViewSet,
    TargetViewSet,
)
from sales.control.api import ControlTotalViewSet

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("territories", TerritoryViewSet, "territory")
router.register("product-lines", ProductLineViewSet, "productline")
router.register("products", ProductViewSet, "product")
router.register("levels", LevelViewSet, "level")
router.register("partners", PartnerViewSet, "partner")
router.register("contacts", ContactViewSet, "contact")
router.register("sites", SiteViewSet, "site")
router.register("sales-facts", SalesFactViewSet, "salesfact")
router.register("payments", PaymentViewSet, "payment")
router.register("product-aliases", ProductAliasViewSet, "productalias")
router.register("control-totals", ControlTotalViewSet, "controltotal")
router.register("targets", TargetViewSet, "target")
router.register("target-plans", TargetPlanViewSet, "targetplan")
router.register("target-plan-lines", TargetPlanLineViewSet, "targetplanline")
router.register("reports", ReportViewSet, "report")
router.register("closed-periods", ClosedPeriodViewSet, "closedperiod")
router.register("adjustments", AdjustmentViewSet, "adjustment")
router.register("imports", ImportViewSet, "import")
router.register("schemes", SchemeViewSet, "scheme")
router.register("scheme-versions", SchemeVersionViewSet, "schemeversion")
router.register("backtests", BacktestReportViewSet, "backtestreport")
router.register("backtest-results", BacktestResultViewSet, "backtestresult")
router.register("evaluation-schedules", EvaluationScheduleViewSet, "evaluationschedule")
router.register("evaluations", EvaluationViewSet, "evaluation")
router.register("scores", ScoreViewSet, "score")
router.register("deductions", DeductionViewSet, "deduction")
router.register("derived-measures", DerivedMeasureViewSet, "derivedmeasure")
router.register("ratings", RatingViewSet, "rating")
router.register("corrections", CorrectionViewSet, "correction")
router.register("appeals", AppealViewSet, "appeal")
router.register("score-changes", ScoreChangeViewSet, "scorechange")
router.register("consequences", ConsequenceViewSet, "consequence")
router.register("improvement-plans", ImprovementPlanViewSet, "improvementplan")
router.register("plan-actions", PlanActionViewSet, "planaction")
router.register("events", EventViewSet, "event")


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as JSON or, when asked for, YAML."""

    renderer_classes = [
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
    ]
    permission_classes = [ModelPermission]


urlpatterns = [
    path(
        "", login_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"
    ),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("measures/", MeasureViewSet.as_view({"get": "list"}), name="measure-list"),
    path(
        "measures/<slug:code>/", MeasureViewSet.as_view({"get": "retrieve"}), name="measure-detail"
    ),
    path(
        "measures/<slug:code>/value/",
        MeasureViewSet.as_view({"get": "value"}),
        name="measure-value",
    ),
    *router.urls,
]
