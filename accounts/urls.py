from django.urls import include, path

from accounts import client_pages
from accounts.views import TerritoryView, UserView

app_name = "accounts"
urlpatterns = [
    path("territories/", include(TerritoryView.urls())),
    path("users/", include(UserView.urls())),
    path("api-clients/make/", client_pages.make_client, name="apiclient_make"),
    path("api-clients/<int:pk>/secret/", client_pages.new_secret, name="apiclient_secret"),
    path("api-clients/", include(client_pages.ApiClientView.urls())),
]
