from django.urls import include, path

from core.webhooks import views

urlpatterns = [
    path("<int:pk>/secret/", views.show_secret, name="webhook_secret"),
    path("<int:pk>/rotate/", views.rotate, name="webhook_rotate"),
    path("<int:pk>/test/", views.send_test, name="webhook_test"),
    path("deliveries/<int:pk>/again/", views.send_again, name="webhook_again"),
    path("deliveries/", include(views.WebhookDeliveryView.urls())),
    path("", include(views.WebhookEndpointView.urls())),
]
