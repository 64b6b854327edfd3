from datetime import UTC, datetime

import pytest

from bluegreen.colors import Color
from bluegreen.errors import UnreadableTrafficError
from bluegreen.gate_hooks.live_report import live_report
from bluegreen.report import Report
from tests.unit.fake_update import BLUE, GREEN, FakeDataPlane, FakeGate, an_update, live


def test_what_is_live_is_told_and_survives_the_way_through_json():
    plane = FakeDataPlane(
        route=live(BLUE, canary_percent=10),
        sessions_left=(3,),
        switched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    report = live_report(an_update(plane))

    assert (report.active, report.wanted) == ("blue", "blue")
    assert {name: each.share for name, each in report.colors.items()} == {"blue": 90, "green": 10}
    assert report.colors["blue"].release == "1.0"
    assert (report.colors["green"].ready, report.colors["green"].desired) == (1, 1)
    assert report.last_switch == "2026-01-01T00:00:00+00:00"
    assert Report.from_json(report.to_json()) == report


def test_a_data_plane_that_does_not_answer_is_a_problem_and_no_guess():
    report = live_report(an_update(FakeDataPlane.silent()))

    assert report.active is None
    assert report.problem == "the proxy does not answer"
    assert report.colors["blue"].share is None
    assert report.colors["blue"].note == "the proxy does not answer"


def test_traffic_that_cannot_be_read_is_told():
    plane = FakeDataPlane(route=UnreadableTrafficError("somebody sent it to purple"))

    assert live_report(an_update(plane)).problem == "somebody sent it to purple"


def test_a_validated_color_has_the_verdict_of_every_gate():
    gates = [FakeGate("fine"), FakeGate("bad", passed=False, reason="too slow")]

    report = live_report(an_update(FakeDataPlane(route=live(BLUE)), gates=gates), validated=GREEN)

    assert report.validated == "green"
    assert [(each.gate, each.passed) for each in report.verdicts] == [
        ("fine", True),
        ("bad", False),
    ]
    assert [gate.colors for gate in gates] == [[GREEN], [GREEN]]


def test_a_color_that_is_not_in_the_config_is_no_crash():
    update = an_update(FakeDataPlane(route=live(BLUE)), gates=[FakeGate()], green=None)

    report = live_report(update, validated=Color.GREEN)

    assert [each.reason for each in report.verdicts] == ["green is not in the config"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"colors": {"red": {}}}'])
def test_what_is_no_report_is_not_read_as_one(text):
    with pytest.raises(ValueError):  # noqa: PT011  # whatever the text lacks
        Report.from_json(text)


def test_a_report_of_a_newer_version_is_read_without_what_nobody_knows():
    report = live_report(an_update(FakeDataPlane(route=live(BLUE))))
    newer = report.to_json().replace('"version": 1', '"version": 2, "moon": "full"')

    assert Report.from_json(newer).version == 2
