"""What pages and API are measured against: the least that Django and DRF need for the same rows."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import generics, serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from partners.models import Partner

COLUMNS = (
    "code",
    "name",
    "short_name",
    "channel_type",
    "state",
    "credit_code",
    "started_on",
    "created_at",
)


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """50 rows of 8 columns from one query, in a table without a frame."""
    rows = Partner.objects.order_by("pk").values_list(*COLUMNS)[:50]
    return render(request, "bench/bare.html", {"columns": COLUMNS, "rows": rows})


class PartnerSerializer(serializers.ModelSerializer):
    class Meta:
        model = Partner
        fields = ("id", *COLUMNS)


class PartnerList(generics.ListAPIView):
    """A plain DRF list: one query, a ModelSerializer, no pagination object."""

    serializer_class = PartnerSerializer
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)
    pagination_class = None

    def get_queryset(self):
        return Partner.objects.order_by("pk")[:50]
