from django.urls import include, path

from performance import views
from performance.backtest import views as backtests
from performance.library import views as library
from performance.process import views as process
from performance.results import views as results
from performance.schemes import views as schemes

app_name = "performance"
urlpatterns = [
    path("run/", views.run_evaluation, name="evaluation_run"),
    path("evaluations/<int:pk>/rate/", process.rate, name="evaluation_rate"),
    path("evaluations/<int:pk>/invite/", process.invite_raters, name="evaluation_invite"),
    path("evaluations/<int:pk>/remind/", process.remind_raters, name="evaluation_remind"),
    path("evaluations/<int:pk>/revise/", process.open_revision, name="evaluation_revise"),
    path("evaluations/<int:pk>/late/", process.check_late, name="evaluation_late"),
    path("evaluations/", include(views.EvaluationView.urls())),
    path("raters/<int:pk>/dismiss/", process.dismiss_rater, name="rater_dismiss"),
    path("ratings/<int:pk>/file/", process.rating_file, name="rating_file"),
    path("ratings/", include(process.RatingView.urls())),
    path(
        "corrections/<int:pk>/evidence/",
        process.correction_evidence,
        name="correction_evidence",
    ),
    path("corrections/", include(process.CorrectionView.urls())),
    path("appeals/<int:pk>/evidence/", process.appeal_evidence, name="appeal_evidence"),
    path("appeals/<int:pk>/decide/", process.decide_appeal, name="appeal_decide"),
    path("appeals/", include(process.AppealView.urls())),
    path("changes/", include(process.ScoreChangeView.urls())),
    path("matrix/", results.matrix_list, name="matrix_list"),
    path("matrix/filters/", results.matrix_filters, name="matrix_filters"),
    path("matrix/export/", results.matrix_export, name="matrix_export"),
    path("movers/export/", results.movers_export, name="movers_export"),
    path("scores/<int:pk>/pdf/", results.scorecard_pdf, name="score_pdf"),
    path("scores/", include(results.ScoreView.urls())),
    path("schemes/<int:pk>/draft/", schemes.draft_version, name="scheme_draft"),
    path("schemes/upload/", schemes.upload_scheme, name="scheme_upload"),
    path("schemes/examples/", schemes.list_examples, name="scheme_examples"),
    path("schemes/examples/<slug:name>/", schemes.copy_example, name="scheme_copy"),
    path("schemes/", include(schemes.SchemeView.urls())),
    path("versions/<int:pk>/file/", schemes.version_file, name="schemeversion_file"),
    path(
        "versions/<int:pk>/difference/",
        schemes.version_difference,
        name="schemeversion_difference",
    ),
    path("versions/", include(schemes.SchemeVersionView.urls())),
    path("items/preview/", schemes.preview_item, name="schemeitem_preview"),
    path("items/", include(schemes.SchemeItemView.urls())),
    path("levels/", include(schemes.SchemeLevelView.urls())),
    path("vetoes/", include(schemes.SchemeVetoView.urls())),
    path(
        "deductions/<int:pk>/evidence/",
        views.evidence_of_deduction,
        name="deduction_evidence",
    ),
    path("deductions/", include(views.DeductionView.urls())),
    path("scores/<int:pk>/what-if/", backtests.what_if_of_score, name="score_whatif"),
    path(
        "backtests/partners/<int:pk>/what-if/",
        backtests.what_if_of_result,
        name="backtestresult_whatif",
    ),
    path("backtests/run/", backtests.request_backtest, name="backtestreport_run"),
    path("backtests/partners/", include(backtests.BacktestResultView.urls())),
    path("backtests/", include(backtests.BacktestReportView.urls())),
    path("schedules/", include(views.ScheduleView.urls())),
    path("measures/", library.measure_list, name="measure_list"),
    path("measures/preview/", library.measure_preview, name="measure_preview"),
    path("measures/derived/", include(library.DerivedMeasureView.urls())),
    path("measures/<slug:code>/", library.measure_detail, name="measure_detail"),
    path("measures/<slug:code>/example/", library.measure_example, name="measure_example"),
    path("evaluations/<int:pk>/levels/", results.propose_levels, name="evaluation_propose_levels"),
    path("consequences/", include(results.ConsequenceView.urls())),
    path("plans/", include(results.ImprovementPlanView.urls())),
    path("actions/", include(results.PlanActionView.urls())),
]
