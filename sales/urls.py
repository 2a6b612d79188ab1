from django.urls import include, path

from sales.views import PaymentView, ProductAliasView, SalesFactView, TargetView

app_name = "sales"
urlpatterns = [
    path("lines/", include(SalesFactView.urls())),
    path("targets/", include(TargetView.urls())),
    path("payments/", include(PaymentView.urls())),
    path("aliases/", include(ProductAliasView.urls())),
]
