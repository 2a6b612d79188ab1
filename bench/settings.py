"""The product's settings, plus the bare views that pages are measured against."""

from channel_crm.settings import *  # noqa: F403
from channel_crm.settings import BASE_DIR, TEMPLATES

ROOT_URLCONF = "bench.urls"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], BASE_DIR / "bench" / "templates"]
