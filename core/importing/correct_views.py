"""The page on which rejected rows are corrected."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from core.errors import DomainError, add_to_form
from core.importing import correcting, mapping, registry
from core.importing.forms import CorrectedFileForm
from core.importing.models import Import
from core.importing.views import kind_name, may_import, own_import

MOST_ROWS = 100
# So many inputs a page: browsers stay quick, and Django refuses forms of more than it is told.
MOST_INPUTS = 4500
_NAME = re.compile(r"cell-(\d{1,10})-(\d{1,3})")


@dataclass(frozen=True)
class Cell:
    """One cell of the grid; `problems` are reasons that are about this cell alone."""

    column: str
    name: str
    text: str
    editable: bool
    problems: list[str]


@dataclass(frozen=True)
class Line:
    """One row of the grid; `problems` are (field, reason)s that are about no single cell."""

    number: int
    place: str
    cells: list[Cell]
    problems: list[tuple[str, str]]


class Grid:
    """One page of the rejected rows of an import that wait for a correction."""

    def __init__(self, load: Import, page: str) -> None:
        self.load, self.importer = load, registry.get(load.kind)
        self.header = correcting.error_table(load).header
        self.column_of, self.editable = self._columns()
        self.size = max(1, min(MOST_ROWS, MOST_INPUTS // (len(self.editable) + 2)))
        self.total = max(0, load.rejected - len(correcting.sent(load)))
        self.pages = max(1, -(-self.total // self.size))
        self.page = min(max(int(page), 1), self.pages) if re.fullmatch(r"\d{1,8}", page) else 1
        first = (self.page - 1) * self.size
        rows = islice(correcting.waiting(load), first, first + self.size)
        self.lines = [self._line(row) for row in rows]
        self.first, self.last = first + 1, first + len(self.lines)

    def _columns(self) -> tuple[dict[str, int], set[int]]:
        """({field: its column, where it has one}, the columns that say anything): the others need
        no correction. All do where the choices cannot tell."""
        options = self.load.options
        try:
            expressions = mapping.resolve(
                self.importer.fields, self.header, options["maps"], options["constants"]
            )
        except DomainError:
            return {}, set(range(len(self.header)))
        columns = {name: one.columns for name, one in expressions.items()}
        return (
            {name: places[0] for name, places in columns.items() if len(places) == 1},
            {place for places in columns.values() for place in places},
        )

    def _line(self, row: correcting.Rejected) -> Line:
        labels = {field.name: str(field.label) for field in self.importer.fields}
        at, rest = defaultdict(list), []
        for name, reason in row.problems:
            if name in self.column_of:
                at[self.column_of[name]].append(reason)
            else:
                rest.append((labels.get(name, name), reason))
        cells = [
            Cell(column, f"cell-{row.number}-{place}", text, place in self.editable, at[place])
            for place, (column, text) in enumerate(zip(self.header, row.cells, strict=True))
        ]
        return Line(row.number, row.place, cells, rest)


@login_required
@may_import
def correct(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show rejected rows to be corrected; check those that are sent, or a corrected error file."""
    load = own_import(request, pk)
    if not load.error_file:
        raise Http404
    form = CorrectedFileForm(request.POST or None, request.FILES or None)
    try:
        if request.method == "POST" and "upload" in request.POST:
            if form.is_valid():
                file = form.cleaned_data["file"]
                return _checking(correcting.correct_by_file(load=load, file=file, by=request.user))
        elif request.method == "POST":
            cells = _posted_cells(request)
            return _checking(correcting.correct(load=load, cells=cells, by=request.user))
    except DomainError as error:
        if "upload" in request.POST:
            add_to_form(form, error)
        else:
            messages.error(request, str(error.message))
    return _page(request, load, form)


def _page(request: HttpRequest, load: Import, form: CorrectedFileForm) -> HttpResponse:
    here = reverse("core:import_detail", args=[load.pk])
    try:
        grid = Grid(load, request.GET.get("page", "1"))
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(here)
    context = {
        "load": load,
        "grid": grid,
        "form": form if "upload" in request.POST else CorrectedFileForm(),
        "kind_name": kind_name(load.kind),
        "crumbs": [
            (_("Imports"), reverse("core:import_list")),
            (load.file_name, here),
            (_("Correct"), ""),
        ],
        "section": "imports",
    }
    return render(request, "core/import_correct.html", context)


def _checking(load: Import) -> HttpResponse:
    return redirect("core:import_detail", load.pk)


def _posted_cells(request: HttpRequest) -> dict[int, dict[int, str]]:
    """{row: {column: text}} of the rows that are not left out."""
    post = request.POST
    out = set(post.getlist("out"))
    rows: dict[int, dict[int, str]] = {
        int(number): {}
        for number in post.getlist("row")
        if number not in out and re.fullmatch(r"[0-9]{1,10}", number)
    }
    for name, text in post.items():
        if (found := _NAME.fullmatch(name)) and int(found[1]) in rows:
            rows[int(found[1])][int(found[2])] = str(text)
    return rows
