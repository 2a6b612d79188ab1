"""Target plans: what the partners of a territory are to reach in a year, in versions.

A plan is worked on as a draft, submitted, and signed by a second person; signing writes its amounts
into `Target`. From then on it stands (triggers of sales.models.planning_guards): a change is a new
version with a reason, an amendment. See docs/algorithms/planning.md.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Upper
from django.utils.translation import gettext, gettext_lazy as _
from django_fsm import transition

from catalog.models import ProductLine
from core.errors import Problem
from core.models import Model
from core.periods import Period, add_months
from core.scoping import ScopedQuerySet, sees_everything
from core.workflow import StateField, StatefulModel
from partners.models import Partner
from sales.models.planning_guards import (
    LEAVE_STEP,
    PLAN_CLOSED,
    SIGNED_STANDS,
    frozen_with_plan,
    in_scope,
)
from sales.models.targets import TargetKind

# numeric accepts NaN, which sorts above every number: an upper bound keeps it out.
TOO_MUCH = 10**16
FIRST_YEAR, LAST_YEAR = 1990, 2100
REMIND_LONGEST = 90


def _amount(label: Any, **kwargs: Any) -> models.DecimalField:
    kwargs.setdefault("validators", [MinValueValidator(0)])
    return models.DecimalField(
        label, max_digits=18, decimal_places=2, null=True, blank=True, **kwargs
    )


class TargetPlanQuerySet(ScopedQuerySet):
    """A plan is seen by whoever sees all of its territory, or a partner in it."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if sees_everything(user):
            return self.all()
        lines = TargetPlanLine.objects.filter(
            plan=OuterRef("pk"), partner__in=Partner.objects.visible_to(user).values("pk")
        )
        seen = Q(Exists(lines))
        if not user.is_partner_user:
            for path in user.territory_paths:
                seen |= Q(territory__path__startswith=path)
        return self.filter(seen)

    def by_code(self, field: str) -> QuerySet:
        """All versions of a plan have its code. Files mean the newest: the one that can be worked
        on, or they are told that it is closed."""
        return super().by_code(field).filter(next_version__isnull=True)


class TargetPlan(StatefulModel, Model):
    """One version of the plan of a year and kind for a territory with all below; by product line
    where lines are chosen, else for all lines together."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        SIGNED = "signed", _("Signed off")
        SUPERSEDED = "superseded", _("Superseded")

    class Newcomers(models.TextChoices):
        MEDIAN = "median", _("The median of their channel type")
        ZERO = "zero", _("Nothing")

    class Rounding(models.IntegerChoices):
        CENTS = 2, "0.01"
        ONES = 0, "1"
        HUNDREDS = -2, "100"
        THOUSANDS = -3, "1,000"

    OPEN = (State.DRAFT, State.SUBMITTED)

    scope_path = None

    code = models.CharField(
        _("code"), max_length=40, help_text=_("All versions of the plan have it; files name it.")
    )
    name = models.CharField(_("name"), max_length=100)
    year = models.PositiveSmallIntegerField(
        _("fiscal year"),
        validators=[MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)],
        help_text=_("Named after the calendar year in which it starts."),
    )
    starts_on = models.DateField(_("from"), editable=False)
    kind = models.CharField(
        _("Kind"), max_length=12, choices=TargetKind.choices, default=TargetKind.SELL_IN
    )
    territory = models.ForeignKey(
        "accounts.Territory",
        verbose_name=_("territory"),
        on_delete=models.PROTECT,
        related_name="target_plans",
        help_text=_("With all below."),
    )
    product_lines = models.ManyToManyField(
        "catalog.ProductLine",
        verbose_name=_("product lines"),
        blank=True,
        related_name="+",
        help_text=_("Each with all below. Empty: one amount for all lines together."),
    )
    amount = _amount(
        _("top-down amount"),
        help_text=_("What the territory is to reach. Empty: last year’s with the growth."),
    )
    newcomers = models.CharField(
        _("partners without history get"),
        max_length=10,
        choices=Newcomers.choices,
        default=Newcomers.MEDIAN,
    )
    rounding = models.SmallIntegerField(
        _("round to"), choices=Rounding.choices, default=Rounding.ONES
    )
    due_on = models.DateField(
        _("figures from below until"),
        null=True,
        blank=True,
        help_text=_("The day by which managers and partners enter what they expect."),
    )
    remind_before = models.PositiveSmallIntegerField(
        _("remind days before"),
        null=True,
        blank=True,
        default=7,
        validators=[MaxValueValidator(REMIND_LONGEST)],
        help_text=_(
            "A letter to those who have not entered their figures so many days before that day. "
            "Empty: none."
        ),
    )
    reminded_on = models.DateField(_("reminded on"), null=True, editable=False)
    # The last amounts taken over, which can be given back: the `step` of their cells.
    undo = models.UUIDField(null=True, editable=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    amends = models.OneToOneField(
        "self",
        verbose_name=_("amends"),
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="next_version",
    )
    reason = models.TextField(_("reason of the amendment"), blank=True, editable=False)
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("submitted by"),
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    submitted_on = models.DateField(_("submitted on"), null=True, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("signed off by"),
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    signed_on = models.DateField(_("signed off on"), null=True, editable=False)

    objects = TargetPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("target plan")
        verbose_name_plural = _("target plans")
        ordering = ["-year", "code", "-version"]
        permissions = [
            ("submit_targetplan", "Can submit a target plan"),
            ("sign_targetplan", "Can sign off a target plan"),
            ("amend_targetplan", "Can amend a signed target plan"),
        ]
        constraints = [
            models.UniqueConstraint(
                Upper("code"),
                "version",
                name="target_plan_version",
                violation_error_message=_("There is a plan with this code already."),
            ),
            models.UniqueConstraint(
                Upper("code"),
                condition=Q(state__in=["draft", "submitted"]),
                name="target_plan_one_open",
                violation_error_message=_("A version of this plan is being worked on already."),
            ),
            models.UniqueConstraint(
                Upper("code"), condition=Q(state="signed"), name="target_plan_one_signed"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted", "signed", "superseded"]),
                name="target_plan_state",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TargetKind.values), name="target_plan_kind"
            ),
            models.CheckConstraint(
                condition=Q(year__range=(FIRST_YEAR, LAST_YEAR), starts_on__day=1),
                name="target_plan_year",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0, amount__lt=TOO_MUCH),
                name="target_plan_amount",
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(submitted_by__isnull=False, submitted_on__isnull=False),
                name="target_plan_submitted",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted"], signed_by__isnull=True)
                | Q(
                    state__in=["signed", "superseded"],
                    signed_by__isnull=False,
                    signed_on__isnull=False,
                ),
                name="target_plan_signed",
            ),
            # Whoever submits does not sign.
            models.CheckConstraint(
                condition=Q(signed_by__isnull=True) | ~Q(signed_by=models.F("submitted_by")),
                name="target_plan_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(version=1, amends__isnull=True)
                | (Q(version__gt=1, amends__isnull=False) & ~Q(reason="")),
                name="target_plan_amendment",
            ),
        ]
        indexes = [models.Index(fields=["updated_at", "id"], name="target_plan_changed")]
        triggers = [*SIGNED_STANDS]

    def __str__(self) -> str:
        if self.version == 1:
            return self.name
        return gettext("%(name)s, version %(number)d") % {"name": self.name, "number": self.version}

    def clean_fields(self, exclude: Any = None) -> None:
        if self.year and FIRST_YEAR <= self.year <= LAST_YEAR:
            self.starts_on = date(self.year, settings.FISCAL_YEAR_START, 1)
        super().clean_fields(exclude=exclude)

    def clean(self) -> None:
        super().clean()
        if not self.pk:
            return
        if self.state != self.State.DRAFT:
            raise ValidationError(gettext(PLAN_CLOSED), "frozen")
        before = type(self).objects.get(pk=self.pk)
        fixed = ["year", "kind", "territory_id"] if self.lines.exists() else []
        fixed += ["code"] if self.amends_id else []
        for name in fixed:
            if getattr(before, name) != getattr(self, name):
                field = name.removesuffix("_id")
                raise ValidationError(
                    {field: gettext("The plan has amounts already.")}, "has_lines"
                )

    @property
    def period(self) -> Period:
        """Its fiscal year."""
        return Period(self.starts_on, "year", self.starts_on.month)

    @property
    def months(self) -> list[date]:
        """The first days of its twelve months."""
        return [add_months(self.starts_on, number) for number in range(12)]

    @property
    def is_draft(self) -> bool:
        """Whether it can be worked on."""
        return self.state == self.State.DRAFT

    def is_whole_for(self, user: Any) -> bool:
        """Whether `user` sees all of its territory, so that its totals tell nothing unseen."""
        if sees_everything(user):
            return True
        if user.is_partner_user:
            return False
        return any(self.territory.path.startswith(path) for path in user.territory_paths)

    # --- Workflow ---------------------------------------------------------------------------------

    def submit_blockers(self, by: Any) -> list[Problem]:
        """Why it cannot be submitted: nothing in it, cells without an amount, or cells of product
        lines that it no longer has."""
        # In the order of the unique index, where the first of its cells is found at once.
        if not self.lines.order_by("partner").values("partner")[:1]:
            return [Problem("empty", _("The plan has no amounts yet. Split the amount first."))]
        empty = self.lines.filter(amount__isnull=True).count()
        if empty:
            text = gettext("%(count)d cells have no amount yet.") % {"count": empty}
            return [Problem("cells_without_amount", text)]
        if self._has_strays():
            text = _("The product lines of the plan have changed. Split the amount again.")
            return [Problem("other_product_lines", text)]
        return []

    def _has_strays(self) -> bool:
        """Whether there are cells of product lines that the plan no longer has. Each line is looked
        up in the index, for there are few lines and many cells."""
        lines = set(self.product_lines.values_list("pk", flat=True))
        if lines and self.lines.filter(product_line__isnull=True).exists():
            return True
        first = self.lines.filter(product_line=OuterRef("pk")).order_by().values("pk")[:1]
        others = ProductLine.objects.exclude(pk__in=lines).annotate(cell=models.Subquery(first))
        return others.filter(cell__isnull=False).exists()

    def sign_blockers(self, by: Any) -> list[Problem]:
        """Why it cannot be signed: by the one who submitted it, or over another signed plan."""
        from sales.planning.signing import overlaps

        problems = [*self.submit_blockers(by), *overlaps(self)]
        if by is not None and by.pk == self.submitted_by_id:
            problems.append(
                Problem("same_person", _("A second person signs off what you submitted."))
            )
        return problems

    @transition(
        field=state,
        source=State.DRAFT,
        target=State.SUBMITTED,
        custom={
            "permission": "sales.submit_targetplan",
            "label": _("Submit"),
            "icon": "send",
            "blockers": submit_blockers,
        },
    )
    def submit(self, *, by: Any, on: date) -> None:
        self.submitted_by, self.submitted_on = by, on

    @transition(
        field=state,
        source=State.SUBMITTED,
        target=State.DRAFT,
        custom={
            "permission": "sales.submit_targetplan",
            "label": _("Back to draft"),
            "icon": "arrow-back-up",
            "needs_reason": True,
        },
    )
    def send_back(self, *, by: Any, on: date) -> None:
        self.submitted_by = self.submitted_on = None

    @transition(
        field=state,
        source=State.SUBMITTED,
        target=State.SIGNED,
        custom={
            "permission": "sales.sign_targetplan",
            "label": _("Sign off"),
            "icon": "signature",
            "blockers": sign_blockers,
        },
    )
    def sign(self, *, by: Any, on: date) -> None:
        """Its amounts become the targets, and the version it amends is superseded."""
        from sales.planning.signing import write_targets

        self.signed_by, self.signed_on = by, on
        write_targets(self, on=on)

    @transition(
        field=state,
        source=State.SIGNED,
        target=State.SUPERSEDED,
        # By the signing of its amendment alone.
        custom={"permission": None, "label": _("Supersede"), "icon": "versions"},
    )
    def supersede(self, *, by: Any, on: date) -> None:
        pass


class TargetPlanGrowth(models.Model):
    """By how much a territory with all below is to grow on last year; the nearest above counts."""

    scope_path = None

    plan = models.ForeignKey(TargetPlan, on_delete=models.CASCADE, related_name="growths")
    territory = models.ForeignKey(
        "accounts.Territory",
        verbose_name=_("territory"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    rate = models.DecimalField(
        _("growth"),
        max_digits=6,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(-1)), MaxValueValidator(Decimal(10))],
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("growth of a territory")
        verbose_name_plural = _("growth of territories")
        ordering = ["territory__sort_path"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "territory"], name="target_growth_once"),
            models.CheckConstraint(condition=Q(rate__gte=-1, rate__lte=10), name="target_growth"),
        ]
        triggers = frozen_with_plan()

    def __str__(self) -> str:
        return f"{self.territory} {self.rate:+.1%}"


class TargetPlanHint(models.Model):
    """What the past says of one partner in a plan (and product line): the basis of the split, and
    the proposals with their interval. Written when the plan is split; docs/algorithms/planning.md.
    """

    class Basis(models.TextChoices):
        HISTORY = "history", _("Last year")
        PEERS = "peers", _("Median of the channel type")
        NOTHING = "nothing", _("No history")

    scope_path = "partner"

    plan = models.ForeignKey(
        TargetPlan, on_delete=models.CASCADE, related_name="hints", db_index=False
    )
    partner = models.ForeignKey(
        "partners.Partner", on_delete=models.CASCADE, related_name="target_hints"
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    basis = models.CharField(max_length=10, choices=Basis.choices)
    last_year = models.DecimalField(max_digits=20, decimal_places=2)
    own = _amount(_("proposed from own history"), editable=False)
    own_low = _amount(_("10th percentile"), editable=False)
    own_high = _amount(_("90th percentile"), editable=False)
    peers = _amount(_("proposed from peers"), editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("hint of a target plan")
        verbose_name_plural = _("hints of target plans")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "partner", "product_line"],
                nulls_distinct=False,
                name="target_hint_once",
            )
        ]
        triggers = frozen_with_plan()

    def __str__(self) -> str:
        return f"{self.plan_id} {self.partner_id}"

    @property
    def suggested(self) -> Decimal | None:
        """The proposal for the year: from the own history or, without one, from the peers."""
        return self.peers if self.own is None else self.own


class TargetPlanLine(Model):
    """One cell: a partner in a month, for one product line or for all (null).

    `top_down` is what the split gives, `manager` and `proposal` what the manager and the partner
    entered from below, `amount` what is planned and becomes the target.
    """

    scope_path = "partner"
    is_detail = True

    plan = models.ForeignKey(
        TargetPlan,
        verbose_name=_("target plan"),
        on_delete=models.CASCADE,
        related_name="lines",
        db_index=False,  # leads the unique index
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("Partner"),
        on_delete=models.PROTECT,
        related_name="target_plan_lines",
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine",
        verbose_name=_("Product line"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    month = models.DateField(_("Month"), help_text=_("Its first day."))
    last_year = models.DecimalField(
        _("last year"), max_digits=18, decimal_places=2, null=True, editable=False
    )
    top_down = _amount(_("top-down"), editable=False)
    manager = _amount(_("entry of the manager"))
    proposal = _amount(_("entry of the partner"))
    amount = _amount(_("planned"))
    locked = models.BooleanField(_("locked"), default=False)
    comment = models.CharField(_("comment"), max_length=200, blank=True)
    # By which step many amounts were taken over at once, and what was planned before it. Whoever
    # changes the amount otherwise takes the cell out of the step (trigger `leave_step`).
    step = models.UUIDField(null=True, editable=False)
    before = _amount("", editable=False)

    class Meta:
        verbose_name = _("line of a target plan")
        verbose_name_plural = _("lines of target plans")
        ordering = ["plan", "partner", "product_line", "month"]
        permissions = [
            ("enter_targetplanline", "Can enter amounts from below"),
            ("propose_targetplanline", "Can propose amounts of the own partner"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "partner", "month", "product_line"],
                nulls_distinct=False,
                name="target_line_once",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="target_line_month",
                violation_error_message=_("A month is given by its first day."),
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__isnull": True})
                    | Q(**{f"{name}__gte": 0, f"{name}__lt": TOO_MUCH}),
                    name=f"target_line_{name}",
                )
                for name in ("top_down", "manager", "proposal", "amount")
            ),
        ]
        indexes = [
            models.Index(fields=["updated_at", "id"], name="target_line_changed"),
            models.Index(fields=["plan", "product_line"], name="target_line_of_line"),
            models.Index(
                fields=["plan"], condition=Q(amount__isnull=True), name="target_line_no_amount"
            ),
        ]
        triggers = [*frozen_with_plan(), in_scope(), LEAVE_STEP]

    def __str__(self) -> str:
        return f"{self.partner} {self.month:%Y-%m}"

    @property
    def bottom_up(self) -> Decimal | None:
        """What was entered from below: by the manager or, without that, by the partner."""
        return self.proposal if self.manager is None else self.manager

    @property
    def difference(self) -> Decimal | None:
        """Bottom-up − top-down; None where one of them is missing."""
        below = self.bottom_up
        return None if below is None or self.top_down is None else below - self.top_down

    @property
    def ratio(self) -> Decimal | None:
        """The difference ÷ top-down."""
        return (
            self.difference / self.top_down
            if self.difference is not None and self.top_down
            else None
        )

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> TargetPlanLine:
        row = super().from_db(db, field_names, values)
        row._stored = {name: row.__dict__.get(name) for name in ("locked", "amount")}
        return row

    def clean(self) -> None:
        super().clean()
        stored = getattr(self, "_stored", {})
        if self.locked and stored.get("locked") and stored["amount"] != self.amount:
            raise ValidationError({"amount": gettext("The cell is locked. Unlock it first.")})
