"""The product's addresses, and beside them the bare references."""

from django.urls import include, path

from bench import bare

urlpatterns = [
    path("bare/page/", bare.page),
    path("bare/api/", bare.PartnerList.as_view()),
    path("", include("channel_crm.urls")),
]
