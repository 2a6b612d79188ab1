"""Schemathesis walks the schema: nothing that it thinks of may break the API or its promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, Phase, given, settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from tests import factories as make
from tests.api.conftest import ROOT, token_for


def config(*off: str) -> SchemathesisConfig:
    """All checks but those named. Random ids and codes are seldom those of a row, so what is
    well-formed is still often refused."""
    checks = {name: {"enabled": False} for name in ("positive_data_acceptance", *off)}
    return SchemathesisConfig.from_dict({"checks": checks, "generation": {"deterministic": True}})


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests through WSGI must leave the test's transaction alone, as django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@pytest.fixture
def rows(cast: Any, settings: Any) -> Any:
    """A row of everything, and no limit on how often one may ask."""
    settings.API_RATE = ""
    make.make_fact(cast.north_partner)
    make.make_target(cast.north_partner)
    make.make_report(cast.north_partner)
    make.make_adjustment(cast.north_partner)
    make.make_control_total(cast.north_partner)
    make.make_contact(cast.north_partner)
    make.make_site(cast.north_partner)
    make.make_schedule()
    make.make_score(cast.north_partner)
    return cast


def load(client: Any, *off: str) -> Any:
    text = client.get(f"{ROOT}schema/").json()
    schema = schemathesis.openapi.from_dict(text, config=config(*off))
    schema.app = get_wsgi_application()
    return schema


@pytest.fixture
def director(rows: Any) -> dict[str, Any]:
    """How a person calls: session cookie, CSRF cookie and header."""
    client = Client()
    client.force_login(rows.director)
    request = RequestFactory().get("/")
    token = get_token(request)
    cookies = {
        "sessionid": client.cookies["sessionid"].value,
        "csrftoken": request.META["CSRF_COOKIE"],
    }
    return {"cookies": cookies, "headers": {"X-CSRFToken": token, "Accept-Language": "en"}}


@pytest.fixture
def schema_for(rows: Any) -> Callable[..., Any]:
    client = Client()
    client.force_login(rows.director)
    return partial(load, client)


@pytest.fixture
def erp(rows: Any) -> dict[str, Any]:
    """How a machine calls."""
    return {
        "headers": {"Authorization": f"Bearer {token_for('read write')}", "Accept-Language": "en"}
    }


def bounds(examples: int) -> Any:
    return hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def breaches(schema: Any, call: dict[str, Any], examples: int) -> list[str]:
    """What goes wrong, operation by operation, with well-formed and with spoilt requests."""
    found = []
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @bounds(examples)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                case.call_and_validate(**call)

            try:
                with one_connection():
                    ask()
            except Unsatisfiable:
                pass  # nothing about this operation can be spoilt
            except (Exception, BaseExceptionGroup) as error:
                found.append(f"{operation.label} {mode.name}: {error}")
    return found


def test_a_person_finds_no_breach(schema_for: Any, director: dict[str, Any]) -> None:
    # The cookies of the call stand in for those that schemathesis spoils to try the sign-in.
    found = breaches(schema_for("ignored_auth"), director, 4)
    assert not found, "\n\n".join(found)


def test_a_machine_finds_no_breach(schema_for: Any, erp: dict[str, Any]) -> None:
    found = breaches(schema_for(), erp, 2)
    assert not found, "\n\n".join(found)
