"""Who may do what, written out a second time, so that a slip in the code has a witness.

`MODELS` says for each model with pages which members of the cast may view, add, change, delete and
use its transitions. `PAGES` says it for every other address. An address that is in neither fails
the build (test_matrix.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.files.base import ContentFile

from tests import factories as make
from tests.cast import Cast

# Members of tests/cast.py by the role they stand for.
D, A, F, M, PA, PM = (
    "director",
    "administrator",
    "finance",
    "north_manager",
    "north_person",
    "south_person",
)
EVERYBODY = frozenset({D, A, F, M, PA, PM})
# Of an evaluation in which a partner has no published score, its people learn nothing.
OUTSIDE = {PA: 404, PM: 404}
STAFF = frozenset({D, A, F, M})


@dataclass(frozen=True)
class Access:
    """The members of the cast that may; the others get 403 (or 404 where they see no row)."""

    view: frozenset[str]
    add: frozenset[str] = frozenset()
    change: frozenset[str] = frozenset()
    delete: frozenset[str] = frozenset()
    fire: dict[str, frozenset[str]] = field(default_factory=dict)


def who(*names: str) -> frozenset[str]:
    return frozenset(names)


MODELS: dict[str, Access] = {
    "accounts.user": Access(view=who(D, A), add=who(A), change=who(A), delete=who(A)),
    "accounts.territory": Access(view=STAFF, add=who(A), change=who(A), delete=who(A)),
    "accounts.apiclient": Access(view=who(A), add=who(A), change=who(A), delete=who(A)),
    "catalog.productline": Access(
        view=EVERYBODY, add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "catalog.product": Access(view=EVERYBODY, add=who(D, A), change=who(D, A), delete=who(D, A)),
    "partners.level": Access(view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)),
    "partners.partner": Access(
        view=EVERYBODY, add=who(D, A, M), change=who(D, A, M), delete=who(D, A)
    ),
    "partners.contact": Access(
        view=who(D, A, F, M, PA), add=who(D, A, M, PA), change=who(D, A, M, PA), delete=who(D, A, M)
    ),
    "partners.site": Access(
        view=who(D, A, F, M, PA), add=who(D, A, M, PA), change=who(D, A, M, PA), delete=who(D, A, M)
    ),
    "partners.membership": Access(view=who(A), add=who(A), change=who(A), delete=who(A)),
    "sales.salesfact": Access(view=EVERYBODY),
    "sales.payment": Access(view=who(D, A, F, M, PA)),
    "sales.productalias": Access(
        view=STAFF, add=who(D, A, M), change=who(D, A, M), delete=who(D, A, M)
    ),
    "sales.controltotal": Access(view=STAFF, add=who(D, A, F), change=who(D, A, F), delete=who(A)),
    "sales.target": Access(view=who(D, A, F, M, PA), add=STAFF, change=STAFF, delete=who(D, A)),
    "sales.targetplan": Access(
        view=who(D, A, F, M, PA), add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "sales.reportingrule": Access(
        view=who(D, A, F), add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "sales.report": Access(view=EVERYBODY),
    "sales.closedperiod": Access(view=who(D, A, F)),
    "sales.adjustment": Access(view=STAFF),
    "performance.scheme": Access(view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)),
    "performance.schemeversion": Access(
        view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "performance.schemeitem": Access(view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)),
    "performance.schemelevel": Access(
        view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "performance.schemeveto": Access(view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)),
    "performance.deduction": Access(
        view=STAFF, add=who(D, A, M), change=who(D, A, M), delete=who(D, A, M)
    ),
    "performance.rating": Access(view=STAFF),
    "performance.correction": Access(view=STAFF, add=who(D, A, M)),
    "performance.appeal": Access(view=who(D, A, F, M, PA), add=who(D, A, M, PA)),
    "performance.scorechange": Access(view=STAFF),
    "performance.evaluationschedule": Access(
        view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "performance.derivedmeasure": Access(
        view=STAFF, add=who(D, A), change=who(D, A), delete=who(D, A)
    ),
    "performance.evaluation": Access(view=STAFF, add=who(D, A), change=who(D, A)),
    "performance.backtestreport": Access(view=who(D, A, F), add=who(D, A), delete=who(D, A)),
    "performance.backtestresult": Access(view=who(D, A, F)),
    "performance.score": Access(view=who(D, A, F, M, PA)),
    "performance.consequence": Access(
        view=STAFF, add=who(D, A, M), change=who(D, A, M), delete=who(D, A, M)
    ),
    "performance.improvementplan": Access(
        view=STAFF, add=who(D, A, M), change=who(D, A, M), delete=who(D, A, M)
    ),
    "performance.planaction": Access(
        view=STAFF, add=who(D, A, M), change=who(D, A, M), delete=who(D, A, M)
    ),
    "core.event": Access(view=STAFF),
    "core.job": Access(view=STAFF),
    "core.import": Access(view=who(D, A, F, M), add=who(D, A, F, M), change=who(D, A)),
    "core.webhookendpoint": Access(view=who(A), add=who(A), change=who(A), delete=who(A)),
    "core.webhookdelivery": Access(view=who(A), change=who(A)),
    # Of another's profile; one's own everybody may rename and delete who may import.
    "core.importprofile": Access(view=STAFF, change=who(D, A), delete=who(D, A)),
}


@dataclass(frozen=True)
class Page:
    """An address that belongs to no model's pages. `row(cast)` makes the row it needs."""

    open_to: frozenset[str]
    refusal: dict[str, int] = field(default_factory=dict)  # where it is not 403
    post: bool = False
    row: Callable[[Cast], Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """A POST to an address of the API that belongs to no row."""

    open_to: frozenset[str]
    body: Any


# Addresses that machines read without signing in.
OPEN = {"healthz", "readyz", "metrics"}


def _plan(cast: Cast) -> Any:
    return make.make_plan_line(cast.north_partner).plan


def _to_rate() -> Any:
    """An evaluation that takes ratings of one item."""
    version = make.make_scheme_version(rating_days=10)
    make.make_scheme_item(version, code="service", basis="rating", measure="", name="Service")
    return make.make_evaluation(version=version, state="rating", rating_before=date(2130, 1, 1))


def _who_has_rated(cast: Cast) -> Any:
    """Who has given marks stays asked, whoever wants it otherwise."""
    rater = make.make_rater()
    make.make_rating(rater.evaluation, cast.north_partner, rater=rater.user)
    return rater


PAGES: dict[str, Page] = {
    "insights:cockpit": Page(open_to=EVERYBODY),
    "sales:reporting_calendar": Page(open_to=EVERYBODY),
    "sales:close_month": Page(open_to=who(D, A, F)),
    "partners:duplicate_list": Page(open_to=who(D, A, M)),
    "partners:duplicate_dismiss": Page(
        open_to=who(D, A, M),
        refusal={PM: 404},
        post=True,
        row=lambda cast: cast.north_partner,
    ),
    "partners:partner_merge": Page(
        open_to=who(D, A), refusal={PM: 404}, row=lambda cast: cast.north_partner
    ),
    "performance:evaluation_run": Page(open_to=who(D, A)),
    "performance:matrix_list": Page(open_to=STAFF),
    "performance:matrix_filters": Page(open_to=STAFF),
    "performance:matrix_export": Page(open_to=STAFF),
    "performance:movers_export": Page(open_to=STAFF),
    "performance:score_pdf": Page(
        open_to=STAFF,
        refusal={PA: 404, PM: 404},  # not published yet
        row=lambda cast: make.make_score(cast.north_partner),
    ),
    "performance:evaluation_propose_levels": Page(
        open_to=who(D, A, M), refusal=OUTSIDE, row=lambda cast: make.make_evaluation()
    ),
    "performance:scheme_draft": Page(
        open_to=who(D, A), post=True, row=lambda cast: make.make_scheme()
    ),
    "performance:scheme_upload": Page(open_to=who(D, A)),
    "performance:scheme_examples": Page(open_to=STAFF),
    "performance:scheme_copy": Page(open_to=who(D, A), arguments={"name": "capability"}),
    "performance:schemeitem_preview": Page(open_to=who(D, A), post=True),
    "performance:schemeversion_file": Page(
        open_to=STAFF, row=lambda cast: make.make_scheme_version()
    ),
    "performance:schemeversion_difference": Page(
        open_to=STAFF, row=lambda cast: make.make_scheme_version()
    ),
    "performance:backtestreport_run": Page(open_to=who(D, A)),
    "performance:backtestresult_whatif": Page(
        open_to=who(D, A, F),
        refusal={PM: 404},
        row=lambda cast: make.make_backtest_result(cast.north_partner),
    ),
    "performance:score_whatif": Page(
        open_to=STAFF,
        refusal={PA: 404, PM: 404},
        row=lambda cast: make.make_score(
            cast.north_partner,
            evaluation=make.make_evaluation(version=make.make_scheme_item().version),
        ),
    ),
    "performance:deduction_evidence": Page(
        open_to=STAFF,
        refusal={PM: 404},
        row=lambda cast: make.make_deduction(
            cast.north_partner, evidence=ContentFile(b"proof", name="proof.txt")
        ),
    ),
    "performance:measure_list": Page(open_to=STAFF),
    "performance:measure_preview": Page(open_to=who(D, A), refusal={F: 404, M: 404}),
    "performance:measure_detail": Page(open_to=STAFF, arguments={"code": "sell_in_net"}),
    "performance:measure_example": Page(open_to=STAFF, arguments={"code": "sell_in_net"}),
    "performance:evaluation_rate": Page(
        open_to=who(D, M), refusal=OUTSIDE, row=lambda cast: _to_rate()
    ),
    "performance:evaluation_invite": Page(
        open_to=who(D, A), refusal=OUTSIDE, row=lambda cast: _to_rate()
    ),
    "performance:evaluation_remind": Page(
        open_to=who(D, A), refusal=OUTSIDE, post=True, row=lambda cast: _to_rate()
    ),
    "performance:rater_dismiss": Page(
        open_to=who(D, A), post=True, row=lambda cast: _who_has_rated(cast)
    ),
    "performance:evaluation_revise": Page(
        open_to=who(D, A),
        refusal={PM: 404},
        row=lambda cast: make.make_published(cast.north_partner),
    ),
    "performance:evaluation_late": Page(
        open_to=who(D, A),
        refusal={PM: 404},
        post=True,
        row=lambda cast: make.make_published(cast.north_partner),
    ),
    "performance:rating_file": Page(
        open_to=STAFF,
        refusal={PM: 404},
        row=lambda cast: make.make_rating(
            make.make_evaluation(),
            cast.north_partner,
            file=ContentFile(b"proof", name="proof.txt"),
        ),
    ),
    "performance:correction_evidence": Page(
        open_to=STAFF,
        refusal={PM: 404},
        row=lambda cast: make.make_correction(
            cast.north_partner, evidence=ContentFile(b"proof", name="proof.txt")
        ),
    ),
    "performance:appeal_evidence": Page(
        open_to=who(D, A, F, M, PA),
        refusal={PM: 404},
        row=lambda cast: make.make_appeal(
            cast.north_partner,
            by_partner=True,
            evidence=ContentFile(b"proof", name="proof.txt"),
        ),
    ),
    "performance:appeal_decide": Page(
        open_to=who(D, A, F),
        refusal={PM: 404},
        row=lambda cast: make.make_appeal(cast.north_partner, by_partner=True),
    ),
    "accounts:apiclient_make": Page(open_to=who(A)),
    "accounts:apiclient_secret": Page(open_to=who(A), row=lambda cast: make.make_api_client()),
    "sales:controltotal_check": Page(
        open_to=who(D, A, F),
        refusal={PM: 404},
        post=True,
        row=lambda cast: make.make_control_total(cast.north_partner),
    ),
    "sales:controltotal_request": Page(
        open_to=who(D, A, F),
        refusal={PM: 404},
        post=True,
        row=lambda cast: make.make_control_total(cast.north_partner),
    ),
    "sales:controltotal_differences": Page(
        open_to=STAFF,
        refusal={PM: 404},
        row=lambda cast: make.make_control_total(cast.north_partner),
    ),
    "sales:targetplan_split": Page(
        open_to=who(D, A), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_growth": Page(
        open_to=who(D, A), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_take": Page(
        open_to=who(D, A), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_undo": Page(
        open_to=who(D, A), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_remind": Page(
        open_to=who(D, A), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_enter": Page(
        open_to=who(D, A, M, PA), refusal={PM: 404}, post=True, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_sums": Page(
        open_to=who(D, A, F, M, PA), refusal={PM: 404}, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_cells": Page(
        open_to=who(D, A, F, M, PA), refusal={PM: 404}, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_amend": Page(
        open_to=who(D, A), refusal={PM: 404}, row=lambda cast: _plan(cast)
    ),
    "sales:targetplan_file": Page(
        open_to=who(D, A, F, M, PA), refusal={PM: 404}, row=lambda cast: _plan(cast)
    ),
    "core:search": Page(open_to=EVERYBODY),
    "core:preference": Page(open_to=EVERYBODY, post=True),
    "core:import_upload": Page(open_to=STAFF),
    "core:import_map": Page(
        open_to=who(D), refusal={M: 404}, row=lambda cast: make.make_import(cast.director)
    ),
    "core:import_apply": Page(
        open_to=who(D),
        refusal={M: 404},
        post=True,
        row=lambda cast: make.make_import(cast.director),
    ),
    "core:import_undo": Page(
        open_to=who(D, A),
        refusal={M: 404},
        row=lambda cast: make.make_import(cast.director, kind="sales", state="applied"),
    ),
    "core:import_correct": Page(
        open_to=who(D),
        refusal={M: 404},
        row=lambda cast: make.make_import(cast.director, options={"maps": {}, "constants": {}}),
    ),
    "core:import_errors": Page(
        open_to=who(D, A, F), refusal={M: 404}, row=lambda cast: make.make_import(cast.director)
    ),
    "core:import_file": Page(
        open_to=who(D, A, F), refusal={M: 404}, row=lambda cast: make.make_import(cast.director)
    ),
    "core:job_list": Page(open_to=STAFF),
    "core:job_detail": Page(
        open_to=who(D, A, F),
        refusal={M: 404, PA: 403, PM: 403},
        row=lambda cast: make.make_job(),
    ),
    "core:job_cancel": Page(
        open_to=who(D, A, F),
        refusal={M: 404, PA: 403, PM: 403},
        post=True,
        row=lambda cast: make.make_job(),
    ),
}

UNSEEN = {M: 404, PA: 404, PM: 404}
PAGES |= {
    f"core:webhook_{name}": Page(
        open_to=who(A), refusal=UNSEEN, post=name != "rotate", row=lambda cast: make.make_webhook()
    )
    for name in ("secret", "rotate", "test")
}
PAGES["core:webhook_again"] = Page(
    open_to=who(A), refusal=UNSEEN, post=True, row=lambda cast: make.make_delivery()
)

# Addresses of the API that are read and belong to no row: who may, and the arguments.
READS: dict[str, Page] = {
    "api:measure-detail": Page(open_to=STAFF, arguments={"code": "sell_in_net"}),
    "api:measure-value": Page(
        open_to=STAFF,
        arguments={"code": "sell_in_net"},
        row=lambda cast: cast.north_partner,
    ),
}

# Verbs of the API beside those of every resource: who may, and what is sent. Who may not, gets 403.
VERBS: dict[str, Verb] = {
    "api:salesfact-bulk": Verb(open_to=STAFF, body=[{}]),
    "api:payment-bulk": Verb(open_to=STAFF, body=[{}]),
    "api:target-bulk": Verb(open_to=STAFF, body=[{}]),
    "api:product-bulk": Verb(open_to=who(D, A), body=[{}]),
    "api:partner-bulk": Verb(open_to=who(D, A, M), body=[{}]),
    "api:contact-bulk": Verb(open_to=who(D, A, M, PA), body=[{}]),
}
