"""The lock files: complete, by hash, and naming no registry."""

import json
import re

import pytest

from channel_crm.local import ROOT

LOCKS = ["requirements.txt", "requirements-dev.txt", "tools/requirements-node.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_by_hash(name):
    text = (ROOT / name).read_text()
    pinned = re.findall(
        r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE
    )
    started = re.findall(r"^[a-z0-9]", text, re.MULTILINE)
    assert len(pinned) == len(started) > 0
    assert "index-url" not in text
    assert "://" not in text


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_asked_for_is_locked(name):
    asked = re.findall(r"^([a-z0-9][a-z0-9-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    locked = set(re.findall(r"^([a-z0-9-]+)", (ROOT / f"{name}.txt").read_text(), re.MULTILINE))
    assert set(asked) <= locked


def test_tools_and_program_agree_on_shared_packages():
    pins = [
        dict(
            re.findall(
                r"^([a-z0-9-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE
            )
        )
        for name in LOCKS[:2]
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert {name: pins[0][name] for name in shared} == {name: pins[1][name] for name in shared}


def test_front_end_packages_are_locked_by_digest_and_name_no_registry():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    modules = {name: entry for name, entry in lock["packages"].items() if name}
    assert all("integrity" in entry and "resolved" not in entry for entry in modules.values())
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
