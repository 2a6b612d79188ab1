"""The Celery application: `celery -A channel_crm worker` and `… beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "channel_crm.settings")
app = Celery("channel_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
