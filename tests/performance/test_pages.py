"""The pages of schemes, evaluations and scorecards, as the cast sees them."""

import pytest
from django.urls import reverse

from performance.models import Evaluation, Scheme, SchemeVersion
from performance.services import draft_version, evaluate
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation(cast):
    make_network()
    make_scheme()
    return evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)


def page(client, user, name, *args, **query):
    client.force_login(user)
    return client.get(reverse(f"performance:{name}", args=args), query)


def test_scorecard(client, cast, evaluation):
    score = evaluation.scores.get(partner__code="A")
    text = page(client, cast.director, "score_detail", score.pk).content.decode()
    assert "net sales 3,501 ÷ target 2,500 = 140.04" in text
    assert f"partner={score.partner_id}&amp;kind=sell_in&amp;occurred_on_after=2013-07-01" in text


def test_another_territory_is_not_seen(client, cast, evaluation):
    score = evaluation.scores.get(partner=cast.north_partner)
    assert page(client, cast.north_manager, "score_detail", score.pk).status_code == 200
    assert page(client, cast.south_manager, "score_detail", score.pk).status_code == 404
    listed = page(client, cast.south_manager, "score_list").content.decode()
    assert "Southern Trading" in listed and "Northern Trading" not in listed
    shown = page(client, cast.south_manager, "evaluation_detail", evaluation.pk).content.decode()
    assert "Southern Trading" in shown and "Northern Trading" not in shown


def test_scheme_and_version(client, cast, evaluation):
    assert page(client, cast.director, "scheme_detail", evaluation.scheme_id).status_code == 200
    text = page(
        client, cast.director, "schemeversion_detail", evaluation.scheme_version_id
    ).content.decode()
    assert "0\u00a0% → 0, 100\u00a0% → 100; cap 100" in text


def test_a_draft_shows_its_problems_until_it_is_published(client, cast, evaluation):
    client.force_login(cast.director)
    client.post(reverse("performance:scheme_draft", args=[evaluation.scheme_id]))
    draft = SchemeVersion.objects.get(state="draft")
    item = draft.items.first()
    item.weight = 29
    item.save()
    text = page(client, cast.director, "schemeversion_detail", draft.pk).content.decode()
    assert "The weights sum to 99" in text
    publish = reverse("performance:schemeversion_transition", args=[draft.pk, "publish"])
    client.post(publish)
    draft.refresh_from_db()
    assert draft.state == "draft"
    item.weight = 30
    item.save()
    client.post(publish)
    draft.refresh_from_db()
    assert draft.state == "published"


def test_items_of_a_draft_are_changed_and_those_of_a_published_version_are_not(
    client, cast, evaluation
):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    item = draft.items.first()
    edit = reverse("performance:schemeitem_edit", args=[item.pk])
    form = client.get(edit).context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None} | {"weight": "12"}
    assert client.post(edit, data).status_code == 302
    before = item.curve
    item.refresh_from_db()
    assert (item.weight, item.curve) == (12, before)
    frozen = evaluation.scheme_version.items.first()
    assert (
        client.post(reverse("performance:schemeitem_delete", args=[frozen.pk])).status_code == 302
    )
    assert evaluation.scheme_version.items.count() == 7


def test_a_curve_is_written_in_words(client, cast, evaluation):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    edit = reverse("performance:schemeitem_edit", args=[draft.items.get(code="growth_yoy").pk])
    form = client.get(edit).context["form"]
    assert form["curve_text"].value() == "-10% → 0\n0% → 60\n15% → 100"
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None}
    falling = client.post(edit, data | {"curve_text": "0% → 100\n10% → 0"})
    assert "A better value must not score fewer points." in falling.content.decode()
    assert client.post(edit, data | {"curve_text": "-5% → 0; 5% → 100"}).status_code == 302
    assert draft.items.get(code="growth_yoy").curve == {
        "kind": "linear",
        "points": [["-0.05", "0"], ["0.05", "100"]],
    }


def test_the_scope_of_a_draft_is_chosen(client, cast, evaluation):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    edit = reverse("performance:schemeversion_edit", args=[draft.pk])
    data = {"states": ["active"], "channel_types": ["dealer"], "territories": [cast.north.pk]}
    assert client.post(edit, data).status_code == 302
    draft.refresh_from_db()
    assert draft.scope == {
        "states": ["active"],
        "channel_types": ["dealer"],
        "levels": [],
        "territories": [cast.north.code],
    }
    assert client.post(edit, {"states": []}).status_code == 422
    frozen = reverse("performance:schemeversion_edit", args=[evaluation.scheme_version_id])
    refused = client.post(frozen, data)
    assert "A published version cannot be changed." in refused.content.decode()
    assert (
        "_delete"
        not in page(
            client, cast.director, "schemeversion_detail", evaluation.scheme_version_id
        ).content.decode()
    )


def test_the_page_of_a_partner_tells_what_the_next_level_takes(client, cast, evaluation):
    score = evaluation.scores.get(partner__code="A")
    gold = make.make_level(name="Diamond")
    client.force_login(cast.director)
    address = reverse("partners:partner_detail", args=[score.partner_id]) + "?tab=performance"
    assert "The highest level of this scheme is reached." in client.get(address).content.decode()
    raised = make_scheme(code="raised", levels=[(gold, "99")])
    evaluate(scheme_code="raised", period="2013Q3", by=None, on=TODAY, publish=True)
    text = client.get(address).content.decode()
    assert "What Diamond takes" in text
    assert (
        f"{99 - raised.scheme.evaluations.get().scores.get(partner=score.partner).total} points"
        in text
    )
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "What Diamond takes" in part and "<html" not in part
    for user, partner, there in (
        (cast.north_person, cast.north_partner, True),
        (cast.south_person, cast.south_partner, False),  # no administrator of its company
    ):
        client.force_login(user)
        own = reverse("partners:partner_detail", args=[partner.pk])
        assert ("tab=performance" in client.get(own).content.decode()) == there


def test_run_from_the_browser(client, cast, django_capture_on_commit_callbacks):
    make_network()
    make_scheme()
    client.force_login(cast.director)
    run = reverse("performance:evaluation_run")
    assert client.get(run).status_code == 200
    data = {"scheme": Scheme.objects.get(code="seven").pk, "period": "2013Q3"}
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(run, data)
    evaluation = Evaluation.objects.get()
    assert response.url == reverse("core:job_detail", args=[evaluation.job_id])
    assert evaluation.state == "computed"
    refused = client.post(run, data | {"period": "2199Q3"})
    assert refused.status_code == 422 and "lies in the future" in refused.content.decode()


def test_who_may(client, cast, evaluation):
    for user, status in ((cast.director, 200), (cast.finance, 403), (cast.north_person, 403)):
        assert page(client, user, "evaluation_run").status_code == status
    assert page(client, cast.south_person, "score_list").status_code == 403


# --- the editor --------------------------------------------------------------------------------


def typed(draft, **fields):
    return {
        "version": draft.pk,
        "position": "9",
        "code": "extra",
        "basis": "measure",
        "role": "weighted",
        "measure": "growth_yoy",
        "weight": "5",
        "target_source": "none",
        "curve_kind": "linear",
        "curve_text": "-10% → 0\n15% → 100",
        "cap": "100",
        "missing": "renormalise",
    } | fields


def previewed(client, **data):
    response = client.post(reverse("performance:schemeitem_preview"), data)
    assert response.status_code == 200
    return response.content.decode()


def test_an_item_is_drawn_while_it_is_written(client, cast, evaluation):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    text = previewed(client, **typed(draft))
    assert "data-chart" in text and "−10\u00a0% → 0, 15\u00a0% → 100; cap 100" in text
    assert "Weights: 105 of 100" in text and "Nothing is wrong with it." in text
    assert "Weights: 100 of 100" in previewed(client, **typed(draft, role="bonus"))
    changed = draft.items.get(code="growth_yoy")
    assert "Weights: 95 of 100" in previewed(client, **typed(draft), item=changed.pk)
    falling = previewed(client, **typed(draft, curve_text="-10% → 100\n15% → 0"))
    assert "A better value must not score fewer points." in falling
    steps = previewed(client, **typed(draft, curve_kind="bands", curve_text="0% → 60\n5% → 100"))
    assert '"kind": "step"' in steps
    for broken in (
        {"curve_text": "a lot"},
        {"curve_text": ""},
        {"weight": "many"},
        {"measure": "happiness"},
        {"cap": "-1"},
        {"version": "no"},
        {"basis": "rating", "code": ""},
        {"basis": "scores", "source_scheme": "99999"},
    ):
        assert "Nothing is wrong with it." not in previewed(client, **typed(draft, **broken))
    assert "problems" in previewed(client)
    assert draft.items.count() == 7


def test_an_item_that_people_rate_is_made(client, cast, evaluation):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    new = reverse("performance:schemeitem_create")
    form = client.get(new, {"version": draft.pk}).context["form"]
    assert form["position"].value() == 7
    data = typed(
        draft,
        basis="rating",
        name="Service",
        name_en="Service",
        raters="3",
        anchor_1="bad",
        anchor_3="fair",
        anchor_5="good",
        curve_text="1 → 0\n5 → 100",
        minimum_rule="above",
        minimum="0",
        source_codes="forgotten",
    )
    response = client.post(new, data)
    assert response.url == reverse("performance:schemeversion_detail", args=[draft.pk])
    item = draft.items.get(code="extra")
    assert (item.basis, item.measure, item.raters, item.source_items) == ("rating", "", 3, [])
    assert item.anchors == {"1": "bad", "3": "fair", "5": "good"}
    assert (item.minimum, item.minimum_rule) == (0, "above")
    edit = reverse("performance:schemeitem_edit", args=[item.pk])
    # What belongs to another basis is dropped.
    assert (
        client.post(edit, data | {"basis": "measure", "curve_text": "0% → 0; 9% → 9"}).status_code
        == 302
    )
    item.refresh_from_db()
    assert (item.measure, item.anchors, item.raters) == ("growth_yoy", {}, 2)
    nameless = client.post(edit, data | {"name": ""})
    assert "What people rate needs a name." in nameless.content.decode()


def test_results_of_another_scheme_are_an_item(client, cast, evaluation):
    draft = draft_version(scheme=make.make_scheme(), by=None)
    client.force_login(cast.director)
    data = typed(
        draft,
        basis="scores",
        source_scheme=evaluation.scheme_id,
        source_codes="growth_yoy， active_months",
        curve_text="0 → 0; 100 → 100",
        weight="100",
    )
    assert client.post(reverse("performance:schemeitem_create"), data).status_code == 302
    item = draft.items.get()
    assert (item.source_scheme, item.source_items) == (
        evaluation.scheme,
        ["growth_yoy", "active_months"],
    )
    text = page(client, cast.director, "schemeversion_detail", draft.pk).content.decode()
    assert "Only its items active_months, growth_yoy." in text
    lacking = client.post(reverse("performance:schemeitem_create"), data | {"source_scheme": ""})
    assert "Choose the other scheme whose results count." in lacking.content.decode()


def test_vetoes_levels_and_rules_of_a_draft(client, cast, evaluation):
    draft = draft_version(scheme=evaluation.scheme, by=None)
    client.force_login(cast.director)
    veto = {
        "version": draft.pk,
        "code": "returns",
        "name": "Many returns",
        "measure": "return_rate",
        "side": "above",
        "bound": "0.2",
        "effect": "zero",
    }
    assert client.post(reverse("performance:schemeveto_create"), veto).status_code == 302
    again = client.post(reverse("performance:schemeveto_create"), veto)
    assert "This version has a veto with that code already." in again.content.decode()
    level = {"version": draft.pk, "level": make.make_level(name="Diamond").pk, "min_total": "60"}
    new = reverse("performance:schemelevel_create")
    above = client.post(new, level | {"keep_total": "61"})
    assert "A level is kept by what reaches it, or by less." in above.content.decode()
    assert client.post(new, level | {"keep_total": "55"}).status_code == 302
    edit = reverse("performance:schemeversion_edit", args=[draft.pk])
    rules = {"states": ["active"], "deduction_cap": "20", "grace": "1", "most_steps_up": "1"}
    assert client.post(edit, rules | {"most_steps_down": "0"}).status_code == 422
    assert client.post(edit, rules | {"appeal_days": "7"}).status_code == 302
    text = page(client, cast.director, "schemeversion_detail", draft.pk).content.decode()
    for told in (
        "Return rate above 20\u00a0%: Total 0",
        "kept from 55",
        "Decided deductions take away at most 20 points.",
        "Too low a total is forgiven 1 time in a row before a level is lost.",
        "Levels rise by at most 1 at once.",
        "7 days after publishing",
    ):
        assert told in text, told
    frozen = page(client, cast.director, "schemeversion_detail", evaluation.scheme_version_id)
    assert "schemeveto" not in frozen.content.decode()
