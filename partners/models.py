"""Partners: the root of row scoping, with their people and places."""

from __future__ import annotations

from datetime import date
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q, QuerySet
from django.db.models.functions import Upper
from django.utils.translation import get_language, gettext_lazy as _, pgettext_lazy
from django_fsm import transition

from accounts.models import Territory
from accounts.roles import Role
from core.errors import Conflict, Problem
from core.models import Model
from core.scoping import ScopedQuerySet, sees_everything
from core.text import pinyin_of
from core.trees import TreeModel, TreeQuerySet
from core.workflow import StateField, StatefulModel
from partners import following  # noqa: F401  before the models, which it gives a trigger
from partners.credit_code import credit_code_problem


class Level(Model):
    """Gold, silver …: what a partner has reached. A higher rank is a better level."""

    class Color(models.TextChoices):
        PURPLE = "purple", _("Purple")
        YELLOW = "yellow", _("Yellow")
        GRAY = "secondary", _("Grey")
        ORANGE = "orange", _("Orange")
        BLUE = "blue", _("Blue")
        GREEN = "green", _("Green")

    scope_path = None

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=40, blank=True)
    rank = models.PositiveSmallIntegerField(pgettext_lazy("level", "rank"), unique=True)
    color = models.CharField(_("colour"), max_length=10, choices=Color, default=Color.GRAY)

    class Meta:
        verbose_name = _("level")
        verbose_name_plural = _("levels")
        ordering = ["-rank"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class PartnerQuerySet(TreeQuerySet):
    """Holds the one rule of who sees which partners, and what the codes of merged ones mean."""

    def offered_to(self, user: Any) -> QuerySet:
        return self.visible_to(user).filter(merged_into__isnull=True)

    def by_code(self, field: str) -> QuerySet:
        rows = super().by_code(field)
        return rows.filter(merged_into__isnull=True) if field == "code" else rows

    def old_codes(self, field: str) -> QuerySet | None:
        """The code of a merged partner means the one that it was merged into: files keep coming."""
        if field != "code":
            return None
        merged = Partner.objects.filter(merged_into__isnull=False)
        return merged.annotate(_code=Upper("code"), _means=F("merged_into"))

    def visible_to(self, user: Any) -> QuerySet:
        """Global roles see all; partner users their own partner, with those below it where allowed;
        territory roles their subtrees and what they own; a limited machine its subtrees and the
        partners that are named to it."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if sees_everything(user):
            return self.all()
        if user.is_partner_user:
            return self._of_member(user)
        within = Q(owner=user)
        if user.territory_paths:
            below = Q()
            for path in user.territory_paths:
                below |= Q(path__startswith=path)
            within |= Q(territory__in=Territory.objects.filter(below).values("pk"))
        if user.role == Role.LIMITED_INTEGRATION:
            named = Partner.machines.through.objects.filter(user=user)
            within |= Q(pk__in=named.values("partner"))
        return self.filter(within)

    def _of_member(self, user: Any) -> QuerySet:
        """One row at most, so it is read: its path makes the rest an index range."""
        member = (
            Membership.objects.filter(user=user)
            .values_list("partner_id", "include_sub_partners", "partner__path")
            .first()
        )
        if member is None:
            return self.none()
        partner_id, with_sub_partners, path = member
        return (
            self.filter(path__startswith=path) if with_sub_partners else self.filter(pk=partner_id)
        )


def key_of(function: str, field: str) -> models.GeneratedField:
    """A column by which the database finds rows that say the same in other letters. It is right
    whoever writes; the functions are in migration 0007."""
    return models.GeneratedField(
        expression=Func(F(field), function=f"partners_{function}"),
        output_field=models.TextField(),
        db_persist=True,
    )


# A form that was opened before the merge writes all fields of the partner as it was.
STAYS_MERGED = pgtrigger.Trigger(
    name="stays_merged",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("merged_into_id") | pgtrigger.Delete,
    condition=pgtrigger.Condition("OLD.merged_into_id IS NOT NULL"),
    func="""
    IF TG_OP = 'DELETE' OR NEW.merged_into_id IS NULL THEN
        RAISE EXCEPTION 'partner % was merged into another one', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_stays_merged';
    END IF;
    RETURN NEW;
    """,
)


class Partner(StatefulModel, TreeModel, Model):
    """A company through which the vendor sells. `parent` is the partner it buys from, if any."""

    class ChannelType(models.TextChoices):
        DISTRIBUTOR = "distributor", _("Distributor")
        AGENT = "agent", _("Agent")
        DEALER = "dealer", _("Dealer")
        RETAILER = "retailer", _("Retailer")
        ECOMMERCE = "ecommerce", _("E-commerce")
        INTEGRATOR = "integrator", _("System integrator")

    class State(models.TextChoices):
        PROSPECT = "prospect", _("Prospect")
        ONBOARDING = "onboarding", _("Onboarding")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        EXITED = "exited", _("Exited")
        MERGED = "merged", _("Merged")

    # Those with whom business is done, or was until a moment ago: they are scored and counted.
    IN_BUSINESS = (State.ACTIVE, State.SUSPENDED)

    scope_path = "pk"

    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=60, blank=True)
    pinyin = models.CharField(max_length=300, editable=False, default="")
    channel_type = models.CharField(
        _("channel type"), max_length=20, choices=ChannelType, default=ChannelType.DISTRIBUTOR
    )
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    credit_code = models.CharField(
        _("unified social credit code"), max_length=18, null=True, blank=True, unique=True
    )
    territory = models.ForeignKey(
        Territory, verbose_name=_("territory"), on_delete=models.PROTECT, related_name="partners"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="owned_partners",
    )
    level = models.ForeignKey(
        Level,
        verbose_name=_("level"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="partners",
    )
    state = StateField(_("state"), choices=State, default=State.PROSPECT)
    started_on = models.DateField(_("cooperation since"), null=True, blank=True)
    ended_on = models.DateField(_("cooperation until"), null=True, blank=True, editable=False)
    note = models.TextField(_("note"), blank=True)
    # Machines that may touch this partner (accounts.api_clients), besides those of its territory.
    machines = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="named_partners", blank=True, editable=False
    )
    # Never one that was merged itself: a merge moves those that were merged before.
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="merged_from",
    )
    name_key = key_of("name_key", "name")
    legal_name_key = key_of("name_key", "legal_name")

    objects = PartnerQuerySet.as_manager()

    class Meta(TreeModel.Meta):
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["code"]
        permissions = [
            ("change_state_partner", "Can change the state of a partner"),
            ("merge_partner", "Can merge partners"),
        ]
        constraints = [
            models.UniqueConstraint(
                Upper("code"),
                name="partner_code_unique",
                violation_error_message=_("There is a partner with this code already."),
            ),
            models.CheckConstraint(
                name="partner_state_known",
                condition=Q(
                    state__in=[
                        "prospect",
                        "onboarding",
                        "active",
                        "suspended",
                        "exited",
                        "merged",
                    ]  # fmt: skip
                ),
            ),
            models.CheckConstraint(
                name="partner_merged_into",
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
            ),
            models.CheckConstraint(
                name="partner_credit_code_form",
                condition=Q(credit_code__isnull=True)
                | Q(credit_code__regex="^[0-9A-HJ-NPQRTUWXY]{18}$"),
            ),
        ]
        indexes = [
            *TreeModel.Meta.indexes,
            models.Index(fields=["pinyin", "id"], name="partner_pinyin"),
            models.Index(fields=["state", "id"], name="partner_state"),
            models.Index(fields=["updated_at", "id"], name="partner_changed"),
            models.Index(
                Upper("code"), condition=Q(merged_into__isnull=False), name="partner_merged_code"
            ),
            models.Index(fields=["name_key"], name="partner_name_key"),
            models.Index(fields=["legal_name_key"], name="partner_legal_name_key"),
            GinIndex(
                fields=["name", "short_name", "code", "pinyin"],
                opclasses=["gin_trgm_ops"] * 4,
                name="partner_search",
            ),
        ]
        triggers = [*TreeModel.Meta.triggers, STAYS_MERGED]

    def __str__(self) -> str:
        return self.short_name or self.name

    def clean(self) -> None:
        super().clean()
        if self.merged_into_id:
            raise ValidationError(_("It was merged into another partner: change that one."))
        if self.credit_code:
            problem = credit_code_problem(self.credit_code)
            if problem:
                raise ValidationError({"credit_code": problem})

    def clean_fields(self, exclude: Any = None) -> None:
        self.normalise()
        super().clean_fields(exclude=exclude)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Conflict `merged` when it was merged: then its code means the kept partner."""
        if self.merged_into_id:
            message = _(
                "It was merged into another partner, which its code means: it cannot be deleted."
            )
            raise Conflict("merged", message)
        return super().delete(*args, **kwargs)

    def normalise(self) -> None:
        """Bring what people type into its stored form: an empty credit code is null, the pinyin
        follows the name."""
        self.credit_code = (self.credit_code or "").strip().upper() or None
        self.pinyin = pinyin_of(self.name)

    # --- Lifecycle --------------------------------------------------------------------------------

    def activation_blockers(self, by: Any) -> list[Problem]:
        """Why business cannot begin: somebody must own the partner and somebody must answer."""
        problems = []
        if self.owner_id is None:
            problems.append(Problem("no_owner", _("The partner has no owner."), "owner"))
        if not self.contacts.exists():
            problems.append(Problem("no_contact", _("The partner has no contact person.")))
        return problems

    def exit_blockers(self, by: Any) -> list[Problem]:
        """Why a partner cannot leave: others still buy from it."""
        below = self.children.exclude(state=Partner.State.EXITED).count()
        if not below:
            return []
        return [
            Problem(
                "has_sub_partners",
                _("%(count)d partners still buy from this one; move them first.")
                % {"count": below},
            )
        ]

    _MAY = {"permission": "partners.change_state_partner"}

    @transition(
        field=state,
        source=State.PROSPECT,
        target=State.ONBOARDING,
        custom={**_MAY, "label": _("Begin onboarding"), "icon": "user-plus"},
    )
    def onboard(self, *, by: Any, on: date) -> None:
        pass

    @transition(
        field=state,
        source=State.ONBOARDING,
        target=State.ACTIVE,
        custom={
            **_MAY,
            "label": _("Begin cooperation"),
            "icon": "player-play",
            "blockers": activation_blockers,
        },
    )
    def activate(self, *, by: Any, on: date) -> None:
        self.started_on = self.started_on or on

    @transition(
        field=state,
        source=State.ACTIVE,
        target=State.SUSPENDED,
        custom={**_MAY, "label": _("Suspend"), "icon": "player-pause", "needs_reason": True},
    )
    def suspend(self, *, by: Any, on: date) -> None:
        pass

    @transition(
        field=state,
        source=State.SUSPENDED,
        target=State.ACTIVE,
        custom={**_MAY, "label": _("Resume"), "icon": "player-play"},
    )
    def resume(self, *, by: Any, on: date) -> None:
        pass

    @transition(
        field=state,
        source=[State.PROSPECT, State.ONBOARDING, State.ACTIVE, State.SUSPENDED],
        target=State.EXITED,
        custom={
            **_MAY,
            "label": _("Exit"),
            "icon": "logout",
            "needs_reason": True,
            "blockers": exit_blockers,
        },
    )
    def leave(self, *, by: Any, on: date) -> None:
        self.ended_on = on

    @transition(
        field=state,
        source=State.EXITED,
        target=State.PROSPECT,
        custom={**_MAY, "label": _("Take up again"), "icon": "refresh", "needs_reason": True},
    )
    def reopen(self, *, by: Any, on: date) -> None:
        self.ended_on = None

    @transition(
        field=state,
        source=[State.PROSPECT, State.ONBOARDING, State.ACTIVE, State.SUSPENDED, State.EXITED],
        target=State.MERGED,
        # By partners.services.merge_partners alone, which moves what hangs on the partner.
        custom={"permission": None, "label": _("Merge"), "icon": "arrows-join"},
    )
    def merge(self, *, by: Any, on: date, into: Partner) -> None:
        self.merged_into, self.parent = into, None
        self.ended_on = self.ended_on or on


class Contact(Model):
    """A person at a partner."""

    class Role(models.TextChoices):
        OWNER = "owner", pgettext_lazy("contact", "Owner")
        SALES = "sales", _("Sales")
        FINANCE = "finance", _("Finance")
        WAREHOUSE = "warehouse", _("Warehouse")
        SERVICE = "service", _("Service")
        OTHER = "other", _("Other")

    scope_path = "partner"

    partner = models.ForeignKey(
        Partner, verbose_name=_("partner"), on_delete=models.CASCADE, related_name="contacts"
    )
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.OTHER)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    wechat = models.CharField(_("WeChat"), max_length=60, blank=True)
    is_primary = models.BooleanField(_("first contact"), default=False)
    note = models.CharField(_("note"), max_length=200, blank=True)
    phone_key = key_of("phone_key", "phone")

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-is_primary", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner"],
                condition=Q(is_primary=True),
                name="contact_one_primary",
                violation_error_message=_("The partner has a first contact already."),
            )
        ]
        indexes = [models.Index(fields=["updated_at", "id"], name="contact_changed")]

    def __str__(self) -> str:
        return self.name


class Site(Model):
    """A place of a partner: office, warehouse, shop."""

    class Kind(models.TextChoices):
        OFFICE = "office", _("Office")
        WAREHOUSE = "warehouse", _("Warehouse")
        SHOP = "shop", _("Shop")

    scope_path = "partner"

    partner = models.ForeignKey(
        Partner, verbose_name=_("partner"), on_delete=models.CASCADE, related_name="sites"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.OFFICE)
    name = models.CharField(_("name"), max_length=120)
    territory = models.ForeignKey(
        Territory,
        verbose_name=_("territory"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="sites",
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["updated_at", "id"], name="site_changed")]

    def __str__(self) -> str:
        return self.name


class Membership(Model):
    """Ties one of a partner's people to the partner they may see."""

    scope_path = "partner"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="membership",
    )
    partner = models.ForeignKey(
        Partner, verbose_name=_("partner"), on_delete=models.CASCADE, related_name="memberships"
    )
    include_sub_partners = models.BooleanField(_("sees the partners below"), default=False)

    class Meta:
        verbose_name = _("portal access")
        verbose_name_plural = _("portal accesses")
        ordering = ["user"]

    def __str__(self) -> str:
        return str(self.user)

    def clean(self) -> None:
        super().clean()
        if self.user_id and not self.user.is_partner_user:
            raise ValidationError({"user": _("Only a partner's own people have portal access.")})


class NotDuplicate(models.Model):
    """Somebody looked at two partners and said that they are not the same company."""

    scope_path = "first"

    first = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("pair that is not a duplicate")
        verbose_name_plural = _("pairs that are not duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_duplicate_once"),
            # The lower key first, so that a pair is said once.
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="not_duplicate_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} ≠ {self.second}"
