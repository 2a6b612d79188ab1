"""Pages and API lists over HTTP against bare views on the same server."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore

from accounts.models import User
from bench import data
from bench.common import Result, in_pairs
from partners.models import Partner
from performance.models import Evaluation, Scheme, SchemeItem, SchemeVersion

HTMX = {"HX-Request": "true"}
ITEMS = 12


def run(partner_count: int = 20_000, rounds: int = 60) -> list[Result]:
    """Measure the partner list, its HTMX part, one partner, and the API list."""
    data.base()
    data.partners(partner_count)
    cookie = _signed_in_cookie()
    one = Partner.objects.order_by("pk")[partner_count // 2].pk
    evaluation = _evaluation()
    with server() as port:
        client = _Client(port, cookie)

        def versus(path: str, headers: dict[str, str], bare: str, name: str, ref: str, limit: str):
            pairs = in_pairs(
                lambda: client.get(path, headers), lambda: client.get(bare, {}), rounds, warmup=8
            )
            size = len(client.get(path, headers))
            return pairs.result(name, ref, limit, f"{size / 1024:.0f} KB")

        listing = "/partners/?state=active&size=50"
        bare = "a bare signed-in view, 50 rows × 8 columns"
        total = f"{partner_count:,} partners"
        return [
            versus(listing, {}, "/bare/page/", f"partner list, {total}, filtered", bare, "≤ 4 ×"),
            versus(listing, HTMX, "/bare/page/", "its HTMX part alone", bare, "≤ 2.5 ×"),
            versus(f"/partners/{one}/", {}, "/bare/page/", "page of one partner", bare, "≤ 5 ×"),
            versus(
                f"/performance/matrix/?evaluation={evaluation}&size=50",
                {},
                "/bare/page/",
                f"heat map, {total} × {ITEMS} items",
                bare,
                "≤ 5 ×",
            ),
            versus(
                f"/performance/matrix/?evaluation={evaluation}&size=50&sort=-item.i3",
                {},
                "/bare/page/",
                "the same, sorted by the points of an item",
                bare,
                "",
            ),
            versus(
                "/api/v1/partners/?page_size=50",
                {"Accept": "application/json"},
                "/bare/api/",
                "API list of 50 partners",
                "a bare DRF list of 50 rows",
                "≤ 2 ×",
            ),
        ]


def _evaluation() -> int:
    """A computed evaluation of twelve items with a score for every partner."""
    scheme, _created = Scheme.objects.get_or_create(code="bench-map", defaults={"name": "Map"})
    version, made = SchemeVersion.objects.get_or_create(scheme=scheme, number=1)
    codes = [f"i{n}" for n in range(ITEMS)]
    if made:
        curve = {"kind": "linear", "points": [["0", "0"], ["1000", "100"]]}
        SchemeItem.objects.bulk_create(
            SchemeItem(
                version=version,
                code=code,
                name=f"Item {code}",
                measure="sell_in_net",
                weight=1,
                curve=curve,
                cap=120,
                position=n,
            )
            for n, code in enumerate(codes)
        )
    peers = {code: {"benchmark": None, "median_points": "60.0000"} for code in codes}
    evaluation = Evaluation.objects.create(
        scheme=scheme,
        scheme_version=version,
        period_code="2025Q3",
        starts_on="2025-07-01",
        ends_before="2025-10-01",
        state=Evaluation.State.COMPUTED,
        digest="0" * 64,
        partner_count=Partner.objects.count(),
        peers=peers,
    )
    data.scores(evaluation.pk, codes)
    return evaluation.pk


class _Client:
    """One connection, kept alive."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = cookie

    def get(self, path: str, headers: dict[str, str]) -> bytes:
        self.connection.request("GET", path, headers={"Cookie": self.cookie, **headers})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
        return body


def _signed_in_cookie() -> str:
    user, _created = User.objects.get_or_create(
        username="bench-director", defaults={"role": "director", "language": "en"}
    )
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.RoleBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["language"] = "en"
    session.save()
    return f"sessionid={session.session_key}"


@contextmanager
def server() -> Iterator[int]:
    """The product under gunicorn with one worker, as `make run` serves it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "channel_crm.wsgi", "--workers", "1"]
    command += ["--worker-class", "gthread", "--threads", "4", "--bind", f"127.0.0.1:{port}"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.settings", "LOCAL": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int) -> None:
    for _attempt in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")
