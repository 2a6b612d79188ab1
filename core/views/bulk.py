"""Bulk actions: over the ticked rows, or over all that match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from core import crud, workflow
from core.errors import DomainError
from core.views.listing import Listing

# One request changes at most this many rows; more is work for an import.
BULK_LIMIT = 10_000
PROBLEMS_SHOWN = 5


@dataclass(frozen=True)
class BulkAction:
    """`run(obj, by=, reason=)` for each row; a DomainError skips that row and says why."""

    name: str
    label: Any
    run: Callable[..., Any]
    permission: str
    icon: str = "player-play"
    needs_reason: bool = False
    danger: bool = False


def transition_action(name: str, label: Any, **kwargs: Any) -> BulkAction:
    """A workflow transition as a bulk action."""

    def run(obj: Any, *, by: Any, reason: str) -> None:
        workflow.fire(obj, name, by=by, reason=reason, on=timezone.localdate())

    return BulkAction(name=name, label=label, run=run, **kwargs)


def delete_action(model: type[models.Model]) -> BulkAction:
    """Delete rows that nothing needs."""
    codename = get_permission_codename("delete", model._meta)
    return BulkAction(
        name="delete",
        label=gettext_lazy("Delete"),
        run=crud.delete,
        permission=f"{model._meta.app_label}.{codename}",
        icon="trash",
        danger=True,
    )


class BulkMixin:
    """The `bulk` route: ask on the first POST, do on the second."""

    def bulk(self: Any) -> HttpResponse:
        """Show what would happen to how many rows; with `confirmed`, do it."""
        post = self.request.POST
        listing = Listing(self, QueryDict(post.get("query", "").removeprefix("?")))
        actions = {action.name: action for action in listing.bulk_actions}
        if self.request.method != "POST":
            return redirect(self.url("list"))
        if post.get("action") not in actions:
            raise Http404
        action = actions[post["action"]]
        queryset = self.selected(listing)
        back = self.url("list") + listing.query()
        count = queryset.count()
        if count > BULK_LIMIT:
            messages.error(
                self.request,
                _("At most %(limit)s rows at once. Narrow the list.") % {"limit": BULK_LIMIT},
            )
            return redirect(back)
        if not count:
            messages.error(self.request, _("No row is selected."))
            return redirect(back)
        if "confirmed" not in post:
            context = {"action": action, "count": count, "back": back, "crumbs": self.crumbs()}
            context |= {"sample": listing.ordered(queryset)[:10], "keys": post.getlist("pk")}
            context |= {"query": post.get("query", ""), "all": post.get("all", "0")}
            return self.render("core/bulk.html", context)
        self.report(*run_action(action, queryset, self.request.user, post.get("reason", "")))
        return redirect(back)

    def selected(self: Any, listing: Listing) -> QuerySet:
        """The ticked rows among those that match, or all that match."""
        if self.request.POST.get("all") == "1":
            return listing.queryset
        keys = [key for key in self.request.POST.getlist("pk") if key.isdecimal() and len(key) < 19]
        return listing.queryset.filter(pk__in=keys)

    def report(self: Any, done: int, problems: list[str]) -> None:
        """Say how many rows changed and why others did not."""
        if done:
            text = ngettext("%(count)s row changed.", "%(count)s rows changed.", done)
            messages.success(self.request, text % {"count": done})
        for problem in problems[:PROBLEMS_SHOWN]:
            messages.error(self.request, problem)
        if len(problems) > PROBLEMS_SHOWN:
            rest = len(problems) - PROBLEMS_SHOWN
            messages.error(
                self.request, _("… and %(count)s more were left alone.") % {"count": rest}
            )


def run_action(
    action: BulkAction, queryset: QuerySet, by: Any, reason: str
) -> tuple[int, list[str]]:
    """Run over all rows in one transaction: (rows changed, one line for each row left alone)."""
    done, problems = 0, []
    with transaction.atomic():
        for obj in queryset.order_by("pk").iterator(chunk_size=500):
            try:
                with transaction.atomic():
                    action.run(obj, by=by, reason=reason)
                done += 1
            except DomainError as error:
                why = " ".join(str(problem.message) for problem in error.problems)
                problems.append(f"{obj}: {why}")
    return done, problems
