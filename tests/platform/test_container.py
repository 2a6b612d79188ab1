"""No Docker engine runs these files here, so what they name is looked up instead."""

import importlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from celery.app.utils import find_app
from django.core.management import get_commands
from django.urls import resolve

from channel_crm.local import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {
    name: service["command"]
    for name, service in COMPOSE["services"].items()
    if service.get("image") == "channel-crm"
}


def docker_command(word: str) -> list[str]:
    """The last CMD of the Dockerfile, or the one of its HEALTHCHECK."""
    found = re.findall(rf"^{word}.*?CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    return json.loads(found[-1])


def assert_runs(command: list[str]) -> None:
    """Everything a command names is there: the program, the file, the module, the subcommand."""
    program, *arguments = command
    if program == "python":
        script, *arguments = arguments
        assert (ROOT / script).is_file()
        if script == "manage.py":
            assert arguments[0] in get_commands()
        return
    assert shutil.which(program, path=str(Path(sys.executable).parent))
    if program == "gunicorn":
        importlib.import_module(arguments[0])
        importlib.import_module(arguments[arguments.index("-c") + 1].removeprefix("python:"))
    else:
        assert program == "celery"
        assert find_app(arguments[arguments.index("-A") + 1]).main == "channel_crm"
        assert {"worker", "beat"} & set(arguments)


def test_compose_has_every_part():
    services = set(COMPOSE["services"])
    assert services == {"db", "valkey", "migrate", "web", "worker", "beat"}
    assert COMPOSE["services"]["db"]["image"] == "postgres:18"
    assert set(OURS) == {"migrate", "web", "worker", "beat"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_compose_exists(name):
    assert_runs(OURS[name])


def test_what_a_service_waits_for_is_a_service():
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])


def test_named_volumes_are_declared():
    used = {
        volume.partition(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_the_image_serves_the_pages_and_watches_them():
    assert docker_command("") == OURS["web"]
    assert_runs(docker_command("HEALTHCHECK"))
    assert "/healthz" in (ROOT / "tools" / "healthcheck.py").read_text()
    assert resolve("/healthz").url_name == "healthz"


def test_the_image_does_not_run_as_root():
    users = re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["crm"]
