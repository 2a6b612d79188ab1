from django.urls import include, path

from core.importing import correct_views, views
from core.importing.profile_views import ImportProfileView

urlpatterns = [
    path("new/", views.upload, name="import_upload"),
    path("<int:pk>/columns/", views.choose_columns, name="import_map"),
    path("<int:pk>/apply/", views.apply, name="import_apply"),
    path("<int:pk>/undo/", views.undo, name="import_undo"),
    path("<int:pk>/correct/", correct_views.correct, name="import_correct"),
    path("<int:pk>/errors/", views.error_file, name="import_errors"),
    path("<int:pk>/file/", views.raw_file, name="import_file"),
    path("profiles/", include(ImportProfileView.urls())),
    path("", include(views.ImportView.urls())),
]
