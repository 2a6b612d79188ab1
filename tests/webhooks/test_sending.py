"""One request, to receivers that answer well, badly, slowly and never."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.webhooks import sending
from core.webhooks.sending import Error, post
from tests.webhooks.server import OK, receiver, says, status

HEADERS = {"Content-Type": "application/json", "webhook-id": "evt_1"}
BODY = '{"name":"华东"}'.encode()

pytestmark = pytest.mark.usefixtures("local_receivers")


def told(answer, seconds=5.0):
    with receiver(answer) as there:
        return post(there.url, HEADERS, BODY, seconds)


def test_the_request_is_whole():
    with receiver(says(OK)) as there:
        outcome = post(there.url, HEADERS, BODY)
    assert (outcome.error, outcome.status, outcome.response) == ("", 200, "ok")
    head, body = there.requests[0].split(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert body == BODY
    assert lines[0] == "POST /hook?a=b HTTP/1.1"
    assert f"Host: 127.0.0.1:{there.port}" in lines and "webhook-id: evt_1" in lines
    assert len([line for line in lines if line.startswith("Host:")]) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [(204, ""), (301, Error.REDIRECT), (304, Error.REDIRECT), (400, Error.STATUS),
     (410, Error.GONE), (500, Error.STATUS)],
)  # fmt: skip
def test_only_2xx_is_a_success(code, error):
    outcome = told(status(code, "Retry-After: 7"))
    assert (outcome.status, outcome.error, outcome.retry_after) == (code, error, "7")


def test_a_redirect_is_not_followed():
    with receiver(says(OK)) as inside:
        answer = status(307, f"Location: {inside.url}")
        assert told(answer).error == Error.REDIRECT
    assert inside.requests == []


def test_a_huge_answer_is_cut():
    body = "长".encode() * 500_000
    head = f"HTTP/1.1 500 x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    outcome = told(says(head + body))
    assert outcome.status == 500 and 0 < len(outcome.response.encode()) <= 1024 + 3


def test_an_endless_header_is_refused():
    assert told(says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000)).error == Error.CONNECTION


def test_nul_and_broken_text_can_be_kept():
    outcome = told(says(b"HTTP/1.1 500 x\r\nContent-Length: 4\r\n\r\na\x00\xff!"))
    assert outcome.response == "a\ufffd\ufffd!"


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_failed_connection(raw):
    assert told(says(raw)).error == Error.CONNECTION


def drip(first):
    def answer(sock):
        sock.sendall(first)
        for _ in range(100):
            time.sleep(0.1)
            sock.sendall(b"x")

    return answer


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (lambda sock: time.sleep(3), Error.TIMEOUT, None),
        (drip(b"HTTP/1.1 200 OK\r\nX: "), Error.TIMEOUT, None),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n"), "", 200),
    ],
    ids=["silence", "slow header", "slow body"],
)
def test_the_time_is_up_however_slowly_bytes_come(answer, error, code):
    began = time.monotonic()
    outcome = told(answer, seconds=0.6)
    assert (outcome.error, outcome.status) == (error, code)
    assert time.monotonic() - began < 1.5


def test_endless_interim_answers_run_out_of_time():
    def answer(sock):
        for _ in range(100):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.05)

    assert told(answer, seconds=0.5).error == Error.TIMEOUT


def test_nobody_listens():
    with receiver(says(OK)) as there:
        pass
    assert post(there.url, HEADERS, BODY).error == Error.CONNECTION


def test_an_address_of_version_6_is_no_port():
    with receiver(says(OK)) as there:
        url = f"http://[::ffff:127.0.0.1]:{there.port}/hook"
        outcome = post(url, HEADERS, BODY)
    assert (outcome.error, outcome.status, outcome.detail) == ("", 200, "")


def test_an_unknown_name():
    assert post("http://nobody.invalid/", HEADERS, BODY).error == Error.NAME


def test_an_address_inside_gets_nothing(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = []
    with receiver(says(OK)) as there:
        url = there.url.replace("127.0.0.1", "localhost")
        errors = [post(text, HEADERS, BODY).error for text in (there.url, url)]
    assert errors == [Error.ADDRESS, Error.ADDRESS]
    assert there.requests == []


def test_http_may_be_forbidden_after_it_was_typed(settings):
    settings.WEBHOOKS_ALLOW_HTTP = False
    assert told(says(OK)).error == Error.ADDRESS


def test_the_address_that_was_checked_is_the_one_that_is_used(settings, monkeypatch):
    """A name that leads elsewhere when it is asked for again (DNS rebinding)."""
    with receiver(says(OK)) as good, receiver(says(OK)) as bad:
        answers = iter([good.port, bad.port])

        def rebinding(host, port, **kwargs):
            where = ("127.0.0.1", next(answers))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where)]

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        assert post("http://rebinding.example.com/", HEADERS, BODY).status == 200
    assert (len(good.requests), len(bad.requests)) == (1, 0)


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate of hook.example.com, trusted for the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example.com")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    sending._tls.cache_clear()
    yield path
    sending._tls.cache_clear()


@pytest.mark.parametrize(
    ("host", "error"), [("hook.example.com", ""), ("other.example.com", Error.TLS)]
)
def test_the_certificate_must_be_that_of_the_name(host, error, certificate, monkeypatch):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    with receiver(says(OK), lambda sock: server.wrap_socket(sock, server_side=True)) as there:
        where = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", there.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: where)
        outcome = post(f"https://{host}/", HEADERS, BODY)
    assert outcome.error == error, outcome.detail
    assert len(there.requests) == (0 if error else 1)
