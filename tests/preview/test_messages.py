"""The forms in which messages are known are those in which the hooks write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from bluegreen.gate_hooks.router_gate import RouterGate
from bluegreen.preview.document import Diagnostic
from bluegreen.preview.messages import GateReport, Mark, listen
from bluegreen.preview.words import Vocabulary
from bluegreen.transition import (
    FleetState,
    judge_live_change,
    judge_retention,
    judge_transition,
)
from tests.unit.fake_update import (
    FakeDataPlane,
    FakeGate,
    a_preview,
    an_update,
    live,
    members,
    route_properties,
)
from tests.unit.strategies import releases, routes

BLUE, GREEN = Color
WORDS = Vocabulary.of(
    services=["shop"],
    releases=["1.0", "1.1", "2.0"],
    gates=["capacity", "ready", "smoke", "acting"],
)


def shown(text, severity="error"):
    """The message as it is shown; None when it is not."""
    hook = 'Preview failed: before hook "shop-guard" failed: ' if severity == "error" else ""
    said = listen([Diagnostic(severity, f"{hook}shop: {text}")], WORDS)
    found = said.errors if severity == "error" else said.warnings
    return found[0].removeprefix("shop: ") if found else None


fleets = st.builds(
    FleetState,
    release=releases,
    fingerprint=st.sampled_from(["a", "b"]),
    replicas=st.integers(0, 5),
    autoscaled_to=st.none() | st.integers(0, 9),
    limit_key=st.sampled_from(
        ["service.kubernetes.autoscaling.max_replicas", "service.aws.max_size"]
    ),
)


@given(st.sampled_from(Color), fleets, fleets, st.integers(1, 100), st.integers(0, 100))
def test_every_refusal_of_a_live_change_is_shown_whole(color, before, after, share, wanted):
    refusal = judge_live_change(
        color, before, after, share=share, wanted_share=wanted, is_allowed=False
    )

    assert refusal is None or shown(refusal) == refusal


@given(routes, st.none() | routes, st.none() | routes)
def test_every_refusal_to_move_traffic_is_shown_whole(wanted, recorded, now):
    refusal = judge_transition(wanted=wanted, recorded=recorded, live=now).refusal

    assert refusal is None or shown(refusal) == refusal


@given(st.sampled_from(Color), releases, st.floats(0.1, 500))
def test_every_refusal_to_end_a_retention_is_shown_whole(color, release, hours):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    since = now - timedelta(hours=hours / 3)

    refusal = judge_retention(
        color, release, idle_since=since, now=now, retention_hours=round(hours, 1)
    )

    assert refusal is None or shown(refusal) == refusal


def router_says(update, recorded):
    call = a_preview(route_properties(recorded))
    RouterGate(update)(call)
    found = [Diagnostic("info", text) for text in call.said]
    return listen([*found, *(Diagnostic("warning", text) for text in call.warned)], WORDS)


def test_what_the_routers_gate_says_in_a_preview_is_understood():
    gates = [
        FakeGate("capacity"),
        FakeGate("ready", is_warning=True, reason="slow today"),
        FakeGate("smoke", passed=False, reason="it fails"),
        FakeGate("acting", runs_in_preview=False),
    ]
    update = an_update(FakeDataPlane(live(BLUE, 30)), gates=gates, active_color="green")

    said = router_says(update, live(BLUE, 30))

    about = said.about("shop")
    assert about.before == live(BLUE, 30).split
    assert {each.gate: each.mark for each in about.gates} == {
        "capacity": Mark.PASSED,
        "ready": Mark.WARNING,
        "smoke": Mark.REFUSED,
        "acting": Mark.LATER,
    }
    assert (said.warnings, said.hidden) == ([], {})


def test_gates_that_are_asked_later_are_named():
    update = an_update(FakeDataPlane(live(BLUE)), gates=[FakeGate("smoke")], active_color="green")
    update.changing.add(GREEN)

    said = router_says(update, live(BLUE))

    assert said.about("shop").gates == [GateReport(GREEN, "smoke", Mark.LATER)]


def test_a_rollback_and_traffic_that_was_moved_by_hand_and_what_is_done_already_are_understood():
    rollback = router_says(an_update(FakeDataPlane(live(GREEN)), rollback=BLUE), live(GREEN))
    repair = router_says(an_update(FakeDataPlane(live(GREEN))), live(BLUE))
    finish = router_says(an_update(FakeDataPlane(live(GREEN)), active_color="green"), live(BLUE))

    assert rollback.about("shop").is_rollback
    assert repair.about("shop").was_moved_by_hand
    assert repair.warnings == [
        "shop: traffic was moved by hand; moving it back: 100 % green 1.1 → 100 % blue 1.0"
    ]
    assert finish.about("shop").is_there_already


def test_a_live_change_that_somebody_allowed_is_shown_without_the_reason():
    update = an_update(FakeDataPlane(live(BLUE)), allow_live_change=BLUE)
    call = a_preview(members("1.0"), members("1.1"))

    FleetGuard(update, BLUE)(call)

    (text,) = call.warned
    assert "hot fix" in text
    assert shown(text.removeprefix("shop: "), "warning") == (
        "the live members of blue change from 1.0, 3 members to 1.1, 3 members; …"
    )


@pytest.mark.parametrize(
    "config",
    [
        {"retired": {"color": "green", "release": "1.0"}},
        {"retired": {"color": "blue", "release": "1.0"}},
        {"retired": {"color": "green", "release": "1.1"}, "green": None},
        {"canary": {"color": "green", "percent": 10}, "rollback": BLUE},
        {"rollback": GREEN},
    ],
)
def test_every_warning_about_the_config_is_shown_whole(config):
    warnings = an_update(**config).plan.warnings

    assert warnings
    for text in warnings:
        assert shown(text, "warning") == text
