from django.urls import include, path

from accounts.views import TerritoryView, UserView

app_name = "accounts"
urlpatterns = [
    path("territories/", include(TerritoryView.urls())),
    path("users/", include(UserView.urls())),
]
