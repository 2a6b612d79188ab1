"""Every address of the product."""

from pathlib import Path

from django.contrib import admin
from django.urls import include, path

from accounts.api_auth import TokenView
from core import health

# While the rooms are being built: only those that are there. (Goes before landing.)
HERE = Path(__file__).resolve().parent.parent
ROOMS = {
    "api/v1/": "channel_crm.api",
    "accounts/": "accounts.urls",
    "catalog/": "catalog.urls",
    "partners/": "partners.urls",
    "sales/": "sales.urls",
    "performance/": "performance.urls",
    "": "core.urls",
}

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("api/token/", TokenView.as_view(), name="oauth2_token"),
    *[path(prefix, include(room)) for prefix, room in ROOMS.items() if (HERE / f"{room.replace('.', '/')}.py").exists()],
    *([path("", include("insights.urls"))] if (HERE / "insights/urls.py").exists() else []),
]

handler400 = "core.views.pages.bad_request"
handler403 = "core.views.pages.forbidden"
handler404 = "core.views.pages.not_found"
handler500 = "core.views.pages.server_error"
