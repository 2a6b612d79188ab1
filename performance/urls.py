from django.urls import include, path

from performance import views

app_name = "performance"
urlpatterns = [
    path("run/", views.run_evaluation, name="evaluation_run"),
    path("evaluations/", include(views.EvaluationView.urls())),
    path("scores/", include(views.ScoreView.urls())),
    path("schemes/<int:pk>/draft/", views.draft_version, name="scheme_draft"),
    path("schemes/", include(views.SchemeView.urls())),
    path("versions/", include(views.SchemeVersionView.urls())),
    path("items/", include(views.SchemeItemView.urls())),
    path("levels/", include(views.SchemeLevelView.urls())),
    path("schedules/", include(views.ScheduleView.urls())),
]
