import json
import time

import pytest

from bluegreen.gates.gate import Deadline
from bluegreen.gates.runner import run_gates
from bluegreen.gates.suite import SuiteGate
from bluegreen.settings.suite import SuiteGateSettings

PASSWORD = 'correct "horse" & bättery'
TOKEN = "ey.fake.token/with+signs"

STEPS = [
    {"name": "health", "path": "/health"},
    {
        "name": "login",
        "method": "POST",
        "path": "/login",
        "json_body": {"user": "smoke", "password": "{password}"},
        "take": {"token": "access_token", "user_id": "user.id"},
    },
    {"name": "nobody", "path": "/api/user/profile", "status": 401},
    {
        "name": "profile",
        "path": "/api/user/profile?of={user_id}",
        "headers": {"Authorization": "Bearer {token}"},
        "json_equals": {"name": "smoke", "id": "{user_id}"},
    },
    {
        "name": "order",
        "method": "POST",
        "path": "/api/orders",
        "headers": {"Authorization": "Bearer {token}"},
        "json_body": {"user": "{user_id}", "items": [{"sku": "a-{color}", "count": 2}]},
        "status": 201,
        "json_fields": ["orderId"],
        "take": {"order": "orderId"},
    },
    {
        "name": "cancel",
        "method": "DELETE",
        "path": "/api/orders/{order}",
        "headers": {"Authorization": "Bearer {token}"},
        "status": 204,
    },
]


def shop(visit):
    """Knows one user, and answers nothing without the token it has given."""
    authorised = visit.header("authorization") == f"Bearer {TOKEN}"
    place = (visit.method, visit.path.partition("?")[0])
    if place == ("GET", "/health"):
        visit.reply(200, {"status": "ok"})
    elif place == ("POST", "/login"):
        good = json.loads(visit.body) == {"user": "smoke", "password": PASSWORD}
        body = {"access_token": TOKEN, "user": {"id": 42}}
        visit.reply(200 if good else 403, body if good else {"error": "no"})
    elif not authorised:
        visit.reply(401, {"error": "who are you?"})
    elif place == ("GET", "/api/user/profile"):
        visit.reply(200, {"name": "smoke", "id": 42})
    elif place == ("POST", "/api/orders"):
        visit.reply(201, {"orderId": "order/1", "echo": json.loads(visit.body)})
    else:
        visit.reply(204 if place == ("DELETE", "/api/orders/order%2F1") else 404)


def a_suite(steps=STEPS, *, secrets=None, **changes):
    settings = SuiteGateSettings.model_validate(
        {"steps": steps, "secret_env": secrets or {"password": "SMOKE_PASSWORD"}}
    )
    defaults = {"name": "smoke", "steps": settings.steps, "secret_env": settings.secret_env}
    return SuiteGate(**{**defaults, "request_timeout_seconds": 2, **changes})


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("SMOKE_PASSWORD", PASSWORD)


def asked(gate, subject, seconds=5):
    start = time.monotonic()
    verdict = gate.check(subject, Deadline(seconds))
    assert time.monotonic() - start < seconds + 2
    assert "\n" not in verdict.reason
    for secret in (PASSWORD, TOKEN, "horse", "fake.token"):
        assert secret not in f"{verdict!r}{gate!r}"
    return verdict


def only(**step):
    return [{"name": "only", "path": "/", **step}]


def test_log_in_read_the_profile_and_place_an_order(serve, a_subject):
    web = serve(shop)

    verdict = asked(a_suite(), a_subject(web.url, {"X-Color": "green"}))

    assert verdict.passed, verdict
    assert (verdict.value, verdict.limit) == ("6 of 6 steps", "6 of 6 steps")
    assert json.loads(web.bodies[4]) == {"user": 42, "items": [{"sku": "a-green", "count": 2}]}
    assert all("X-Color: green\r\n" in head for head in web.heads)
    assert "content-type: application/json" in web.heads[1].lower()
    told = verdict.detail.splitlines()
    assert told[1].startswith("login: POST /login gave 200, ")
    assert told[2].startswith("nobody: GET /api/user/profile gave 401, ")
    assert told[5].startswith("cancel: DELETE /api/orders/{order} gave 204, ")


def test_a_color_that_lets_everybody_in_is_refused(serve, a_subject):
    def open_to_all(visit):
        visit.head += f"authorization: Bearer {TOKEN}\r\n"
        shop(visit)

    verdict = asked(a_suite(), a_subject(serve(open_to_all).url))

    assert not verdict.passed
    assert verdict.value == "2 of 6 steps"
    assert verdict.reason.startswith(
        "step 3 of 6, nobody: GET /api/user/profile: answered 200, not 401: "
    )


def test_the_first_wrong_answer_ends_the_suite(serve, a_subject, monkeypatch):
    monkeypatch.setenv("SMOKE_PASSWORD", "wrong")
    web = serve(shop)

    verdict = asked(a_suite(), a_subject(web.url))

    assert not verdict.passed
    assert verdict.reason == (
        'step 2 of 6, login: POST /login: answered 403, not 200: {"error": "no"}'
    )
    assert len(web.heads) == 2


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"json_fields": ["orderId"]}, "the answer has no field orderId"),
        ({"json_fields": ["nothing"]}, "nothing is null"),
        ({"json_equals": {"count": "3"}}, 'count is 3, not "3"'),
        (
            {"json_equals": {"count": 4, "items.0": "b"}},
            'count is 3, not 4; items.0 is "a", not "b',
        ),
        ({"take": {"id": "user.id"}}, "the answer has no field user.id"),
        ({"take": {"id": "items"}}, 'items, taken as id, is ["a"], not one value'),
        ({"take": {"id": "nothing"}}, "nothing, taken as id, is null, not one value"),
    ],
)
def test_an_answer_without_what_it_should_have_is_refused(serve, a_subject, step, reason):
    web = serve(lambda visit: visit.reply(body={"count": 3, "items": ["a"], "nothing": None}))

    verdict = asked(a_suite(only(**step)), a_subject(web.url))

    assert not verdict.passed
    assert reason in verdict.reason


def test_a_missing_secret_is_refused_before_anything_is_asked(serve, a_subject, monkeypatch):
    monkeypatch.delenv("SMOKE_PASSWORD")
    web = serve(shop)
    gate = a_suite()

    (verdict,) = run_gates([gate], a_subject(web.url), timeout_seconds=5)

    assert gate.lacks == "no variable SMOKE_PASSWORD; set it where `pulumi up` runs"
    assert not verdict.passed
    assert verdict.reason == f"did not run: {gate.lacks}"
    assert web.heads == []


@pytest.mark.parametrize("status", [200, 500])
def test_a_server_that_says_the_secrets_again_does_not_make_them_public(serve, a_subject, status):
    def echo(visit):
        said = {"access_token": TOKEN, "user": {"id": PASSWORD}, "sent": visit.body.decode()}
        visit.reply(status, {**said, "head": visit.head, "pad": "x" * 90 + TOKEN})

    steps = [
        {
            "name": "login",
            "method": "POST",
            "path": "/login?p={password}",
            "headers": {"X-Token": "{other}"},
            "json_body": ["{password}"],
            "take": {"token": "access_token"},
            "json_equals": {"user.id": "x{password}"},
        }
    ]
    secrets = {"password": "SMOKE_PASSWORD", "other": "SMOKE_OTHER"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMOKE_OTHER", "plain-and-long")
        verdict = asked(a_suite(steps, secrets=secrets), a_subject(serve(echo).url))

    assert not verdict.passed
    assert "***" in verdict.reason
    assert "plain-and-long" not in repr(verdict)


def test_a_secret_in_an_address_that_nobody_answers_is_not_told(a_subject, silent_url):
    steps = only(path="/{password}?p={password}")

    verdict = asked(a_suite(steps), a_subject(silent_url))

    assert "cannot connect to" in verdict.reason
    assert "correct" not in verdict.reason


@pytest.mark.parametrize("value", ["two\nlines", "bättery", "bell\x07"])
def test_a_value_that_no_header_takes_is_refused_without_being_shown(
    serve, a_subject, monkeypatch, value
):
    monkeypatch.setenv("SMOKE_PASSWORD", value)
    web = serve(shop)

    verdict = a_suite(only(headers={"X-Key": "{password}"})).check(a_subject(web.url), Deadline(5))

    assert "a header takes plain ASCII on one line, and X-Key is not that" in verdict.reason
    assert "two" not in verdict.reason
    assert web.heads == []


def test_the_header_that_leads_to_the_color_cannot_be_replaced(serve, a_subject):
    web = serve(shop)
    steps = only(headers={"x-bluegreen-color": "blue"})

    verdict = asked(a_suite(steps), a_subject(web.url, {"X-Bluegreen-Color": "green"}))

    assert "the header x-bluegreen-color is what leads to the color" in verdict.reason
    assert web.heads == []


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda visit: visit.hang(), "no complete answer to GET / within 0.2 s"),
        (lambda visit: visit.reset(), "broke off"),
        (lambda visit: visit.send(b"SSH-2.0\r\n\r\n"), "broke off"),
        (lambda visit: visit.reply(body=b"<html>"), "the answer is not JSON: <html>"),
        (lambda visit: visit.reply(302, headers="location: /in\r\n"), "a redirect to /in, not 200"),
        (lambda visit: visit.reply(body=b"x" * 1_100_000), "larger than 1 MiB"),
        (
            lambda visit: visit.send(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ngarbage\r\n"
            ),
            "broke off",
        ),
    ],
)
def test_servers_that_misbehave_are_refused_in_time(serve, a_subject, behave, reason):
    gate = a_suite(only(json_fields=["a"]), request_timeout_seconds=0.2)

    verdict = asked(gate, a_subject(serve(behave).url), seconds=2)

    assert not verdict.passed
    assert reason in verdict.reason


def test_steps_that_are_left_when_the_time_is_over_are_not_asked(serve, a_subject):
    web = serve(lambda visit: visit.hang(0.3) or visit.reply())
    steps = [{"name": "one", "path": "/"}, {"name": "two", "path": "/"}]

    verdict = asked(a_suite(steps), a_subject(web.url), seconds=0.35)

    assert not verdict.passed
    assert len(web.heads) <= 2
    assert verdict.value in ("0 of 2 steps", "1 of 2 steps")


def test_a_suite_is_never_run_in_a_preview():
    assert a_suite().runs_in_preview is False
