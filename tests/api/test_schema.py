"""The API is what its schema says."""

import json
from io import StringIO

from django.core.management import call_command
from django.test import Client

from channel_crm.api import router
from tests.api.conftest import ROOT


def schema_of(caller):
    return json.loads(caller.get(f"{ROOT}schema/").content)


def test_the_schema_is_valid_and_free_of_warnings(db):
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_the_schema_is_for_those_who_are_signed_in(cast, as_user):
    assert Client().get(f"{ROOT}schema/").status_code == 401
    caller = as_user(cast.director)
    assert schema_of(caller)["openapi"].startswith("3.1")
    yaml = caller.get(f"{ROOT}schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert yaml.content.startswith(b"openapi: 3.1")


def test_every_operation_tells_how_to_sign_in_and_what_can_go_wrong(cast, as_user):
    schema = schema_of(as_user(cast.director))
    rows = {name for name, *_ in router.registry}
    # Measures are declared in code, so they are no resource of rows.
    assert {path.split("/")[3] for path in schema["paths"]} == rows | {"measures"}
    assert set(schema["components"]["securitySchemes"]) == {"client", "session"}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scope = "read" if method == "get" else "write"
            assert {"client": [scope]} in operation["security"], (method, path)
            assert {"400", "401", "403", "406", "429"} <= set(operation["responses"]), (
                method,
                path,
            )


def test_filters_and_order_are_described(cast, as_user):
    schema = schema_of(as_user(cast.director))
    parameters = {p["name"]: p for p in schema["paths"][f"{ROOT}partners/"]["get"]["parameters"]}
    assert {"q", "ordering", "page", "page_size", "territory", "started_on_after"} <= set(
        parameters
    )
    assert parameters["state"]["schema"]["items"]["enum"][0] in ("active", "prospect")
    assert parameters["page_size"]["schema"]["maximum"] == 200


def test_the_page_to_browse_runs_under_the_policy(cast):
    caller = Client()
    assert caller.get(ROOT).status_code == 302
    caller.force_login(cast.director)
    page = caller.get(ROOT)
    html = page.content.decode()
    assert "swagger-ui-bundle.js" in html and "<script>" not in html
    assert (
        "'unsafe-inline'"
        not in page["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    )
    script = caller.get(f"{ROOT}?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle({" in script.content
