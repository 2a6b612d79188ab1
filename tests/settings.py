"""The product's settings, on this machine's own servers, with what only tests need."""

import os
import tempfile

os.environ.setdefault("LOCAL", "1")

from channel_crm import local

local.ensure()

from channel_crm.settings import *  # noqa: E402, F403
from channel_crm.settings import CACHES, DATABASES, REDIS_URL, STORAGES  # noqa: E402

# Every test process has a Redis database of its own, and none of them that of `make run`.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CELERY_BROKER_URL = REDIS_URL = f"{REDIS_URL.rpartition('/')[0]}/{8 + _worker % 8}"
CACHES["default"]["LOCATION"] = REDIS_URL
DATABASES["default"]["CONN_MAX_AGE"] = 0  # the live server's threads must not hold the database
CELERY_TASK_ALWAYS_EAGER = True  # there is no worker beside a test

# A real password hash takes a tenth of a second by design.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files need not be collected before a test.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = None
MEDIA_ROOT = tempfile.mkdtemp(prefix="channel-crm-media-")
