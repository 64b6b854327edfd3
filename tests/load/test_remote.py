"""The client where it may reach more than loopback: what gates send to a service's own address."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from bluegreen.errors import ConfigError
from bluegreen.load import BackgroundLoad, LoadPlan, run
from tests.load.servers import Reply, StubServer, always, answer

SECRET = "s3cr3t-t0k3n"


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


def over_tls(certificate, monkeypatch, headers):
    key, chain = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    async def send():
        async with StubServer(always(Reply(answer())), context) as server:
            plan = LoadPlan(
                url=f"https://127.0.0.1:{server.port}/",
                is_remote=True,
                rate=100,
                seconds=0.4,
                headers=headers,
            )
            return await run(plan), server.connections

    return asyncio.run(send())


def test_connections_over_tls_are_kept_too(certificate, monkeypatch):
    recording, connections = over_tls(certificate, monkeypatch, {"Host": "shop.example:443"})

    assert recording.failed() == 0
    assert len(recording) == 40
    # A tenth of the requests have one of their own.
    assert connections < 20


def test_a_certificate_has_to_fit_the_host_that_is_asked_for(certificate, monkeypatch):
    recording, _ = over_tls(certificate, monkeypatch, {"Host": "other.example"})

    assert recording.failures() == {"connect_failure": 40}


def test_a_name_is_looked_up_and_one_that_nobody_has_fails_its_requests():
    plan = LoadPlan(
        url="http://nobody.invalid/", is_remote=True, rate=20, seconds=0.2, timeout_seconds=5
    )

    recording = asyncio.run(run(plan))

    assert recording.failures() == {"connect_failure": 4}


def test_only_a_plan_that_says_so_may_leave_this_machine():
    assert LoadPlan(url="https://shop.example/", is_remote=True, rate=1, seconds=1).is_encrypted
    for url in ("http://shop.example/", "https://127.0.0.1/"):
        with pytest.raises(ConfigError):
            LoadPlan(url=url, rate=1, seconds=1)


def test_the_command_line_cannot_say_so():
    from bluegreen.load.__main__ import main  # noqa: PLC0415

    options = ["--url", "http://shop.example/", "--rate", "1", "--seconds", "1", "--remote"]

    assert main(options) == 2


def test_a_header_of_a_background_client_is_in_no_list_of_processes():
    async def reply(server, head):
        return Reply(answer())

    async def send():
        async with StubServer(reply) as server:
            plan = LoadPlan(url=server.url, rate=20, seconds=0.5, headers={"X-Token": SECRET})
            load = BackgroundLoad(plan)
            await asyncio.to_thread(load.start)
            words = Path(f"/proc/{load.pid}/cmdline").read_bytes()
            await asyncio.to_thread(load.wait)
            return words, server.heads

    words, heads = asyncio.run(send())

    assert SECRET.encode() not in words
    assert all(f"X-Token: {SECRET}".encode() in head for head in heads)
    assert heads
