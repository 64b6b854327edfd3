import gzip
import shutil
import ssl
import subprocess
import time
import tracemalloc
import zlib

import pytest

from bluegreen.gates.gate import Deadline
from bluegreen.gates.http import HttpGate
from bluegreen.gates.probe import Probe
from bluegreen.gates.runner import run_gates

HEALTHY = {"database": {"status": "healthy", "pools": [{"free": 3}]}, "warm": True, "cache": None}


class OneTry(Deadline):
    def sleep(self, seconds):
        return False


def a_gate(*, path="/health/ready", consecutive=1, method="GET", request_timeout=2, **changes):
    probe = Probe(
        path=path,
        method=method,
        consecutive=consecutive,
        interval_seconds=0.02,
        request_timeout_seconds=request_timeout,
    )
    return HttpGate(name="ready", probe=probe, **changes)


def judged_in(seconds, gate, subject):
    return judged(gate, subject, Deadline(seconds))


def judged(gate, subject, deadline=None):
    start = time.monotonic()
    verdict = gate.check(subject, deadline or OneTry(60))
    assert time.monotonic() - start < 20
    assert verdict.reason
    assert "\n" not in verdict.reason
    assert len(verdict.reason) < 600
    return verdict


def test_the_wanted_status_passes_and_is_named(serve, a_subject):
    web = serve(lambda visit: visit.reply())

    verdict = judged_in(5, a_gate(consecutive=3), a_subject(web.url))

    assert verdict.passed
    assert verdict.reason == "GET /health/ready gave 200, 3 times in a row"
    assert len(web.heads) == 3


def test_the_pinning_headers_go_with_every_request(serve, a_subject):
    web = serve(lambda visit: visit.reply())

    judged_in(5, a_gate(consecutive=2), a_subject(web.url, {"X-Color": "green"}))

    assert all("X-Color: green\r\n" in head for head in web.heads)
    assert all(head.startswith("GET /health/ready HTTP/1.1\r\n") for head in web.heads)


def test_a_pinning_host_header_replaces_the_address(serve, a_subject):
    web = serve(lambda visit: visit.reply())

    judged_in(5, a_gate(), a_subject(web.url, {"Host": "green.example.com"}))

    assert "Host: green.example.com\r\n" in web.heads[0]
    assert "127.0.0.1" not in web.heads[0]


def test_a_proxy_from_the_environment_is_not_asked(serve, a_subject, silent_url, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", silent_url)
    monkeypatch.setenv("ALL_PROXY", silent_url)
    web = serve(lambda visit: visit.reply())

    assert judged_in(5, a_gate(), a_subject(web.url)).passed


def test_another_status_is_refused_with_what_the_body_says(serve, a_subject):
    web = serve(lambda visit: visit.reply(503, b"warming up\nplease wait"))

    verdict = judged(a_gate(), a_subject(web.url))

    assert not verdict.passed
    assert verdict.reason.startswith(
        "GET /health/ready answered 503, not 200: warming up please wait (try "
    )
    assert (verdict.value, verdict.limit) == ("503", "200")


def test_a_color_that_recovers_in_time_passes(serve, a_subject):
    web = serve(lambda visit: visit.reply(200 if visit.number > 3 else 500))

    assert judged_in(5, a_gate(consecutive=2), a_subject(web.url)).passed
    assert len(web.heads) == 5


def test_good_answers_that_are_not_in_a_row_do_not_pass(serve, a_subject):
    web = serve(lambda visit: visit.reply(500 if visit.number % 3 == 0 else 200))

    verdict = judged_in(0.5, a_gate(consecutive=3), a_subject(web.url))

    assert not verdict.passed
    assert "answered 500, not 200" in verdict.reason


def test_too_few_good_answers_before_the_deadline_are_refused_and_counted(serve, a_subject):
    web = serve(lambda visit: visit.reply())

    verdict = judged(a_gate(consecutive=3), a_subject(web.url))

    assert not verdict.passed
    assert verdict.reason.startswith("only 1 of 3 good answers in a row")


def test_an_answer_that_never_comes_is_refused_in_time(serve, a_subject):
    web = serve(lambda visit: visit.hang())

    verdict = judged(a_gate(request_timeout=0.1), a_subject(web.url))

    assert not verdict.passed
    assert "no complete answer to GET /health/ready within 0.1 s" in verdict.reason


def test_a_body_that_drips_for_ever_is_refused_in_time(serve, a_subject):
    def drip(visit):
        visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n")
        while not visit.closing.wait(0.02):
            visit.send(b".")

    verdict = judged(a_gate(request_timeout=0.15), a_subject(serve(drip).url))

    assert not verdict.passed
    assert "no complete answer" in verdict.reason


def test_headers_that_drip_for_ever_are_refused_by_the_runner(serve, a_subject):
    def drip(visit):
        visit.send(b"HTTP/1.1 200 OK\r\n")
        while not visit.closing.wait(0.02):
            visit.send(b"x-more: 1\r\n")

    subject = a_subject(serve(drip).url)
    start = time.monotonic()

    (verdict,) = run_gates([a_gate(timeout_seconds=0.2)], subject, timeout_seconds=60)

    assert time.monotonic() - start < 20
    assert verdict.reason == "no verdict within 0.2 s"


def test_the_reason_is_the_last_whole_try_and_not_the_one_cut_by_the_deadline(serve, a_subject):
    web = serve(lambda visit: visit.reply(500) if visit.number == 1 else visit.hang())

    verdict = judged_in(0.4, a_gate(), a_subject(web.url))

    assert "answered 500" in verdict.reason


def test_a_reset_connection_is_a_refusal_that_says_so(serve, a_subject):
    verdict = judged(a_gate(), a_subject(serve(lambda visit: visit.reset()).url))

    assert not verdict.passed
    assert "the answer to GET /health/ready broke off: " in verdict.reason


def test_an_answer_that_ends_halfway_is_a_refusal_that_says_so(serve, a_subject):
    web = serve(lambda visit: visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"))

    verdict = judged(a_gate(), a_subject(web.url))

    assert not verdict.passed
    assert "broke off" in verdict.reason


def test_something_that_does_not_speak_http_is_a_refusal(serve, a_subject):
    web = serve(lambda visit: visit.send(b"SSH-2.0-dropbear\r\n\r\n"))

    assert "broke off" in judged(a_gate(), a_subject(web.url)).reason


def test_nobody_at_the_address_is_a_refusal_that_names_it(a_subject, silent_url):
    verdict = judged(a_gate(), a_subject(silent_url))

    assert not verdict.passed
    assert f"cannot connect to {silent_url}: ConnectError" in verdict.reason


def test_an_address_that_is_none_is_a_refusal(a_subject):
    assert "cannot ask" in judged(a_gate(), a_subject("nowhere")).reason
    assert "cannot ask" in judged(a_gate(), a_subject("http://127.0.0.1:port")).reason


def test_a_redirect_is_not_followed_and_its_target_is_named(serve, a_subject):
    web = serve(lambda visit: visit.reply(302, headers="location: https://login.example/\r\n"))

    verdict = judged(a_gate(), a_subject(web.url))

    assert not verdict.passed
    assert "a redirect to https://login.example/, not 200" in verdict.reason
    assert all("GET /health/ready" in head for head in web.heads)


def test_a_redirect_that_was_asked_for_passes(serve, a_subject):
    web = serve(lambda visit: visit.reply(302, headers="location: /login\r\n"))

    assert judged(a_gate(status=302), a_subject(web.url)).passed


def test_a_body_of_more_than_one_mebibyte_is_refused_before_it_is_read(serve, a_subject):
    def huge(visit):
        visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000000\r\n\r\n")
        while not visit.closing.is_set():
            try:
                visit.connection.sendall(b"x" * 65536)
            except OSError:
                return

    verdict = judged(a_gate(), a_subject(serve(huge).url))

    assert not verdict.passed
    assert "larger than 1 MiB" in verdict.reason


def test_a_json_field_that_is_what_it_should_be_passes(serve, a_subject):
    web = serve(lambda visit: visit.reply(body=HEALTHY))
    gate = a_gate(json_field="database.status", json_equals="healthy")

    verdict = judged(gate, a_subject(web.url))

    assert verdict.passed
    assert verdict.value == '200, database.status "healthy"'


@pytest.mark.parametrize(
    ("field", "wanted"), [("warm", True), ("database.pools.0.free", 3), ("database", None)]
)
def test_every_kind_of_json_value_can_be_demanded(serve, a_subject, field, wanted):
    web = serve(lambda visit: visit.reply(body=HEALTHY))

    assert judged(a_gate(json_field=field, json_equals=wanted), a_subject(web.url)).passed


@pytest.mark.parametrize(
    ("field", "wanted", "reason"),
    [
        ("database.status", "ok", 'database.status is "healthy", not "ok"'),
        ("warm", 1, "warm is true, not 1"),
        ("warm", "true", 'warm is true, not "true"'),
        ("database.pools.0.free", "3", 'free is 3, not "3"'),
        ("cache", None, "cache is null"),
        ("database.state", "ok", "no field database.state: database is an object with status"),
        ("database.pools.1", 1, "no field database.pools.1: database.pools is a list of 1"),
        ("database.pools.-1", 1, "no field database.pools.-1"),
        ("warm.0", 1, "no field warm.0: warm is true"),
        ("status", "ok", "the answer is an object with database, warm, cache"),
    ],
)
def test_another_json_value_is_refused_with_both_values(serve, a_subject, field, wanted, reason):
    web = serve(lambda visit: visit.reply(body=HEALTHY))

    verdict = judged(a_gate(json_field=field, json_equals=wanted), a_subject(web.url))

    assert not verdict.passed
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<h1>Hello</h1>", "<h1>Hello</h1>"),
        (b"", "it is empty"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_body_that_is_not_json_is_refused_and_quoted(serve, a_subject, body, shown):
    web = serve(lambda visit: visit.reply(body=body))

    verdict = judged(a_gate(json_field="a"), a_subject(web.url))

    assert not verdict.passed
    assert "the answer is not JSON: " in verdict.reason
    assert shown in verdict.reason


def test_a_long_value_is_cut_to_two_hundred_characters(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"a": "x" * 5000}))

    verdict = judged(a_gate(json_field="a", json_equals="b"), a_subject(web.url))

    assert 150 < verdict.reason.count("x") <= 200


def test_a_head_request_needs_no_body(serve, a_subject):
    web = serve(lambda visit: visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"))

    assert judged(a_gate(method="HEAD"), a_subject(web.url)).passed
    assert web.heads[0].startswith("HEAD ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
        " -subj /CN=shop -addext subjectAltName=DNS:shop.example".split(),
        check=True,
        capture_output=True,
        timeout=30,
    )
    return key, certificate


def encrypted(certificate, behave):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    def wrapped(connection):
        return context.wrap_socket(connection, server_side=True)

    behave.wrap = wrapped
    return behave


def test_a_certificate_has_to_fit_the_pinning_host(serve, a_subject, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    web = serve(encrypted(certificate, lambda visit: visit.reply()))
    url = web.url.replace("http:", "https:")

    fits = judged(a_gate(), a_subject(url, {"Host": "shop.example:443"}))
    other = judged(a_gate(), a_subject(url, {"Host": "other.example"}))

    assert fits.passed
    assert not other.passed
    assert "CERTIFICATE_VERIFY_FAILED" in other.reason


def packed(encoding, body):
    return lambda visit: visit.reply(body=body, headers=f"content-encoding: {encoding}\r\n")


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_an_answer_that_is_packed_unasked_is_unpacked(serve, a_subject, encoding, pack):
    web = serve(packed(encoding, pack(b'{"a": 1}')))

    assert judged(a_gate(json_field="a", json_equals=1), a_subject(web.url)).passed


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", gzip.compress(bytes(5_000_000)), "larger than 1 MiB"),
        ("gzip", b"\x1f\x8b\x08broken", "cannot be unpacked as gzip"),
        ("br", b"whatever", "is encoded as br, although it was asked for plain"),
    ],
)
def test_packed_answers_that_cannot_be_read_are_refused(serve, a_subject, encoding, body, reason):
    verdict = judged(a_gate(), a_subject(serve(packed(encoding, body)).url))

    assert not verdict.passed
    assert reason in verdict.reason


def test_a_bomb_is_not_unpacked_beyond_the_limit(serve, a_subject):
    maker = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(maker.compress(bytes(2**20)) for _ in range(256)), maker.flush()])
    assert len(bomb) < 300_000
    tracemalloc.start()

    verdict = judged(a_gate(), a_subject(serve(packed("gzip", bomb)).url))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "larger than 1 MiB" in verdict.reason
    assert peak < 20 * 2**20
