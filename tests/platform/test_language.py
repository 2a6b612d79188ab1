"""Pages in Chinese: every message is translated, and no English word is left on a page.

A word on a page may be Latin when it is data or one of a few names; everything else is a string
that nobody marked or translated. Codes of choices ("sell_in") are not data: they have words.
"""

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import trans_real

from performance import expressions, measures
from tests import factories as make
from tests.contract import routes
from tests.contract.samples import SAMPLES
from tests.platform.test_messages import messages

# The names of API clients are those of its applications.
OURS = ("accounts", "catalog", "core", "oauth2_provider", "partners", "performance", "sales")
# Names that stay as they are in Chinese, and the way to the other language.
NAMES = {"Ctrl", "Excel", "XLSX", "JSON", "OAuth2", "HTTP", "Webhook", "Switch", "English"}
# What a person may have to type: the forms say so in Latin letters.
TYPED = {"Order", "Line", "sell_in", "sell_through", "sell_out", "collection", "https"}
TYPED |= {"partners", "partner", "suspend"}  # the example of a verb
TYPED |= {*measures.REGISTRY, *expressions.FUNCTIONS}  # what stands in an expression
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,}")
# Also the ids of messages.
UNSEEN = re.compile(r"<(script|style|svg|code|textarea)\b.*?</\1>|\bevt_\d+", re.DOTALL)
SPOKEN = re.compile(r'\b(?:placeholder|title|aria-label|alt|data-label)="([^"]*)"')


@pytest.fixture(scope="module", autouse=True)
def catalogues():
    """The catalogues as they are now, whether or not somebody compiled them before."""
    messages.compile_all()
    trans_real._translations.clear()
    trans_real._default = None


@pytest.fixture
def reader(cast):
    """A client of somebody who may see all pages, in Chinese."""
    client = Client()
    client.force_login(cast.administrator, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session["language"] = "zh-hans"
    session.save()
    return client


def data_words():
    """The words of all rows there are, but for the codes of choices."""
    words = set()
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.get_internal_type() in ("CharField", "TextField", "EmailField", "SlugField")
            and not field.flatchoices
        ]
        for values in model._base_manager.values_list(*names) if names else ():
            words.update(word for value in values if value for word in WORD.findall(value))
    return words


def english(response):
    """The Latin words that a reader of the page sees or hears and that are not data."""
    html = UNSEEN.sub(" ", response.content.decode())
    text = " ".join([strip_tags(html.replace("<", " <")), *SPOKEN.findall(html)])
    return set(WORD.findall(text)) - data_words() - NAMES - TYPED


def test_every_message_is_translated(capsys):
    assert messages.check() == 0, capsys.readouterr().out


@pytest.mark.parametrize("pages", routes.with_action("list"), ids=routes.label)
def test_the_pages_of_a_model_hold_no_english(pages, reader, cast):
    row = SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)
    found = {}
    for action in ("list", "create", "detail", "edit", "delete", "history"):
        if action not in pages.routes():
            continue
        needs_row = action in ("detail", "edit", "delete", "history")
        response = reader.get(pages.url(action, row.pk) if needs_row else pages.url(action))
        if response.status_code == 200:
            found[action] = english(response)
    assert found.keys() >= {"list"}
    assert {action: words for action, words in found.items() if words} == {}


@pytest.mark.parametrize("pages", routes.with_action("create"), ids=routes.label)
def test_an_empty_form_is_refused_in_chinese(pages, reader, cast):
    response = reader.post(pages.url("create"), {})
    assert response.status_code in (200, 422)
    assert english(response) == set()


@pytest.mark.parametrize(
    "name",
    [
        "insights:cockpit",
        "core:job_list",
        "core:import_list",
        "core:import_upload",
        "performance:evaluation_run",
        "performance:measure_list",
        "account_change_password",
        "account_email",
        "mfa_index",
    ],
)
def test_other_pages_hold_no_english(name, reader):
    response = reader.get(reverse(name), follow=True)
    assert response.status_code == 200
    assert english(response) == set()


@pytest.mark.parametrize("path", ["/account/login/", "/account/password/reset/", "/nowhere/"])
def test_a_visitor_is_met_in_chinese(path, db):
    response = Client(headers={"accept-language": "zh-CN"}).get(path)
    assert english(response) == set()


def test_the_end_of_a_job_is_told_in_chinese(reader):
    result = {"rows": 3, "created": 2, "updated": 1, "unchanged": 0, "rejected": 1}
    job = make.make_job(state="done", finished_at=timezone.now(), result=result)
    response = reader.get(reverse("core:job_detail", args=[job.pk]))
    assert english(response) == set()
