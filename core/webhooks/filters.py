"""Filters of the log of deliveries."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from core.filters import AnyOf, FilterSet
from core.webhooks.models import WebhookDelivery, WebhookEndpoint


class DeliveryFilter(FilterSet):
    endpoint = django_filters.ModelChoiceFilter(
        label=_("webhook"), queryset=WebhookEndpoint.objects.all()
    )
    state = AnyOf(label=_("state"), choices=WebhookDelivery.State)
    type = django_filters.CharFilter(
        label=_("event type"), field_name="event__verb", lookup_expr="istartswith"
    )
    created_at = django_filters.DateFromToRangeFilter(label=_("day"))

    class Meta:
        model = WebhookDelivery
        fields = ["endpoint", "state", "type", "created_at"]
