"""Ends with 0 when the web server in this container answers; for Docker's HEALTHCHECK."""

import os
import sys
import urllib.request

# Django answers only to its own names, so the request carries one of them.
host = (
    os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".*") or "localhost"
)
request = urllib.request.Request("http://127.0.0.1:8000/healthz", headers={"Host": host})
try:
    with urllib.request.urlopen(request, timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError as error:
    sys.exit(f"/healthz: {error}")
