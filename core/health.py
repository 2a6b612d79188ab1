"""For machines that watch the service: alive, ready, and figures."""

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from core.models import Job


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database and the cache answer, else 503 naming what does not."""
    failing = [name for name, check in (("database", _database), ("cache", _cache)) if not check()]
    return JsonResponse({"failing": failing}, status=503 if failing else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus figures: jobs by state. For signed-in staff or machines on this host only."""
    if request.META.get("REMOTE_ADDR") not in ("127.0.0.1", "::1", "") and not (
        request.user.is_authenticated and request.user.is_staff
    ):
        return HttpResponse(status=403)
    registry = CollectorRegistry()
    jobs = Gauge("channel_crm_jobs", "Jobs by state", ["state"], registry=registry)
    for state in Job.State.values:
        jobs.labels(state).set(Job.objects.filter(state=state).count())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return False
    return True


def _cache() -> bool:
    try:
        cache.get("ready")
    except Exception:
        return False
    return True
