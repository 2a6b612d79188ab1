"""An import in the browser: upload → map → check → apply. The engine does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from core import jobs
from core.errors import Conflict, DomainError
from core.importing import engine, readers, registry
from core.importing.models import Import, ImportProfile

State = Import.State
OPEN = (State.UPLOADED, State.CHECKED, State.FAILED)
Progress = Callable[..., None]


def upload(*, file: File, kind: str, by: Any) -> Import:
    """Keep the file as it came. DomainError when it is too large or cannot be read at all."""
    if (file.size or 0) > settings.IMPORT_MAX_BYTES:
        raise DomainError(
            "too_large",
            _("The file is larger than %d MB.") % (settings.IMPORT_MAX_BYTES // 1024**2),
            "file",
        )
    load = Import(kind=registry.get(kind).kind, file_name=(file.name or "")[-200:], created_by=by)
    load.file.save(f"{kind}-import", file, save=False)
    try:
        table_of(load)
        load.sha256 = engine.sha256_of(path_of(load))
        load.save()
    except BaseException:
        load.file.delete(save=False)
        raise
    return load


@transaction.atomic
def receive(
    *,
    file: File,
    kind: str,
    sha256: str,
    lines: bool,
    is_gzip: bool,
    by: Any,
    dry_run: bool,
    all_or_nothing: bool,
) -> Import:
    """Keep the JSON of a request as it came (a line a row or an array, packed or not), with the
    fingerprint of what is in it, and begin to load it; in a dry run, to check it."""
    from core.importing.tasks import apply_import

    name = f"api.{'ndjson' if lines else 'json'}{'.gz' if is_gzip else ''}"
    options = engine.Options(
        json="lines" if lines else "array", is_gzip=is_gzip, all_or_nothing=all_or_nothing
    )
    load = Import(kind=registry.get(kind).kind, file_name=name, sha256=sha256, created_by=by)
    load.file.save(f"{kind}-import", file)
    try:
        if dry_run:
            return start_check(load=load, options=asdict(options), by=by)
        work = (State.APPLYING, (State.UPLOADED,), apply_import, _("Load %s"))
        return _start(load, *work, by, {"options": asdict(options)})
    except BaseException:
        load.file.delete(save=False)
        raise


def path_of(load: Import) -> Path:
    """Where the uploaded file lies. DomainError `file_gone` when it was removed."""
    path = Path(load.file.path)
    if not path.is_file():
        raise DomainError("file_gone", _("The uploaded file is no longer there. Upload it again."))
    return path


def table_of(load: Import) -> readers.Table:
    """The file with its header, read as its options say, and wide where it is."""
    options = replace(options_of(load), wide="")
    return engine.open_table(path_of(load), registry.get(load.kind), options)


def options_of(load: Import) -> engine.Options:
    """What was chosen on the mapping page."""
    return engine.Options(**load.options)


def start_check(
    *, load: Import, options: dict[str, Any], by: Any, profile: ImportProfile | None = None
) -> Import:
    """Keep the choices, with the profile that they come from, and begin the check. Conflict while
    it runs or after it was applied."""
    from core.importing.tasks import check_import

    chosen = {"options": options, "profile": profile}
    return _start(load, State.CHECKING, OPEN, check_import, _("Check %s"), by, chosen)


def start_apply(*, load: Import, by: Any, without_suspicious: bool = False) -> Import:
    """Begin to write what was checked, on demand without the rows that look wrong. Conflict unless
    it was checked and not yet applied."""
    from core.importing.tasks import apply_import

    chosen = {"options": {**load.options, "without_suspicious": without_suspicious}}
    return _start(load, State.APPLYING, (State.CHECKED,), apply_import, _("Load %s"), by, chosen)


def start_undo(*, load: Import, by: Any) -> Import:
    """Begin to take an applied import back. Conflict unless it is applied."""
    from core.importing.tasks import undo_import

    return _start(load, State.UNDOING, (State.APPLIED,), undo_import, _("Undo %s"), by)


@transaction.atomic
def _start(
    load: Import,
    target: State,
    sources: tuple[State, ...],
    task: Any,
    title: str,
    by: Any,
    chosen: dict[str, Any] | None = None,
) -> Import:
    row = Import.objects.select_for_update().get(pk=load.pk)
    if row.state not in sources:
        raise Conflict(
            "import_state",
            _("This import is “%s”, so this is not possible now.") % row.get_state_display(),
        )
    for name, value in (chosen or {}).items():
        setattr(row, name, value)
    row.state, row.error = target, ""
    row.job = jobs.enqueue(task, row.pk, kind="import", title=title % row.file_name, by=by)
    row.save()
    return row


def check(*, load: Import, by: Any, progress: Progress) -> Import:
    """Dry run: counts, first rejects, first changed rows and sums by month into `load.report`.
    Writes no rows."""
    result = _run(load, by, progress, dry_run=True)
    outcome = result.outcome
    for name in engine.COUNTS:
        setattr(load, name, getattr(outcome, name))
    earlier = engine.same_file_before(load)
    before = _last_of_sources(load, outcome.sources)
    load.report = {
        "months": [list(month) for month in outcome.months],
        "same_file": earlier.pk if earlier else None,
        "sources": outcome.sources,
        "before": before.pk if before else None,
        "changes": [list(change) for change in outcome.changes],
        "suspicious": outcome.suspicious,
        "suspects": [list(suspect) for suspect in outcome.suspects],
        "known_from": list(outcome.known_from.items()),
        "dates": outcome.dates,
    }
    load.state = State.CHECKED
    _keep_rejects(load, result)
    return load


def apply(*, load: Import, by: Any, progress: Progress) -> Import:
    """Write the rows. Everything that the check found is found again: the data may have moved.
    RejectedRows as its name says; then only what was rejected is kept."""
    try:
        result = _run(load, by, progress, dry_run=False)
    except engine.RejectedRows as refusal:
        load.rows, load.rejected = refusal.result.outcome.rows, refusal.result.outcome.rejected
        _keep_rejects(load, refusal.result)
        raise
    _keep_rejects(load, result)
    return load


def undo(*, load: Import, by: Any, progress: Progress) -> Import:
    """Take it back, as the worker does. Raises as engine.undo."""
    progress(1, 1, _("Taking the rows back"))
    engine.undo(load, by=by)
    return load


def fail(*, load: Import, message: str) -> None:
    """The file could not be checked, applied or undone: nothing was written, so that what was
    applied still is."""
    load.refresh_from_db()
    load.state = State.APPLIED if load.state == State.UNDOING else State.FAILED
    load.error = message
    load.save(update_fields=["state", "error"])


def _last_of_sources(load: Import, sources: list[str]) -> Import | None:
    """The last applied import of the same sources, to be shown beside this one."""
    if not sources:
        return None
    same = Import.objects.filter(
        kind=load.kind, state=State.APPLIED, report__sources__contains=sources
    )
    return same.exclude(pk=load.pk).order_by("-applied_at").first()


def _run(load: Import, by: Any, progress: Progress, *, dry_run: bool) -> engine.Result:
    stem = Path(load.file_name).name.split(".")[0][:60] or "import"
    folder = Path(settings.MEDIA_ROOT) / "imports" / "errors" / str(load.pk)
    return engine.run(
        path_of(load),
        load,
        options_of(load),
        by=by,
        dry_run=dry_run,
        error_path=folder / f"{stem}-errors.csv",
        progress=progress,
    )


def _keep_rejects(load: Import, result: engine.Result) -> None:
    load.report |= {"rejects": [[one.row, one.field, one.reason] for one in result.rejects.first]}
    root = Path(settings.MEDIA_ROOT)
    load.error_file.name = str(result.error_file.relative_to(root)) if result.error_file else ""
    load.save()
