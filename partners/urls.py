from django.urls import include, path

from partners import merging
from partners.views import ContactView, LevelView, MembershipView, PartnerView, SiteView

app_name = "partners"
urlpatterns = [
    path("contacts/", include(ContactView.urls())),
    path("sites/", include(SiteView.urls())),
    path("access/", include(MembershipView.urls())),
    path("levels/", include(LevelView.urls())),
    path("duplicates/", merging.duplicate_list, name="duplicate_list"),
    path("<int:pk>/not-duplicate/", merging.dismiss, name="duplicate_dismiss"),
    path("<int:pk>/merge/", merging.merge_page, name="partner_merge"),
    path("", include(PartnerView.urls())),
]
