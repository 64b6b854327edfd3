"""Events that go to a file and to a webhook, on the real engine."""

import json
import re
from collections.abc import Callable

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import TrafficSplit
from tests.engine.command import typed
from tests.engine.onprem_driver import OnPremDriver
from tests.unit.gates.web import Visit, served

TOKEN = "T0K3N-visibly-fake"
GREEN = TrafficSplit.all_to(Color.GREEN)


class Receiver:
    """Takes what is posted, and behaves as it is told."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []
        self.behave: Callable[[Visit], None] = lambda visit: visit.reply(200)

    def __call__(self, visit: Visit) -> None:
        self.taken.append(json.loads(visit.body))
        self.behave(visit)


def test_switches_and_refusals_go_to_a_file_and_to_a_webhook(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("service.events", {"file": "told.jsonl", "webhook": {"url_env": "CHAT"}})
    receiver = Receiver()
    with served(receiver) as web:
        secret = {"CHAT": f"{web.url}/services/{TOKEN}"}
        results = [onprem.up(**secret, BLUEGREEN_COMMIT="0a1b2c")]
        onprem.configure("active_color", "green")
        results.append(onprem.up(**secret))
        onprem.configure("blue", {"release": "1.2", "replicas": 1, "env": {"APP_MODE": "broken"}})
        results.append(onprem.up(**secret))
        onprem.configure("active_color", "blue")
        results.append(onprem.up(**secret))

    trail = onprem.events()
    told = (onprem.stack.directory / "told.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in told] == trail == receiver.taken
    first, switch, refusal = trail
    assert (first["commit"], first["from_color"], first["to_color"]) == ("0a1b2c", None, "blue")
    assert (switch["version"], switch["kind"], switch["result"]) == (1, "switch", "done")
    assert (switch["from_color"], switch["to_color"]) == ("blue", "green")
    assert switch["stack"] == "shop/test"
    assert {each["gate"] for each in switch["verdicts"]} == {"capacity", "ready", "release"}
    assert all(each["passed"] and each["duration_seconds"] >= 0 for each in switch["verdicts"])
    durations = switch["durations_seconds"]
    assert set(durations) == {"update", "gates", "write", "follow", "cutover"}
    assert 0 < durations["cutover"] <= durations["update"]
    assert (refusal["kind"], refusal["result"]) == ("refusal", "refused")
    assert [each["result"] for each in refusal["verdicts"] if not each["passed"]] == ["refused"]
    state = onprem.stack.run("stack", "export", "--stack", "test").stdout
    assert not [text for text in (*(each.text for each in results), state) if TOKEN in text]


def test_a_webhook_that_fails_is_a_warning_and_the_switch_goes_on(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    webhook = {"url_env": "CHAT", "format": "slack", "timeout_seconds": 1}
    onprem.configure("service.events", {"file": "no/such/folder", "webhook": webhook})
    receiver = Receiver()
    behaviours: dict[str, Callable[[Visit], None]] = {
        "it answers 500": lambda visit: visit.reply(500),
        "no connection|no answer": lambda visit: visit.reset(),
        "no answer within 1 seconds": lambda visit: visit.hang(),
        "it answers 429": lambda visit: visit.reply(429, headers="retry-after: 30\r\n"),
    }
    with served(receiver) as web:
        first = onprem.up(CHAT=f"{web.url}/{TOKEN}")
        color = Color.BLUE
        for said, behave in behaviours.items():
            receiver.behave = behave
            color = color.other
            onprem.configure("active_color", str(color))
            result = onprem.up(CHAT=f"{web.url}/{TOKEN}")

            assert result.ok, result
            assert onprem.live() == TrafficSplit.all_to(color)
            warning = rf"the webhook of CHAT did not take the event: ({said}).*; the update goes on"
            assert re.search(warning, result.text), result
            assert "service.events.file: there is no folder for no/such/folder" in result.text
            assert TOKEN not in result.text
        unset = onprem.up()

    assert first.ok, first
    assert set(receiver.taken[0]) == {"text"}
    assert [each["kind"] for each in onprem.events()] == ["switch"] * 5
    assert "the environment variable CHAT is not set; events will not get there" in unset.text


def test_a_release_that_was_rolled_back_is_not_switched_to_again_by_accident(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("active_color", "green")
    onprem.arrange()
    onprem.configure("active_color", "blue")
    assert onprem.up(BLUEGREEN_ROLLBACK="blue:outage").ok
    onprem.configure("active_color", "green")

    refused = onprem.preview()
    why = ("--reason", "it was the database")
    acknowledged = typed(onprem.stack, "switch", "--to", "green", "--acknowledge", *why)

    assert refused.exit_code != 0
    assert "green 1.1 was rolled back at" in refused.text
    assert "BLUEGREEN_ACKNOWLEDGE='1.1:why'" in refused.text
    assert acknowledged.exit_code == 0, acknowledged
    assert onprem.ask("production") == {"green 1.1": 20}
    wanted = {"BLUEGREEN_ACKNOWLEDGE": "it was the database"}
    assert onprem.events()[-1]["permissions"] == wanted

    check_what_the_history_makes_of_it(onprem)


def check_what_the_history_makes_of_it(onprem: OnPremDriver) -> None:
    """Switch, rollback, switch; the first one was the first deployment."""
    history = typed(onprem.stack, "history", "--json")
    path = onprem.stack.directory / "history.html"
    page = typed(onprem.stack, "history", "--html", str(path))
    assert history.exit_code == 0, history
    found = history.json
    assert (found["updates"], found["events"]) == (3, 3)
    assert [
        (each["ending"], each["is_rollback"], each["to_color"]) for each in found["attempts"]
    ] == [
        ("done", True, "blue"),
        ("done", False, "green"),
    ]
    figures = {each["name"]: each for each in found["targets"]}
    assert {name: each["verdict"] for name, each in figures.items()} == {
        "deployment": "met",
        "cutover": "met",
        "success": "met",
        "detection": "no data",
        "rollback": "met",
    }
    assert 0 < figures["cutover"]["value"] < figures["rollback"]["value"] < 120
    assert [each["count"] for each in found["triggers"]] == [1, 0, 0, 0, 0]
    assert page.exit_code == 0, page
    assert "rollback" in page.stdout
    assert "outage" in page.stdout
    html = path.read_text()
    assert "<h1>shop/test: green 1.1 has production</h1>" in html
    for text in ("1 rollback", "1 switch", "green 1.1 100 %", "rollback: green → blue 1.0"):
        assert text in html
    assert "it was the database" in html
    assert [(each["color"], each["release"]) for each in found["periods"]] == [
        ("green", "1.1"),
        ("blue", "1.0"),
        ("green", "1.1"),
    ]


@pytest.mark.soak  # a scenario asks the same of every platform
def test_a_switch_within_a_freeze_is_refused_and_a_rollback_is_not(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.arrange()
    frozen = {"freeze": [{"first": "2001-01-01", "last": "2101-01-01", "reason": "audit"}]}
    onprem.configure("service.windows", frozen)
    onprem.configure("green.release", "1.2")
    deploy = onprem.up()
    onprem.configure("active_color", "green")

    # A preview of the same would stop an update before it writes anything down.
    preview, refused = onprem.preview(), onprem.stack.up("--skip-preview")
    without_reason = typed(onprem.stack, "switch", "--to", "green", "--override")
    why = ("--reason", "the audit is over")
    overridden = typed(onprem.stack, "switch", "--to", "green", "--override", *why)
    onprem.configure("active_color", "blue")
    rollback = onprem.up(BLUEGREEN_ROLLBACK="blue:error spike: 5xx at 12 %")

    assert deploy.ok, deploy
    for result in (preview, refused):
        assert result.exit_code != 0
        assert "within the freeze from 2001-01-01 to 2101-01-01 (audit)" in result.text
        assert "production traffic has not been moved" in result.text
    assert without_reason.exit_code == 2, without_reason
    assert overridden.exit_code == 0, overridden
    assert rollback.ok, rollback
    assert onprem.ask("production") == {"blue 1.0": 20}
    refusal, switch, back = onprem.events()[-3:]
    assert (refusal["kind"], refusal["permissions"]) == ("refusal", {})
    assert switch["permissions"] == {"BLUEGREEN_OVERRIDE_WINDOW": "the audit is over"}
    assert (back["rollback"], back["trigger"]) == (True, "error_spike")
