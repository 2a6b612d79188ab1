"""Users and the territories that bound what they see."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.roles import GLOBAL_ROLES, MACHINE_ROLES, PARTNER_ROLES, Role
from core.models import Model
from core.scoping import ScopedQuerySet
from core.trees import TreeModel


class Territory(TreeModel, Model):
    """A piece of the map: a division of GB/T 2260, a county of Iowa, a sales region."""

    class Level(models.TextChoices):
        COUNTRY = "country", _("Country")
        REGION = "region", _("Region")
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        COUNTY = "county", _("County")

    scope_path = None

    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.REGION)
    # What a territory could bear, from whoever knows it: a hint for those who plan.
    population = models.PositiveBigIntegerField(
        _("population"), null=True, blank=True, help_text=_("Persons.")
    )
    gdp = models.DecimalField(
        _("GDP"),
        max_digits=20,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Of a year, in the currency of the sales."),
    )

    class Meta(TreeModel.Meta):
        verbose_name = _("territory")
        verbose_name_plural = _("territories")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                Upper("code"),
                name="territory_code_unique",
                violation_error_message=_("There is a territory with this code already."),
            ),
            models.CheckConstraint(
                condition=Q(gdp__isnull=True) | Q(gdp__gte=0, gdp__lt=10**18),
                name="territory_gdp",
            ),
        ]
        indexes = [
            *TreeModel.Meta.indexes,
            models.Index(fields=["updated_at", "id"], name="territory_changed"),
        ]

    def __str__(self) -> str:
        return self.name


class UserQuerySet(ScopedQuerySet):
    """Colleagues see each other's names; partners' people see only themselves."""

    def visible_to(self, user: Any) -> QuerySet:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.role in PARTNER_ROLES and not user.is_superuser:
            return self.filter(pk=user.pk)
        return self.all()

    def colleagues(self) -> QuerySet:
        """The vendor's own people, also those who have left."""
        return self.exclude(role__in=[*PARTNER_ROLES, *MACHINE_ROLES])

    def staff(self) -> QuerySet:
        """The vendor's own people who can own partners."""
        return self.colleagues().filter(is_active=True)

    def machines(self) -> QuerySet:
        """The accounts in force that programs act as."""
        return self.filter(is_active=True, role__in=MACHINE_ROLES)


class Users(UserManager.from_queryset(UserQuerySet)):
    """Makes users, and asks for them by scope."""

    use_in_migrations = False


class User(AbstractUser):
    """Somebody who signs in. The role gives permissions, the territories bound what is seen."""

    class AmountUnit(models.TextChoices):
        ONE = "", _("Full amounts")
        WAN = "wan", _("万 and 亿")

    scope_path = None

    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.SALES_MANAGER)
    territories = models.ManyToManyField(
        Territory, verbose_name=_("territories"), blank=True, related_name="users"
    )
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    amount_unit = models.CharField(
        _("amounts in"), max_length=5, choices=AmountUnit, default=AmountUnit.ONE, blank=True
    )

    # Columns and page size of each list (core.preferences): read with the user, without a query.
    preferences = models.JSONField(default=dict, blank=True, editable=False)

    objects = Users()

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=~Q(email=""),
                name="user_email_unique",
                violation_error_message=_("Another user has this address already."),
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The full name, family name first where it is Chinese; else the username."""
        if not (self.last_name or self.first_name):
            return self.username
        if any("\u4e00" <= letter <= "\u9fff" for letter in self.last_name):
            return f"{self.last_name}{self.first_name}"
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_global(self) -> bool:
        """Whether the role sees the whole network."""
        return self.role in GLOBAL_ROLES

    @property
    def is_partner_user(self) -> bool:
        """Whether this is one of a partner's people."""
        return self.role in PARTNER_ROLES

    @cached_property
    def territory_paths(self) -> list[str]:
        """The paths of the territories that bound this user."""
        return list(self.territories.values_list("path", flat=True))

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if kwargs.get("update_fields") is None:
            self.groups.set(Group.objects.filter(name=self.role))


# Django finds models here.
from accounts.api_models import ApiCall, ApiClient  # noqa: E402, F401
