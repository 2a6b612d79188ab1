from django.urls import include, path

from catalog.views import ProductLineView, ProductView

app_name = "catalog"
urlpatterns = [
    path("products/", include(ProductView.urls())),
    path("lines/", include(ProductLineView.urls())),
]
