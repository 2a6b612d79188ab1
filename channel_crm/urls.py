"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path

from accounts.api_auth import TokenView
from core import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("api/token/", TokenView.as_view(), name="oauth2_token"),
    path("api/v1/", include("channel_crm.api")),
    path("accounts/", include("accounts.urls")),
    path("catalog/", include("catalog.urls")),
    path("partners/", include("partners.urls")),
    path("sales/", include("sales.urls")),
    path("performance/", include("performance.urls")),
    path("", include("core.urls")),
    path("", include("insights.urls")),
]

handler400 = "core.views.pages.bad_request"
handler403 = "core.views.pages.forbidden"
handler404 = "core.views.pages.not_found"
handler500 = "core.views.pages.server_error"
