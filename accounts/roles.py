"""Role → permissions, in one readable table, synced to groups after every migrate.

A line reads "app.model: actions". Rows are limited by scoping; this table says what may be done.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Who somebody is. The first six and the administrator see the whole network or territories."""

    DIRECTOR = "director", _("Channel director")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    MARKETING = "marketing", _("Marketing")
    SERVICE = "service", _("Customer service")
    FINANCE = "finance", _("Finance")
    TRAINER = "trainer", _("Trainer")
    ADMINISTRATOR = "administrator", _("Administrator")
    PARTNER_ADMIN = "partner_admin", _("Partner administrator")
    PARTNER_MEMBER = "partner_member", _("Partner member")
    INTEGRATION = "integration", _("Integration")
    LIMITED_INTEGRATION = "limited_machine", _("Integration, limited")


GLOBAL_ROLES = frozenset(
    {
        Role.DIRECTOR,
        Role.MARKETING,
        Role.SERVICE,
        Role.FINANCE,
        Role.TRAINER,
        Role.ADMINISTRATOR,
        Role.INTEGRATION,
    }
)
PARTNER_ROLES = frozenset({Role.PARTNER_ADMIN, Role.PARTNER_MEMBER})
# Machines at the API; the second sees territories and partners that are named to it.
MACHINE_ROLES = frozenset({Role.INTEGRATION, Role.LIMITED_INTEGRATION})

_MASTER_DATA = {
    "accounts.territory": "view",
    "catalog.productline": "view",
    "catalog.product": "view",
    "partners.level": "view",
}
_READ = _MASTER_DATA | {
    "partners.partner": "view",
    "partners.contact": "view",
    "partners.site": "view",
    "sales.salesfact": "view",
    "sales.payment": "view",
    "sales.productalias": "view",
    "sales.target": "view",
    "sales.targetplan": "view",
    "sales.targetplanline": "view",
    "sales.report": "view",
    "sales.adjustment": "view",
    "performance.scheme": "view",
    "performance.schemeversion": "view",
    "performance.evaluationschedule": "view",
    "performance.evaluation": "view",
    "performance.score": "view",
    "performance.deduction": "view",
    "performance.rating": "view",
    "performance.derivedmeasure": "view",
    "performance.correction": "view",
    "performance.appeal": "view",
    "performance.scorechange": "view",
    "performance.consequence": "view",
    "performance.improvementplan": "view",
    "performance.planaction": "view",
    "core.event": "view",
    "core.job": "view",
}
_ALL = "view add change delete"
_PLANS = {
    "sales.targetplan": f"{_ALL} submit sign amend",
    "sales.targetplanline": "view add change enter",
}
# Of what one sees; the pages refuse another's to who does not answer for all imports.
_MINE = "view change delete"

PERMISSIONS: dict[Role, dict[str, str]] = {
    Role.DIRECTOR: _READ
    | _PLANS
    | {
        "accounts.user": "view",
        "catalog.productline": _ALL,
        "catalog.product": _ALL,
        "partners.partner": f"{_ALL} change_state merge",
        "partners.contact": _ALL,
        "partners.site": _ALL,
        "partners.level": _ALL,
        "sales.target": _ALL,
        "sales.productalias": _ALL,
        "sales.reportingrule": _ALL,
        "sales.report": "view remind confirm",
        "sales.closedperiod": "view add reopen",
        "sales.controltotal": "view add change",
        "performance.scheme": _ALL,
        "performance.schemeversion": f"{_ALL} publish",
        "performance.evaluationschedule": _ALL,
        "performance.evaluation": "view add change publish",
        "performance.deduction": f"{_ALL} decide",
        "performance.derivedmeasure": _ALL,
        "performance.backtestreport": "view add delete",
        "performance.backtestresult": "view",
        "performance.rating": "view add",
        "performance.correction": "view add decide",
        "performance.appeal": "view add decide",
        "performance.consequence": f"{_ALL} decide",
        "performance.improvementplan": _ALL,
        "performance.planaction": _ALL,
        "core.import": "view add change",
        "core.importprofile": _MINE,
    },
    Role.SALES_MANAGER: _READ
    | {
        "partners.partner": "view add change change_state",
        "partners.contact": _ALL,
        "partners.site": _ALL,
        "sales.target": "view add change",
        "sales.targetplanline": "view enter",
        "sales.productalias": _ALL,
        "sales.report": "view remind confirm",
        "sales.controltotal": "view",
        "performance.deduction": _ALL,
        "performance.rating": "view add",
        "performance.correction": "view add",
        "performance.appeal": "view add",
        "performance.consequence": _ALL,
        "performance.improvementplan": _ALL,
        "performance.planaction": _ALL,
        "core.import": "view add",
        "core.importprofile": _MINE,
    },
    Role.MARKETING: _READ
    | {
        "catalog.productline": "view add change",
        "catalog.product": "view add change",
        "performance.rating": "view add",
    },
    Role.SERVICE: _READ
    | {
        "partners.contact": "view add change",
        "partners.site": "view add change",
        "performance.rating": "view add",
        "performance.appeal": "view add",
    },
    Role.FINANCE: _READ
    | {
        "sales.target": "view add change",
        "sales.targetplan": "view sign",
        "sales.controltotal": "view add change",
        "sales.reportingrule": "view",
        "sales.report": "view remind",
        "sales.closedperiod": "view add reopen",
        "performance.backtestreport": "view",
        "performance.backtestresult": "view",
        "performance.appeal": "view decide",
        "core.import": "view add",
        "core.importprofile": _MINE,
    },
    Role.TRAINER: _MASTER_DATA
    | {"partners.partner": "view", "partners.contact": "view", "partners.site": "view"},
    Role.ADMINISTRATOR: _READ
    | _PLANS
    | {
        "accounts.user": _ALL,
        "accounts.territory": _ALL,
        "accounts.apiclient": _ALL,
        "accounts.apicall": "view",
        "catalog.productline": _ALL,
        "catalog.product": _ALL,
        "partners.partner": f"{_ALL} change_state merge",
        "partners.contact": _ALL,
        "partners.site": _ALL,
        "partners.level": _ALL,
        "partners.membership": _ALL,
        "sales.target": _ALL,
        "sales.productalias": _ALL,
        "sales.reportingrule": _ALL,
        "sales.report": "view remind confirm",
        "sales.closedperiod": "view add reopen",
        "sales.controltotal": _ALL,
        "performance.scheme": _ALL,
        "performance.schemeversion": f"{_ALL} publish",
        "performance.evaluationschedule": _ALL,
        "performance.evaluation": "view add change publish",
        "performance.deduction": f"{_ALL} decide",
        "performance.derivedmeasure": _ALL,
        "performance.backtestreport": "view add delete",
        "performance.backtestresult": "view",
        "performance.correction": "view add decide",
        "performance.appeal": "view add decide",
        "performance.consequence": f"{_ALL} decide",
        "performance.improvementplan": _ALL,
        "performance.planaction": _ALL,
        "core.import": "view add change",
        "core.webhookendpoint": _ALL,
        "core.webhookdelivery": "view change",
        "core.importprofile": _MINE,
    },
    Role.PARTNER_ADMIN: {
        "partners.partner": "view",
        "partners.contact": "view add change",
        "partners.site": "view add change",
        "catalog.productline": "view",
        "catalog.product": "view",
        "sales.salesfact": "view",
        "sales.payment": "view",
        "sales.target": "view",
        # Their own cells through the page of the plan, which hides what is ours.
        "sales.targetplan": "view",
        "sales.targetplanline": "propose",
        "sales.report": "view",
        "performance.score": "view",
        # For the own company, against what is published; the pages hide who of us answers.
        "performance.appeal": "view add",
    },
    Role.PARTNER_MEMBER: {
        "partners.partner": "view",
        "catalog.productline": "view",
        "catalog.product": "view",
        "sales.salesfact": "view",
        "sales.report": "view",
    },
    Role.INTEGRATION: _READ
    | {
        "catalog.productline": "view add change",
        "catalog.product": "view add change",
        "partners.partner": "view add change",
        "partners.contact": "view add change",
        "sales.target": "view add change",
        "sales.targetplanline": "view enter",
        "sales.productalias": "view add change",
        "sales.controltotal": "view add change",
        "sales.closedperiod": "view",
        "core.import": "view add",
    },
    # Products are everybody's: who may touch some partners only, does not change them.
    Role.LIMITED_INTEGRATION: _READ
    | {
        "partners.partner": "view add change",
        "partners.contact": "view add change",
        "sales.target": "view add change",
        "sales.targetplanline": "view enter",
        "sales.controltotal": "view add change",
        "sales.closedperiod": "view",
        "core.import": "view add",
    },
}


def codenames(role: str) -> set[str]:
    """`app.codename` of every permission of a role; actions beyond the four keep their own name."""
    found = set()
    for model, actions in PERMISSIONS[Role(role)].items():
        app, name = model.split(".")
        found |= {f"{app}.{action}_{name}" for action in actions.split()}
    return found


def sync_groups(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """Make the groups of the database equal to the table, once the last app has its permissions."""
    from django.apps import apps
    from django.contrib.auth.models import Group, Permission

    if sender is not _last_app_with_models(apps):
        return
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role in Role:
        group, _created = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set(sorted(known[name] for name in codenames(role) if name in known))


def _last_app_with_models(apps: Any) -> Any:
    return [config for config in apps.get_app_configs() if config.models_module][-1]
