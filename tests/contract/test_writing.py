"""Forms: what is valid leaves exactly one event that tells the difference."""

import pytest

from core.models import Event
from tests.contract import routes
from tests.contract.samples import SAMPLES


def writable(action, attribute):
    return [
        pages
        for pages in routes.with_action(action)
        if getattr(SAMPLES[pages.model._meta.label_lower], attribute)
    ]


def sample(pages):
    return SAMPLES[pages.model._meta.label_lower]


@pytest.mark.parametrize("action", ["create", "edit"])
def test_every_model_with_a_form_has_something_typed_into_it(action):
    attribute = {"create": "typed", "edit": "change"}[action]
    assert set(routes.with_action(action)) - set(writable(action, attribute)) == set()


@pytest.mark.parametrize("pages", writable("create", "typed"), ids=routes.label)
def test_creating_leaves_one_event(pages, cast, sign_in):
    typed = sample(pages).typed(cast)
    before = set(pages.model._default_manager.values_list("pk", flat=True))
    response = sign_in(cast.administrator).post(pages.url("create"), typed)
    assert response.status_code == 302, problems(response)
    row = pages.model._default_manager.exclude(pk__in=before).get()
    event = Event.objects.get()
    assert event.verb == f"{pages.model._meta.label_lower}.created"
    assert (event.actor, event.source, event.object_id) == (cast.administrator, "page", row.pk)
    told = set(event.changes)
    assert told >= {name for name in typed if name in model_fields(pages) and typed[name]}
    assert all(old is None for old, _new in event.changes.values())


@pytest.mark.parametrize("pages", writable("edit", "change"), ids=routes.label)
def test_editing_leaves_one_event_with_the_difference(pages, cast, sign_in):
    row = sample(pages).row(cast.north_partner)
    row.refresh_from_db()
    name, value = sample(pages).change
    client = sign_in(cast.administrator)
    page = client.get(pages.url("edit", row.pk))
    data = current(page.context["form"])
    old = getattr(row, name)
    data[name] = value
    response = client.post(pages.url("edit", row.pk), data)
    assert response.status_code == 302, problems(response)
    event = Event.objects.get()
    assert event.verb == f"{pages.model._meta.label_lower}.updated"
    assert [str(v) for v in event.changes[name]] == [str(old), str(value)]
    assert set(event.changes) <= {name, "pinyin"}


@pytest.mark.parametrize("pages", writable("edit", "change"), ids=routes.label)
def test_saving_a_form_as_it_is_leaves_no_event(pages, cast, sign_in):
    row = sample(pages).row(cast.north_partner)
    client = sign_in(cast.administrator)
    data = current(client.get(pages.url("edit", row.pk)).context["form"])
    assert client.post(pages.url("edit", row.pk), data).status_code == 302
    assert Event.objects.count() == 0


@pytest.mark.parametrize("pages", writable("create", "typed"), ids=routes.label)
def test_an_empty_form_is_refused_and_writes_nothing(pages, cast, sign_in):
    sample(pages).typed(cast)  # the rows that a form may refer to
    before = pages.model._default_manager.count()
    response = sign_in(cast.administrator).post(pages.url("create"), {})
    assert response.status_code == 422
    assert response.context["form"].errors
    assert pages.model._default_manager.count() == before
    assert Event.objects.count() == 0


@pytest.mark.parametrize("pages", routes.with_action("delete"), ids=routes.label)
def test_deleting_leaves_one_event(pages, cast, sign_in):
    row = sample(pages).row(cast.north_partner)
    response = sign_in(cast.administrator).post(pages.url("delete", row.pk))
    assert response.status_code == 302
    assert not pages.model._default_manager.filter(pk=row.pk).exists()
    assert Event.objects.get().verb == f"{pages.model._meta.label_lower}.deleted"


def model_fields(pages):
    return {field.name for field in pages.model._meta.get_fields()} - {"password"}


def current(form):
    """What a browser would send of a form that nobody touched."""
    data = {}
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, list | tuple | set):
            data[form[name].html_name] = [getattr(v, "pk", v) for v in value]
        elif hasattr(value, "all"):
            data[form[name].html_name] = [row.pk for row in value.all()]
        elif value is True:
            data[form[name].html_name] = "on"
        elif value is not None and value is not False:
            data[form[name].html_name] = form[name].field.widget.format_value(value)
    return {name: value for name, value in data.items() if value is not None}


def problems(response):
    form = (response.context or {}).get("form")
    return form.errors if form is not None else response.content[:500]
