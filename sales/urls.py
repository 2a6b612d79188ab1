from django.urls import include, path

from sales.views import SalesFactView, TargetView

app_name = "sales"
urlpatterns = [
    path("lines/", include(SalesFactView.urls())),
    path("targets/", include(TargetView.urls())),
]
