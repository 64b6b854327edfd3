"""Events as requests, to real servers on loopback that behave in every way."""

import json
import logging
import time

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.events import EventKind, WebhookFormat
from bluegreen.events.message import message
from bluegreen.events.webhook import Webhook
from tests.ports import nobody_listens
from tests.unit.gates.web import served
from tests.unit.test_events import an_event

TOKEN = "T0K3N-visibly-fake"


def hook(url, **options):
    return Webhook("CHAT_URL", f"{url}/services/{TOKEN}", **options)


def refused(webhook):
    with pytest.raises(DataPlaneError) as caught:
        webhook.record(an_event())
    text = str(caught.value)
    assert TOKEN not in text
    assert TOKEN not in repr(caught.value.__cause__)
    return text


def test_an_event_is_posted_as_it_is():
    with served(lambda visit: visit.reply(200, b"ok")) as web:
        hook(web.url).record(an_event())

    (head,) = web.heads
    assert head.startswith(f"POST /services/{TOKEN} HTTP/1.1")
    assert "idempotency-key: 5a1d" in head.lower()
    assert "content-type: application/json" in head.lower()
    assert [json.loads(body) for body in web.bodies] == [json.loads(an_event().to_json())]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_receiver_that_fails_for_a_moment_is_asked_again(status):
    def behave(visit):
        visit.reply(200 if visit.number == 2 else status)

    with served(behave) as web:
        hook(web.url).record(an_event())

    assert len(web.heads) == 2


def test_a_receiver_that_fails_is_given_up_after_three_tries():
    with served(lambda visit: visit.reply(500, TOKEN.encode())) as web:
        text = refused(hook(web.url))

    assert text == "the webhook of CHAT_URL did not take the event: it answers 500"
    assert len(web.heads) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 302])
def test_an_answer_that_will_not_change_is_final(status):
    def behave(visit):
        visit.reply(status, headers=f"location: http://127.0.0.1:9/{TOKEN}\r\n")

    with served(behave) as web:
        text = refused(hook(web.url))

    assert text.endswith(f"it answers {status}")
    assert len(web.heads) == 1


def test_a_receiver_that_wants_a_longer_wait_than_there_is_time_is_given_up():
    with served(lambda visit: visit.reply(429, headers="retry-after: 60\r\n")) as web:
        started = time.monotonic()
        text = refused(hook(web.url, timeout_seconds=20))

    assert text.endswith("it answers 429")
    assert time.monotonic() - started < 10
    assert len(web.heads) == 1


def test_a_receiver_that_does_not_answer_costs_the_time_that_was_said():
    with served(lambda visit: visit.hang()) as web:
        started = time.monotonic()
        text = refused(hook(web.url, timeout_seconds=0.5))

    assert "no answer" in text
    assert time.monotonic() - started < 5


def test_a_receiver_that_drips_costs_no_more():
    def behave(visit):
        for _ in range(100):
            visit.send(b"H")
            visit.hang(0.1)

    with served(behave) as web:
        started = time.monotonic()
        text = refused(hook(web.url, timeout_seconds=0.5))

    assert "no answer" in text
    assert time.monotonic() - started < 5


def test_a_connection_that_is_reset_is_tried_again():
    def behave(visit):
        visit.reset() if visit.number == 1 else visit.reply(200)

    with served(behave) as web:
        hook(web.url).record(an_event())

    assert len(web.heads) == 2


def test_nobody_there():
    with nobody_listens() as port:
        assert "no connection" in refused(hook(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (None, "the environment variable CHAT_URL is not set"),
        ("", "the environment variable CHAT_URL is not set"),
        (f"file:///etc/{TOKEN}", "is no address that begins with https://"),
        (f"http://127.0.0.1:port/{TOKEN}", "its address cannot be used"),
        (f"http://[::1/{TOKEN}", "its address cannot be used"),
        (f"http://127.0.0.1:9/{TOKEN}\n", ""),
    ],
)
def test_an_address_that_is_none_is_told_without_it(address, why):
    assert why in refused(Webhook("CHAT_URL", address, timeout_seconds=1))


def test_nothing_is_logged_that_has_the_address(caplog):
    caplog.set_level(logging.DEBUG)
    with served(lambda visit: visit.reply(200)) as web:
        hook(web.url).record(an_event())

    assert TOKEN not in caplog.text


def test_a_chat_gets_a_text():
    with served(lambda visit: visit.reply(200, b"ok")) as web:
        hook(web.url, body=WebhookFormat.SLACK).record(an_event(reason="a < b & c"))

    body = json.loads(web.bodies[0])
    assert list(body) == ["text"]
    assert "a &lt; b &amp; c" in body["text"]


def test_a_text_says_what_happened_to_whom_and_why():
    event = an_event(
        stack="shop/prod",
        rollback=True,
        reason="error spike: 5xx at 12 %",
        commit="0a1b",
        durations_seconds={"cutover": 0.25},
    )

    assert message(event).splitlines() == [
        "*shop* (shop/prod): rolled back: 100 % blue 1.0 → 100 % green 1.1",
        "by ann@host, commit 0a1b",
        "error spike: 5xx at 12 %",
        "cutover 0.2 s",
    ]


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_has_a_headline(kind):
    assert message(an_event(kind=kind)).startswith("*shop*: ")


def test_a_long_text_is_cut():
    assert len(message(an_event(reason="x" * 9000))) == 3000
