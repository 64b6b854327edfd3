import pytest

from bluegreen.aws.alarm_gate import AlarmGate
from bluegreen.errors import DataPlaneError
from bluegreen.gates.gate import Deadline, Endpoint, Readiness, Subject
from bluegreen.settings.aws import AlarmGateSettings
from tests.unit.aws.answers import BLUE, GREEN, FakeAws


def alarms(**states):
    """An answer about alarms, which names only those that were asked for."""

    def answer(AlarmNames, **_):  # noqa: N803
        found = [
            {"AlarmName": name, "StateValue": state, "StateReason": f"{name} was over 0.5"}
            for name, state in states.items()
            if name in AlarmNames
        ]
        return {"MetricAlarms": found[:1], "CompositeAlarms": found[1:]}

    return answer


def verdict(answer, *, own=("own_5xx",), seconds=0.0, **settings):
    gate = AlarmGate(
        aws=FakeAws(describe_alarms=answer),
        settings=AlarmGateSettings(**settings),
        own_names=lambda color: own if color is GREEN else pytest.fail("the other color"),
        interval_seconds=0.001,
    )
    subject = Subject(
        color=GREEN,
        release="1.1",
        replicas=2,
        endpoint=Endpoint("http://nobody"),
        readiness=lambda _: Readiness(ready=0, desired=0),
        live_color=BLUE,
    )
    return gate.check(subject, Deadline(seconds))


def test_quiet_alarms_let_a_switch_through():
    found = verdict(alarms(own_5xx="OK", api_green="OK"), names=("api_{color}",))

    assert found.passed
    assert found.reason == "2 alarms are quiet"


def test_an_alarm_is_named_with_its_reason():
    found = verdict(alarms(own_5xx="ALARM"))

    assert not found.passed
    assert found.reason == "own_5xx is in ALARM: own_5xx was over 0.5"


def test_an_alarm_that_becomes_quiet_is_waited_for():
    answers = [alarms(own_5xx=state)(["own_5xx"]) for state in ("ALARM", "ALARM", "OK")]

    assert verdict(answers, seconds=5.0).passed


def test_an_alarm_without_data_refuses_unless_that_was_asked_for():
    silent = alarms(own_5xx="INSUFFICIENT_DATA")

    assert "own_5xx has no data" in verdict(silent).reason
    assert "service.aws.alarm_gate.no_data" in verdict(silent).reason
    assert verdict(silent, no_data="pass").passed


def test_an_alarm_that_is_not_there_refuses():
    assert verdict(alarms(), own=(), names=("typo",)).reason == "there is no alarm typo"


def test_alarms_that_cannot_be_asked_refuse():
    found = verdict(DataPlaneError("not allowed to ask: the policy lacks cloudwatch:…"))

    assert not found.passed
    assert "policy lacks" in found.reason


def test_many_alarms_are_asked_for_a_hundred_at_a_time():
    names = tuple(f"a{index}" for index in range(150))
    counts = []

    def answer(AlarmNames, **_):  # noqa: N803
        counts.append(len(AlarmNames))
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": "OK"} for name in AlarmNames]}

    assert verdict(answer, own=names).passed
    assert counts == [100, 50]
