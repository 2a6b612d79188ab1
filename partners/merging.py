"""Pages of duplicate partners: what may be one company, and merging two into one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core import jobs, tables
from core.errors import DomainError
from core.scoping import narrow_choices
from core.widgets import use_lookups
from partners import duplicates, moves
from partners.models import Partner
from partners.selectors import visible_parents
from partners.services import CHOSEN, may_merge, say_not_duplicate
from partners.tasks import merge

PAGE = 20


class OtherForm(forms.Form):
    """With which partner another one is merged."""

    other = forms.ModelChoiceField(Partner.objects.all(), label=gettext_lazy("the other partner"))


@login_required
@permission_required("partners.change_partner", raise_exception=True)
@require_GET
def duplicate_list(request: HttpRequest) -> HttpResponse:
    """Pairs of partners that may be one company, those with most reasons first."""
    found = Paginator(duplicates.pairs(request.user), PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": found,
        "pairs": duplicates.with_partners(found.object_list),
        "may_merge": may_merge(request.user),
        "section": "partners",
        "crumbs": [_partners(), (_("Duplicates"), "")],
    }
    return render(request, "partners/duplicates.html", context)


@login_required
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that this partner and the `other` are not the same company."""
    partner = _visible(request, pk)
    if not request.user.has_perm("partners.change_partner"):
        raise PermissionDenied
    other = _other(request, request.POST)
    if other is None:
        messages.error(request, _("Choose the other partner."))
    else:
        try:
            say_not_duplicate(one=partner, other=other, by=request.user)
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("They will not be proposed again."))
    return redirect("partners:duplicate_list")


@login_required
def merge_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the partner to merge into this one; with it in the address, see both side by side,
    choose values, confirm. POST starts the job."""
    keep = _visible(request, pk)
    if not may_merge(request.user):
        raise PermissionDenied
    posted = request.method == "POST"
    drop = _other(request, request.POST if posted else request.GET)
    if drop is None or drop == keep or keep.merged_into_id or drop.merged_into_id:
        return _choose(request, keep)
    reason = request.POST.get("reason", "").strip()
    if posted and reason:
        fields = [name for name in CHOSEN if request.POST.get(name) == "drop"]
        title = _("Merge “%(drop)s” into “%(keep)s”") % {"drop": drop, "keep": keep}
        job = jobs.enqueue(
            merge, keep.pk, drop.pk, reason, fields, kind="merge", title=title, by=request.user
        )
        return redirect("core:job_detail", pk=job.pk)
    context = _side_by_side(request, keep, drop) | {"no_reason": posted}
    return render(request, "partners/merge.html", context, status=422 if posted else 200)


def _choose(request: HttpRequest, keep: Partner) -> HttpResponse:
    if keep.merged_into_id:
        messages.error(request, _("This partner was merged into another one already."))
        return redirect("partners:partner_detail", pk=keep.pk)
    form = OtherForm()
    narrow_choices(form.fields, request.user)
    use_lookups(form)
    found = duplicates.pairs(request.user, of=keep)[:PAGE]
    context = {
        "keep": keep,
        "form": form,
        "candidates": [
            (pair.second if pair.first == keep else pair.first, pair.reasons)
            for pair in duplicates.with_partners(found)
        ],
        **_frame(keep),
    }
    return render(request, "partners/merge_choose.html", context)


def _side_by_side(request: HttpRequest, keep: Partner, drop: Partner) -> dict[str, Any]:
    """The fields of both, and what hangs on the one that goes."""
    _hide_parents(request, keep, drop)
    picked = request.POST.get if request.method == "POST" else _proposed(keep, drop).get
    shown = zip(CHOSEN, tables.describe(keep, CHOSEN), tables.describe(drop, CHOSEN), strict=True)
    return {
        "keep": keep,
        "drop": drop,
        "fields": [
            {
                "name": name,
                "label": label,
                "keep": kept,
                "drop": other,
                "differs": conditional_escape(kept) != conditional_escape(other),
                "from_drop": picked(name) == "drop",
            }
            for name, (label, kept), (_label, other) in shown
        ],
        # Nobody scores or counts what hangs on a partner that is not in business.
        "idle": drop.state in Partner.IN_BUSINESS and keep.state not in Partner.IN_BUSINESS,
        "moving": moves.counts(drop),
        "reason": request.POST.get("reason", ""),
        **_frame(keep),
    }


def _proposed(keep: Partner, drop: Partner) -> dict[str, str]:
    """What the one that stays lacks is taken from the other; but nobody buys from itself."""
    names = [name for name in CHOSEN if not getattr(keep, name) and getattr(drop, name)]
    if drop.path.startswith(keep.path):
        names = [name for name in names if name != "parent"]
    return dict.fromkeys(names, "drop")


def _hide_parents(request: HttpRequest, *partners: Partner) -> None:
    """The page shows, it does not save: a parent that the user may not see is taken off."""
    seen = visible_parents([one.parent_id for one in partners], request.user)
    for one in partners:
        if one.parent_id not in seen:
            one.parent = None


def _frame(keep: Partner) -> dict[str, Any]:
    here = reverse("partners:partner_detail", args=[keep.pk])
    return {"section": "partners", "crumbs": [_partners(), (str(keep), here), (_("Merge"), "")]}


def _partners() -> tuple[str, str]:
    return _("Partners"), reverse("partners:partner_list")


def _visible(request: HttpRequest, pk: int) -> Partner:
    rows = Partner.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("territory", "owner", "level", "parent"), pk=pk)


def _other(request: HttpRequest, data: Any) -> Partner | None:
    """The partner that `other` names; 404 when the user does not see it."""
    text = data.get("other", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    return _visible(request, int(text))
