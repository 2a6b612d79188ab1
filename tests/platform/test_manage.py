"""`manage.py` when there is no database."""

import json
import os
import subprocess
import sys

import pytest

from channel_crm.local import ROOT
from embedded.servers import free_port


def manage(*arguments: str) -> subprocess.CompletedProcess:
    url = f"postgres://crm@127.0.0.1:{free_port()}/crm"
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "channel_crm.settings"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("command", [["migrate"], ["createsuperuser", "--username=x"]])
def test_a_command_says_in_one_line_that_the_database_is_not_there(command):
    done = manage(*command)
    assert done.returncode == 1
    assert done.stderr.startswith("error: The database cannot be used: connection to server at")
    assert done.stderr.endswith("Start it, or mend DATABASE_URL.\n")
    assert done.stderr.count("\n") == 1


def test_a_command_of_ours_says_so_in_its_json_line():
    done = manage("scores", "1")
    assert done.returncode == 1
    assert done.stderr == ""
    assert json.loads(done.stdout.splitlines()[-1])["error"] == "database_unreachable"


def test_a_developer_can_have_the_whole_story():
    done = manage("migrate", "--traceback")
    assert done.returncode == 1
    assert "Traceback (most recent call last):" in done.stderr
