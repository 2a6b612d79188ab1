"""Makes valid rows for tests: each function takes what matters and fills in the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone
from oauth2_provider.models import Application

from accounts.models import ApiCall, ApiClient, Territory, User
from catalog.models import Product, ProductLine
from core import audit
from core.models import (
    Import,
    ImportProfile,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookProgress,
    WebhookSecret,
)
from core.periods import Period, add_months
from core.webhooks import signing
from partners.models import Contact, Level, Membership, Partner, Site
from performance.definitions import definition
from performance.models import (
    Appeal,
    BacktestReport,
    BacktestResult,
    Consequence,
    Correction,
    Deduction,
    DerivedMeasure,
    Evaluation,
    EvaluationSchedule,
    ImprovementPlan,
    PlanAction,
    Rater,
    Rating,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
    Score,
    ScoreChange,
)
from sales.models import (
    Adjustment,
    ClosedPeriod,
    ControlTotal,
    Payment,
    ProductAlias,
    Report,
    ReportingRule,
    SalesFact,
    Target,
    TargetPlan,
    TargetPlanLine,
)

_number = count(1)


def make_territory(name: str = "", *, parent: Territory | None = None, **fields: Any) -> Territory:
    number = next(_number)
    fields.setdefault("code", f"T{number}")
    return Territory.objects.create(name=name or f"Territory {number}", parent=parent, **fields)


def make_user(role: str = "director", *, territories: Any = (), **fields: Any) -> User:
    fields.setdefault("username", f"user{next(_number)}")
    user = User(role=role, language=fields.pop("language", "en"), **fields)
    user.set_unusable_password()
    user.save()
    user.territories.set(territories)
    return user


def make_api_client(name: str = "", *, role: str = "integration", **fields: Any) -> ApiClient:
    """A client with a user of its own; nobody knows its secret."""
    application = Application.objects.create(
        name=name or f"Client {next(_number)}",
        user=make_user(role),
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return ApiClient.objects.create(application=application, **fields)


def make_api_call(client: ApiClient | None = None, **fields: Any) -> ApiCall:
    values = {"method": "GET", "path": "/api/v1/partners/", "status": 200, "milliseconds": 7}
    return ApiCall.objects.create(client=client or make_api_client(), **values | fields)


def make_partner(name: str = "", **fields: Any) -> Partner:
    number = next(_number)
    fields.setdefault("code", f"P{number}")
    fields.setdefault("state", Partner.State.ACTIVE)
    if "territory" not in fields:
        fields["territory"] = Territory.objects.first() or make_territory()
    partner = Partner(name=name or f"Partner {number}", **fields)
    partner.normalise()
    partner.save()
    return partner


def make_contact(partner: Partner | None = None, **fields: Any) -> Contact:
    fields.setdefault("name", f"Contact {next(_number)}")
    return Contact.objects.create(partner=partner or make_partner(), **fields)


def make_site(partner: Partner | None = None, **fields: Any) -> Site:
    fields.setdefault("name", f"Site {next(_number)}")
    return Site.objects.create(partner=partner or make_partner(), **fields)


def make_membership(partner: Partner, *, role: str = "partner_admin", **fields: Any) -> Membership:
    user = fields.pop("user", None) or make_user(role)
    return Membership.objects.create(user=user, partner=partner, **fields)


def make_level(**fields: Any) -> Level:
    number = next(_number)
    fields.setdefault("code", f"level-{number}")
    fields.setdefault("name", f"Level {number}")
    return Level.objects.create(rank=fields.pop("rank", 1000 + number), **fields)


def make_product_line(name: str = "", **fields: Any) -> ProductLine:
    number = next(_number)
    fields.setdefault("code", f"L{number}")
    return ProductLine.objects.create(name=name or f"Line {number}", **fields)


def make_product(name: str = "", **fields: Any) -> Product:
    number = next(_number)
    fields.setdefault("code", f"A{number}")
    if "product_line" not in fields:
        fields["product_line"] = ProductLine.objects.first() or make_product_line()
    return Product.objects.create(name=name or f"Product {number}", **fields)


def make_fact(partner: Partner | None = None, **fields: Any) -> SalesFact:
    fields.setdefault("source", "test")
    fields.setdefault("reference", f"R{next(_number)}")
    fields.setdefault("occurred_on", date(2026, 1, 15))
    fields.setdefault("quantity", Decimal(1))
    fields.setdefault("amount", Decimal(100))
    if "product" not in fields:
        fields["product"] = Product.objects.first() or make_product()
    return SalesFact.objects.create(partner=partner or make_partner(), **fields)


def make_payment(partner: Partner | None = None, **fields: Any) -> Payment:
    fields.setdefault("source", "test")
    fields.setdefault("reference", f"Z{next(_number)}")
    fields.setdefault("paid_on", date(2026, 1, 20))
    fields.setdefault("amount", Decimal(100))
    return Payment.objects.create(partner=partner or make_partner(), **fields)


def make_alias(partner: Partner | None = None, **fields: Any) -> ProductAlias:
    fields.setdefault("code", f"THEIRS-{next(_number)}")
    if "product" not in fields:
        fields["product"] = Product.objects.first() or make_product()
    return ProductAlias.objects.create(partner=partner, **fields)


def make_control_total(partner: Partner | None = None, **fields: Any) -> ControlTotal:
    """What a source of its own says of January 2026; not compared yet."""
    fields.setdefault("source", f"source-{next(_number)}")
    fields.setdefault("kind", "sell_in")
    fields.setdefault("rows", 1)
    fields.setdefault("amount", Decimal(100))
    fields.setdefault("starts_on", date(2026, 1, 1))
    fields.setdefault("ends_before", date(2026, 2, 1))
    return ControlTotal.objects.create(partner=partner, **fields)


def make_target(partner: Partner | None = None, **fields: Any) -> Target:
    fields.setdefault("month", date(2026, 1, 1))
    fields.setdefault("amount", Decimal(1000))
    return Target.objects.create(partner=partner or make_partner(), **fields)


def make_plan(*, territory: Territory | None = None, lines: Any = (), **fields: Any) -> TargetPlan:
    """A draft of 2026, for all product lines together unless `lines` are given."""
    fields.setdefault("code", f"PLAN-{next(_number)}")
    fields.setdefault("name", fields["code"].title())
    fields.setdefault("year", 2026)
    place = territory or Territory.objects.first() or make_territory()
    plan = TargetPlan(territory=place, starts_on=date(fields["year"], 1, 1), **fields)
    plan.save()
    plan.product_lines.set(lines)
    return plan


def make_plan_line(
    partner: Partner | None = None, *, plan: TargetPlan | None = None, **fields: Any
) -> TargetPlanLine:
    """A cell of January 2026, top-down and planned 1000; in a plan of the partner's territory."""
    partner = partner or make_partner()
    fields.setdefault("month", date(2026, 1, 1))
    fields.setdefault("amount", Decimal(1000))
    fields.setdefault("top_down", fields["amount"])
    plan = plan or make_plan(territory=partner.territory)
    return TargetPlanLine.objects.create(plan=plan, partner=partner, **fields)


def make_reporting_rule(**fields: Any) -> ReportingRule:
    """Sell-through, monthly from January 2026, due on the tenth."""
    fields.setdefault("name", f"Rule {next(_number)}")
    fields.setdefault("kind", "sell_through")
    fields.setdefault("starts_on", date(2026, 1, 1))
    return ReportingRule.objects.create(**fields)


def make_report(partner: Partner | None = None, **fields: Any) -> Report:
    """A monthly report that has not come."""
    rule = fields.pop("rule", None) or make_reporting_rule()
    starts_on = fields.setdefault("starts_on", date(2026, 1, 1))
    end = fields.setdefault("ends_before", add_months(starts_on, 1))
    fields.setdefault("due_on", end + timedelta(days=9))
    return Report.objects.create(
        rule=rule, kind=rule.kind, partner=partner or make_partner(), **fields
    )


def make_closed_period(**fields: Any) -> ClosedPeriod:
    """A closed month without lines."""
    fields.setdefault("month", add_months(date(1990, 1, 1), next(_number) % 1200))
    fields.setdefault("kind", "sell_in")
    fields.setdefault("closed_at", datetime(2026, 2, 5, tzinfo=UTC))
    return ClosedPeriod.objects.create(net=0, lines=0, **fields)


def make_adjustment(partner: Partner | None = None) -> Adjustment:
    """What the database lists when a line comes into a month that is closed."""
    closing = make_closed_period()
    fact = make_fact(partner, occurred_on=closing.month)
    return Adjustment.objects.get(fact_id=fact.pk)


def make_scheme(**fields: Any) -> Scheme:
    number = next(_number)
    fields.setdefault("code", f"scheme-{number}")
    return Scheme.objects.create(name=fields.pop("name", f"Scheme {number}"), **fields)


def make_scheme_version(scheme: Scheme | None = None, **fields: Any) -> SchemeVersion:
    fields.setdefault("number", 1)
    return SchemeVersion.objects.create(scheme=scheme or make_scheme(), **fields)


def make_scheme_item(version: SchemeVersion | None = None, **fields: Any) -> SchemeItem:
    fields.setdefault("code", f"item-{next(_number)}")
    fields.setdefault("measure", "sell_in_net")
    fields.setdefault("weight", Decimal(100))
    fields.setdefault("curve", {"kind": "linear", "points": [["0", "0"], ["1000", "100"]]})
    return SchemeItem.objects.create(version=version or make_scheme_version(), **fields)


def make_scheme_level(version: SchemeVersion | None = None, **fields: Any) -> SchemeLevel:
    fields.setdefault("level", make_level())
    fields.setdefault("min_total", Decimal(60))
    return SchemeLevel.objects.create(version=version or make_scheme_version(), **fields)


def make_scheme_veto(version: SchemeVersion | None = None, **fields: Any) -> SchemeVeto:
    fields.setdefault("code", f"veto-{next(_number)}")
    fields.setdefault("name", "Too many returns")
    fields.setdefault("measure", "return_rate")
    fields.setdefault("side", "above")
    fields.setdefault("bound", Decimal("0.2"))
    return SchemeVeto.objects.create(version=version or make_scheme_version(), **fields)


def make_deduction(partner: Partner | None = None, **fields: Any) -> Deduction:
    """A proposed deduction; `decided_by` makes it a decided one."""
    fields.setdefault("decided_on", date(2026, 2, 1))
    fields.setdefault("points", Decimal("2.00"))
    fields.setdefault("reason", "Sold across the border")
    if "entered_by" not in fields:
        fields["entered_by"] = make_user("director")
    fields.setdefault("state", "decided" if fields.get("decided_by") else "proposed")
    return Deduction.objects.create(partner=partner or make_partner(), **fields)


def make_consequence(partner: Partner | None = None, **fields: Any) -> Consequence:
    """A proposed warning; `decided_by` makes it a decided one."""
    fields.setdefault("kind", "warning")
    fields.setdefault("effective_on", date(2026, 5, 1))
    fields.setdefault("reason", "Fell below the least total")
    if "proposed_by" not in fields:
        fields["proposed_by"] = make_user("director")
    fields.setdefault("state", "decided" if fields.get("decided_by") else "proposed")
    return Consequence.objects.create(partner=partner or make_partner(), **fields)


def make_improvement_plan(partner: Partner | None = None, **fields: Any) -> ImprovementPlan:
    """An open plan with a re-test in 2026Q2."""
    fields.setdefault("goal", "Reach the target again")
    fields.setdefault("starts_on", date(2026, 4, 15))
    fields.setdefault("due_on", date(2026, 7, 15))
    fields.setdefault("retest_period", "2026Q2")
    fields.setdefault("goal_total", Decimal("60.00"))
    if "owner" not in fields:
        fields["owner"] = make_user("sales_manager")
    if "scheme" not in fields:
        fields["scheme"] = make_scheme()
    return ImprovementPlan.objects.create(partner=partner or make_partner(), **fields)


def make_plan_action(plan: ImprovementPlan | None = None, **fields: Any) -> PlanAction:
    fields.setdefault("what", "Train two people")
    fields.setdefault("due_on", date(2026, 5, 15))
    if "owner" not in fields:
        fields["owner"] = make_user("sales_manager")
    return PlanAction.objects.create(plan=plan or make_improvement_plan(), **fields)


def make_rating(evaluation: Evaluation, partner: Partner, **fields: Any) -> Rating:
    if "rater" not in fields:
        fields["rater"] = make_user("sales_manager")
    fields.setdefault("mark", 3)
    if fields["mark"] in (1, 5):
        fields.setdefault("evidence", "Seen on a visit")
    return Rating.objects.create(evaluation=evaluation, partner=partner, **fields)


def make_derived_measure(**fields: Any) -> DerivedMeasure:
    """Sell-through ÷ sell-in, unless it says otherwise."""
    number = next(_number)
    fields.setdefault("code", f"derived_{number}")
    fields.setdefault("name", f"Derived {number}")
    fields.setdefault("definition", "Net sell-through ÷ net sell-in.")
    fields.setdefault("expression", "sell_through_net ÷ sell_in_net")
    return DerivedMeasure.objects.create(**fields)


def make_rater(evaluation: Evaluation | None = None, user: User | None = None) -> Rater:
    """Somebody who is asked to rate; the ratings of the evaluation are open."""
    evaluation = evaluation or make_evaluation(state="rating", rating_before=date(2030, 1, 1))
    return Rater.objects.create(evaluation=evaluation, user=user or make_user("sales_manager"))


def make_correction(partner: Partner | None = None, **fields: Any) -> Correction:
    """A proposed change of the level, in an evaluation that is in review."""
    partner = partner or make_partner()
    if "evaluation" not in fields:
        fields["evaluation"] = make_evaluation(state="review", review_before=date(2030, 1, 1))
        make_score(partner, evaluation=fields["evaluation"])
    fields.setdefault("reason", "Floods in June")
    if "proposed_by" not in fields:
        fields["proposed_by"] = make_user("sales_manager")
    return Correction.objects.create(partner=partner, **fields)


def make_published(partner: Partner | None = None, **fields: Any) -> Evaluation:
    """A published evaluation that takes appeals until 2130, with the score of a partner."""
    evaluation = make_evaluation(**fields)
    make_score(partner, evaluation=evaluation)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        state="published",
        computed_at=datetime(2026, 4, 5, tzinfo=UTC),
        published_at=datetime(2026, 4, 8, tzinfo=UTC),
        appeal_before=date(2130, 1, 1),
    )
    evaluation.refresh_from_db()
    return evaluation


def make_appeal(partner: Partner | None = None, **fields: Any) -> Appeal:
    """A filed appeal against the whole result."""
    partner = partner or make_partner()
    if "evaluation" not in fields:
        fields["evaluation"] = make_published(partner)
    fields.setdefault("claim", "A delivery was not counted")
    fields.setdefault("due_on", date(2130, 1, 11))
    if "filed_by" not in fields:
        fields["filed_by"] = make_user("sales_manager")
    return Appeal.objects.create(partner=partner, **fields)


def make_score_change(partner: Partner | None = None, **fields: Any) -> ScoreChange:
    """What late facts would change."""
    fields.setdefault("total_before", Decimal("80.00"))
    fields.setdefault("total_after", Decimal("81.50"))
    partner = partner or make_partner()
    if "evaluation" not in fields:
        fields["evaluation"] = make_published(partner)
    change = ScoreChange.objects.create(partner=partner, **fields)
    change.refresh_from_db()
    return change


def make_schedule(scheme: Scheme | None = None, **fields: Any) -> EvaluationSchedule:
    return EvaluationSchedule.objects.create(scheme=scheme or make_scheme(), **fields)


def make_evaluation(**fields: Any) -> Evaluation:
    """A computed evaluation of 2026Q1 without scores."""
    version = fields.pop("version", None) or make_scheme_version()
    period = Period.parse(fields.pop("period", "2026Q1"))
    fields.setdefault("state", Evaluation.State.COMPUTED)
    fields.setdefault("digest", "0" * 64)
    return Evaluation.objects.create(
        scheme=version.scheme,
        scheme_version=version,
        period_code=period.code,
        starts_on=period.start,
        ends_before=period.end,
        as_of=period.end,
        **fields,
    )


def make_score(partner: Partner | None = None, **fields: Any) -> Score:
    fields.setdefault("total", Decimal("80.00"))
    fields.setdefault("rank", 1)
    fields.setdefault("items", [])
    if "evaluation" not in fields:
        fields["evaluation"] = make_evaluation()
    return Score.objects.create(partner=partner or make_partner(), **fields)


def make_backtest(**fields: Any) -> BacktestReport:
    """A backtest of a draft over 2026Q1 that is computed, without results."""
    draft = fields.pop("version", None) or make_scheme_item().version
    against = fields.pop("against", None) or make_scheme_version(draft.scheme, number=99)
    summary = {
        "count": 0,
        "mean": None,
        "lowest": None,
        "quartiles": [None, None, None],
        "highest": None,
        "bins": [0] * 10,
    }
    names = ("total_up", "total_down", "rank_up", "rank_down", "level_up", "level_down")
    names += ("only_draft", "only_against")
    moves = dict.fromkeys(names, 0)
    moves |= dict.fromkeys(("mean_change", "highest_gain", "highest_loss"))
    period = {
        "period": "2026Q1",
        "partners": 0,
        "digests": {"draft": "0" * 64, "against": "0" * 64},
        "published": None,
        "moves": moves,
        "draft": summary,
        "against": summary,
        "peers": {"draft": {}, "against": {}},
        "marks_of": {"draft": None, "against": None},
    }
    lists = ("levels", "passages", "weights", "items", "correlations", "thresholds")
    fields.setdefault("first_period", "2026Q1")
    fields.setdefault("last_period", "2026Q1")
    fields.setdefault("state", BacktestReport.State.DONE)
    fields.setdefault("digest", "0" * 64)
    fields.setdefault("wording", "0" * 64)
    fields.setdefault("computed_at", datetime(2026, 4, 5, tzinfo=UTC))
    said = {"draft": definition(draft), "against": definition(against)}
    result = {"periods": [period], **{name: [] for name in lists}}
    return BacktestReport.objects.create(
        version=draft, against=against, definitions=said, result=result, **fields
    )


def make_backtest_result(partner: Partner | None = None, **fields: Any) -> BacktestResult:
    fields.setdefault("total_draft", Decimal("82.50"))
    fields.setdefault("total_against", Decimal("80.00"))
    fields.setdefault("change", Decimal("2.50"))
    fields.setdefault("rank_draft", 1)
    fields.setdefault("rank_against", 1)
    fields.setdefault("steps", 0)
    fields.setdefault("trail", [["2026Q1", "82.50", 1, None, "80.00", 1, None]])
    if "report" not in fields:
        fields["report"] = make_backtest()
    return BacktestResult.objects.create(partner=partner or make_partner(), **fields)


def make_import(by: User | None = None, **fields: Any) -> Import:
    """An uploaded file of partners, with an error file from an earlier check."""
    fields.setdefault("kind", "partners")
    load = Import(file_name="partners.csv", created_by=by, **fields)
    load.file.save("partners.csv", ContentFile(b"code,name,territory\n"), save=False)
    load.error_file.save("errors.csv", ContentFile(b"code,Row,Field,Reason\n"), save=False)
    load.save()
    return load


def make_import_profile(by: User | None = None, **fields: Any) -> ImportProfile:
    """How files of partners with the columns 编码 and 名称 are read."""
    fields.setdefault("kind", "partners")
    fields.setdefault("name", f"Source {next(_number)}")
    fields.setdefault("columns", ["名称", "编码"])
    fields.setdefault("options", {"maps": {"code": "编码", "name": "名称"}, "constants": {}})
    return ImportProfile.objects.create(created_by=by or make_user("sales_manager"), **fields)


def make_job(**fields: Any) -> Job:
    return Job.objects.create(kind="test", title=f"Job {next(_number)}", **fields)


def make_webhook(owner: User | None = None, **fields: Any) -> WebhookEndpoint:
    """An endpoint that is told of everything its owner (a machine) sees, from now on."""
    fields.setdefault("event_types", ["*"])
    fields.setdefault("url", "https://erp.example.com/hook")
    secret = fields.pop("secret", None) or signing.new_secret()
    endpoint = WebhookEndpoint.objects.create(
        name=f"Webhook {next(_number)}", owner=owner or make_user("integration"), **fields
    )
    now = timezone.now()
    WebhookProgress.objects.create(endpoint=endpoint, event_at=now)
    WebhookSecret.objects.create(endpoint=endpoint, sealed=signing.seal(secret), created_at=now)
    return endpoint


def make_delivery(endpoint: WebhookEndpoint | None = None, **fields: Any) -> WebhookDelivery:
    """A message of a partner's change, due now."""
    endpoint = endpoint or make_webhook()
    if "event" not in fields:
        fields["event"] = audit.record("partners.partner.updated", make_partner(), by=None)
    now = timezone.now()
    fields.setdefault("next_attempt_at", now)
    return WebhookDelivery.objects.create(endpoint=endpoint, created_at=now, **fields)
