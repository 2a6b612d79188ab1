"""POST …/bulk/: rows by the thousand, through the same loader as files.

What is particular to a kind, its importer says; a resource names the kind and gets the rest here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, ClassVar

from django.core.files import File
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError

from core.api import bulk_schema, problems, sandbox
from core.api.bodies import Body, BulkJSONParser, BulkLinesParser, body_of
from core.api.idempotency import once
from core.api.imports import ImportDetail, represent
from core.api.rendering import JSONRenderer
from core.importing import json_rows, records, registry, services
from core.importing.models import Import

# What is loaded while the caller waits; more becomes a job.
MOST_ROWS = 50_000
MOST_BYTES = 32 * 1024**2
PREFER, ASYNC = "Prefer", "respond-async"
COUNTS = ("rows", "created", "updated", "unchanged", "rejected")
_SHOWN = 100


class BulkMixin:
    """POST …/bulk/ for rows of `bulk_kind`."""

    bulk_kind: ClassVar[str]  # of an importer

    def check_permissions(self: Any, request: Any) -> None:
        super().check_permissions(request)  # type: ignore[misc]
        if self.action == "bulk" and not registry.get(self.bulk_kind).may(request.user):
            self.permission_denied(request)

    def bulk_request(self) -> dict[str, Any]:
        """The schema of the body, by media type."""
        return bulk_schema.request_of(registry.get(self.bulk_kind))

    def bulk_responses(self) -> dict[Any, Any]:
        """The schemas of the answers, by status."""
        return bulk_schema.responses_of(registry.get(self.bulk_kind), ImportDetail)

    @extend_schema(parameters=bulk_schema.PARAMETERS, filters=False)
    @action(
        detail=False,
        methods=["post"],
        pagination_class=None,
        filter_backends=[],
        parser_classes=[BulkJSONParser, BulkLinesParser],
    )
    def bulk(self: Any, request: Any) -> HttpResponse:
        """Load many rows at once, as a JSON array or NDJSON (also with Content-Encoding: gzip). A
        row that is known by its key is brought up to date; one that is rejected does not keep the
        others out. Up to 50,000 rows and 32 MB are loaded at once and answered row by row. A larger
        request, or one with `Prefer: respond-async`, is answered 202 with the address of its
        import, and loaded by a worker. Either way it is one transaction."""
        flags = flags_of(request, bulk_schema.FLAGS)
        body = body_of(request)
        return once(request, body.sha256, lambda: _answer(request, self.bulk_kind, body, flags))


def _answer(request: Any, kind: str, body: Body, flags: dict[str, str]) -> HttpResponse:
    if body.size > MOST_BYTES or _prefers_async(request):
        return _start(request, kind, body, flags)
    try:
        return _load(request, kind, body, flags)
    except json_rows.TooManyRows:
        return _start(request, kind, body, flags)


def _prefers_async(request: Any) -> bool:
    words = request.headers.get(PREFER, "").replace(";", ",").split(",")
    return ASYNC in [word.strip().lower() for word in words]


def _start(request: Any, kind: str, body: Body, flags: dict[str, str]) -> HttpResponse:
    """Leave the rows to a worker; the answer tells where to see how it gets on."""
    sandbox.refuse(request)
    load = services.receive(
        file=File(body.received),
        kind=kind,
        sha256=body.sha256,
        lines=body.lines,
        is_gzip=body.is_gzip,
        by=request.user,
        dry_run=flags["dry_run"] == "true",
        all_or_nothing=flags["all_or_nothing"] == "true",
    )
    headers = {"Location": reverse("api:import-detail", args=[load.pk])}
    if _prefers_async(request):
        headers["Preference-Applied"] = ASYNC
    shown = represent(Import.objects.filter(pk=load.pk))
    return HttpResponse(
        JSONRenderer().render(shown),
        status=202,
        content_type="application/json",
        headers=headers,
    )


def _load(request: Any, kind: str, body: Body, flags: dict[str, str]) -> HttpResponse:
    all_or_nothing = flags["all_or_nothing"] == "true"
    loaded = records.load(
        kind,
        body.unpacked(),
        lines=body.lines,
        most=MOST_ROWS,
        name="api",
        sha256=body.sha256,
        by=request.user,
        dry_run=flags["dry_run"] == "true",
        all_or_nothing=all_or_nothing,
    )
    counts = {"import": loaded.import_id}
    counts |= {name: getattr(loaded.outcome, name) for name in COUNTS}
    if all_or_nothing and loaded.rejects:
        message = _("%d rows were rejected, so nothing was loaded.") % len(loaded.rejects)
        response: HttpResponse = problems.respond(
            422, "rejected_rows", message, path=request.path, more=counts
        )
    else:
        response = HttpResponse(JSONRenderer().render(counts), content_type="application/json")
    results = _results(registry.get(kind), loaded, only_rejected=flags["results"] == "rejected")
    response.content = b'%b,"results":[%b]}' % (response.content[:-1], results.encode())
    written = loaded.outcome.created + loaded.outcome.updated if loaded.import_id else 0
    response.rows_written = written  # type: ignore[attr-defined]  # for the log of calls
    return response


def _results(importer: registry.Importer, loaded: records.Loaded, *, only_rejected: bool) -> str:
    """What came of each row (of a dry run: what would come of it), as JSON. It is put together as
    text, because there are so many of them."""
    key = ",".join(f"{quoted(name)}:%s" for name in importer.key)
    result = f'{{"row":%d,"key":{{{key}}},"outcome":"%s","problems":%s}}'
    found = []
    for row in sorted(loaded.rejects) if only_rejected else range(1, len(loaded.keys) + 1):
        given = [quoted(cell[:_SHOWN]) if cell else "null" for cell in loaded.keys[row - 1]]
        rejects = loaded.rejects.get(row)
        outcome = "rejected" if rejects else loaded.outcomes.get(row, "created")
        found.append(result % (row, *given, outcome, _problems(rejects) if rejects else "[]"))
    return ",".join(found)


def _problems(rejects: Sequence[tuple[str, str]]) -> str:
    found = [{"field": field or None, "message": reason} for field, reason in rejects]
    return json.dumps(found, ensure_ascii=False)


def flags_of(request: Any, choices: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The parameters of the address, {name: one of its choices}; the first one by default.

    Anything else is refused: a misspelt `dry_run` must not write.
    """
    for name in request.query_params:
        if name not in choices:
            message = _("There is no such parameter.")
            raise ValidationError({name[:100]: [message]}, "unknown_parameter")
    found = {}
    for name, words in choices.items():
        given = request.query_params.getlist(name) or [words[0]]
        if len(given) > 1 or given[0] not in words:
            message = _("Give one of: %(words)s.") % {"words": ", ".join(words)}
            raise ValidationError({name: [message]}, "invalid_choice")
        found[name] = given[0]
    return found
