"""Bulk actions: over the ticked rows, or over all that match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, gettext_noop, ngettext

from core import crud, jobs, workflow
from core.errors import DomainError
from core.views.base import registry
from core.views.listing import Listing

# One request changes at most this many rows; more is work for an import.
BULK_LIMIT = 10_000
# More than these are work for a job, not for a request.
INLINE_LIMIT = 200
PROBLEMS_SHOWN = 5
TELL_EVERY = 20
LONGEST_URL = 300
# What the page of the job shows; the template translates the keys.
_CHANGED = gettext_noop("rows changed")
_LEFT = gettext_noop("rows left alone")
_WHY = gettext_noop("why")


@dataclass(frozen=True)
class BulkAction:
    """`run(obj, by=, reason=)` for each row; a DomainError skips that row and says why.

    With `at_once`, `run(queryset, by=, reason=)` for all of them: (rows changed, one line for each
    row left alone).
    """

    name: str
    label: Any
    run: Callable[..., Any]
    permission: str
    icon: str = "player-play"
    needs_reason: bool = False
    danger: bool = False
    at_once: bool = False


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
        if "confirmed" in post and count > INLINE_LIMIT:
            return self.hand_over(action, listing, count, back)
        if "confirmed" not in post:
            context = {"action": action, "count": count, "back": back, "crumbs": self.crumbs()}
            context |= {"sample": listing.ordered(queryset)[:10], "keys": post.getlist("pk")}
            context |= {"query": post.get("query", ""), "all": post.get("all", "0")}
            return self.render("core/bulk.html", context)
        self.report(*run_action(action, queryset, self.request.user, post.get("reason", "")))
        return redirect(back)

    def selected(self: Any, listing: Listing) -> QuerySet:
        """The ticked rows among those that match, or all that match."""
        post = self.request.POST
        return chosen(listing, None if post.get("all") == "1" else post.getlist("pk"))

    def hand_over(
        self: Any, action: BulkAction, listing: Listing, count: int, back: str
    ) -> HttpResponse:
        """Let a worker do it; its job shows how far it is."""
        from core.tasks import run_bulk

        user, post = self.request.user, self.request.POST
        what = {
            "action": action.label,
            "count": count,
            "what": self.model._meta.verbose_name_plural,
        }
        keys = None if post.get("all") == "1" else post.getlist("pk")
        job = jobs.enqueue(
            run_bulk,
            self.model._meta.label_lower,
            {"query": listing.query(), "keys": keys, "action": action.name},
            post.get("reason", ""),
            kind="bulk",
            title=_("%(action)s: %(count)s × %(what)s") % what,
            by=user,
        )
        if user.has_perm("core.view_job"):
            return redirect("core:job_detail", pk=job.pk)
        messages.success(self.request, _("It is being done; reload the list in a while."))
        return redirect(back)

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


def chosen(listing: Listing, keys: list[str] | None) -> QuerySet:
    """The rows with these keys among those that match; None stands for all that match."""
    if keys is None:
        return listing.queryset
    return listing.queryset.filter(pk__in=[k for k in keys if k.isdecimal() and len(k) < 19])


def run_queued(label: str, what: dict[str, Any], reason: str, by: Any, progress: Any) -> None:
    """What a worker does for `BulkMixin.hand_over`: the same rows and the same rights as a page.

    `what` holds the query of the list, the keys of the ticked rows (None: all) and the action.
    """
    request = HttpRequest()
    request.user = by
    page = registry[label]()
    page.request = request
    listing = Listing(page, QueryDict(what["query"].removeprefix("?")))  # type: ignore[arg-type]
    allowed = {action.name: action for action in listing.bulk_actions}
    if what["action"] not in allowed:
        raise DomainError("not_allowed", _("Your role does not allow this. Nothing was changed."))
    rows = chosen(listing, what["keys"])
    done, problems = run_action(allowed[what["action"]], rows, by, reason, progress.set)
    result: dict[str, Any] = {_CHANGED: done, _LEFT: len(problems)}
    if problems:
        result[_WHY] = " ".join(problems[:PROBLEMS_SHOWN])
    address = page.url("list") + what["query"]
    progress.finish(result, address if len(address) <= LONGEST_URL else page.url("list"))


def run_action(
    action: BulkAction,
    queryset: QuerySet,
    by: Any,
    reason: str,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[int, list[str]]:
    """Run over all rows in one transaction: (rows changed, one line for each row left alone).

    `tell(done, total)` hears of every 20th row and may stop the work by raising.
    """
    if action.at_once:
        with transaction.atomic():
            return action.run(queryset, by=by, reason=reason)
    done, problems = 0, []
    total = queryset.count() if tell else 0
    with transaction.atomic():
        for index, obj in enumerate(queryset.order_by("pk").iterator(chunk_size=500)):
            if tell and index % TELL_EVERY == 0:
                tell(index, total)
            try:
                with transaction.atomic():
                    action.run(obj, by=by, reason=reason)
                done += 1
            except DomainError as error:
                why = " ".join(str(problem.message) for problem in error.problems)
                problems.append(f"{obj}: {why}")
    return done, problems
