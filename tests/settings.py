"""The product's settings, on this machine's own servers, with what only tests need."""

import os
import tempfile
from urllib.parse import urlsplit

os.environ.setdefault("LOCAL", "1")

from channel_crm import local

local.ensure()

from channel_crm.settings import *  # noqa: E402, F403
from channel_crm.settings import (  # noqa: E402
    CACHES,
    DATABASES,
    REDIS_URL,
    STORAGES,
    next_database,
)

# A test process has its own pair of Redis databases, and none of them that of `make run`. (A
# server has sixteen: the fifth process shares with the first, but for the names of its keys.)
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS_URL = urlsplit(REDIS_URL)._replace(path=f"/{8 + 2 * (_worker % 4)}").geturl()
CELERY_BROKER_URL = REDIS_URL
CACHE_URL = next_database(REDIS_URL)
CACHES["default"] |= {"LOCATION": CACHE_URL, "KEY_PREFIX": f"test_{_worker}"}
DATABASES["default"]["CONN_MAX_AGE"] = 0  # the live server's threads must not hold the database
CELERY_TASK_ALWAYS_EAGER = True  # there is no worker beside a test

# A real password hash takes a tenth of a second by design.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files need not be collected before a test.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = None
MEDIA_ROOT = tempfile.mkdtemp(prefix="channel-crm-media-")

# A test that does not choose a language reads English, whether or not catalogues are compiled.
LANGUAGE_CODE = "en"

SITE_URL = "https://crm.example.com"
