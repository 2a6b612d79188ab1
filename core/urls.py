from django.urls import include, path

from core.views import pages

app_name = "core"
urlpatterns = [
    path("search/", pages.search, name="search"),
    path("preference/", pages.preference, name="preference"),
    path("imports/", include("core.importing.urls")),
    path("webhooks/", include("core.webhooks.urls")),
    path("jobs/", pages.job_list, name="job_list"),
    path("jobs/<int:pk>/", pages.job_detail, name="job_detail"),
    path("jobs/<int:pk>/cancel/", pages.job_cancel, name="job_cancel"),
]
