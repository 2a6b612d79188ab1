"""How gunicorn runs the pages, here and in a container: `-c python:channel_crm.gunicorn`."""

import os

worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = True  # the workers share the memory of the code
timeout = int(os.environ.get("WEB_TIMEOUT", "120"))  # a large upload is slower than a page
graceful_timeout = 10
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = None
loglevel = "warning"
control_socket_disable = True


def pre_fork(server, worker):
    """Load every page's code before the workers split off: they share it, and it is there."""
    from django.template import engines
    from django.urls import get_resolver

    engines.all()
    get_resolver().url_patterns  # noqa: B018 (loads them)
