from django.urls import include, path

from partners.views import ContactView, LevelView, MembershipView, PartnerView, SiteView

app_name = "partners"
urlpatterns = [
    path("contacts/", include(ContactView.urls())),
    path("sites/", include(SiteView.urls())),
    path("access/", include(MembershipView.urls())),
    path("levels/", include(LevelView.urls())),
    path("", include(PartnerView.urls())),
]
