"""What must hold on every platform, on the real engine, asked of the live data plane.

Each scenario takes a `Driver` and names no platform.
"""

import time
from collections.abc import Callable

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.driver import Driver

BLUE = TrafficSplit(blue=100, green=0)
GREEN = TrafficSplit(blue=0, green=100)
BLUE_ANSWERS = {"blue 1.0": 20}
GREEN_ANSWERS = {"green 1.1": 20}


def needs_a_split(driver: Driver) -> None:
    if not driver.can_split:
        pytest.skip("this router is all or nothing")


def switch_to(driver: Driver, color: str, **environment: str) -> None:
    driver.configure("active_color", color)
    result = driver.up(**environment)
    assert result.ok, result


def settled(driver: Driver, is_so: Callable[[set[str]], bool]) -> bool:
    """Whether all of production answers so, once the data plane has had its time to follow."""
    deadline = time.monotonic() + driver.settle_seconds
    while not (done := is_so(set(driver.ask("production")))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return done


def test_the_first_color_serves_and_the_absent_one_says_so(driver: Driver):
    result = driver.up()

    assert result.ok, result
    assert driver.live() == BLUE
    assert driver.ask("production") == BLUE_ANSWERS
    assert driver.ask("test") == {"503": 20}
    outputs = driver.outputs()
    assert (outputs["active_color"], outputs["idle_color"]) == ("blue", "green")
    assert outputs["releases"] == {"blue": "1.0"}


def test_an_update_without_a_change_changes_nothing(both: Driver):
    preview = both.preview()
    result = both.up()

    assert result.ok, result
    assert preview.plan == []
    assert result.done == []


def test_a_deploy_to_the_idle_color_changes_that_fleet_only(both: Driver):
    both.configure("green.release", "1.2")

    result = both.up()

    assert result.ok, result
    assert result.done == ["green fleet"]
    assert both.ask("production") == BLUE_ANSWERS
    assert both.ask("test") == {"green 1.2": 20}
    assert both.outputs()["releases"] == {"blue": "1.0", "green": "1.2"}


def test_a_switch_updates_the_router_and_then_the_flag_and_nothing_else(both: Driver):
    both.configure("active_color", "green")

    preview = both.preview()
    assert both.live() == BLUE
    result = both.up()

    assert preview.plan == ["router", "flag"]
    assert result.ok, result
    assert [(step.name, step.op) for step in result.steps] == [
        ("router", "update"),
        ("flag", "update"),
    ]
    assert both.live() == GREEN
    assert both.ask("production") == GREEN_ANSWERS
    assert both.ask("test") == BLUE_ANSWERS
    outputs = both.outputs()
    assert (outputs["active_color"], outputs["idle_color"]) == ("green", "blue")
    assert "active_color blue" in outputs["rollback_command"]
    event = both.events()[-1]
    assert (event["kind"], event["from_split"]) == ("switch", "blue")
    assert event["to_split"] == "100 % green 1.1"


def test_a_switch_back_restores_what_was(both: Driver):
    switch_to(both, "green")

    switch_to(both, "blue")

    assert both.live() == BLUE
    assert both.ask("production") == BLUE_ANSWERS
    assert both.outputs()["active_color"] == "blue"


def test_a_refusing_gate_leaves_traffic_state_and_outputs_where_they_were(both: Driver):
    both.configure("green", {"release": "1.2", "replicas": 2, "env": {"APP_MODE": "broken"}})
    # Where members are waited for, this fails already; they are there all the same.
    assert "green fleet" in both.up().done
    outputs = both.outputs()
    both.configure("active_color", "green")

    refused = both.up()

    assert refused.exit_code != 0
    assert "not switching to green 1.2" in refused.text
    assert "production traffic has not moved" in refused.text
    assert "Traceback" not in refused.text
    assert refused.done == []
    assert both.live() == BLUE
    assert both.ask("production") == BLUE_ANSWERS
    assert both.outputs() == outputs
    assert both.events()[-1]["kind"] == "refusal"

    asked_again = both.up()

    assert asked_again.exit_code != 0
    assert "not switching to green 1.2" in asked_again.text
    assert both.live() == BLUE

    both.configure("green", {"release": "1.3", "replicas": 2})
    mended = both.up()

    assert mended.ok, mended
    assert both.ask("production") == {"green 1.3": 20}


def test_deploy_and_switch_in_one_update_raises_first_and_switches_then(driver: Driver):
    assert driver.up().ok
    driver.configure("green", {"release": "1.1", "replicas": 2})
    driver.configure("active_color", "green")

    result = driver.up()

    assert result.ok, result
    order = [name for name in result.done if name in {"green fleet", "router", "flag"}]
    assert order == ["green fleet", "router", "flag"]
    assert driver.ask("production") == GREEN_ANSWERS


def test_deploy_and_switch_with_a_broken_release_stops_before_the_router(driver: Driver):
    assert driver.up().ok
    driver.configure("green", {"release": "1.1", "replicas": 1, "env": {"APP_MODE": "broken"}})
    driver.configure("active_color", "green")

    result = driver.up()

    assert result.exit_code != 0
    assert "router" not in result.done
    assert driver.ask("production") == BLUE_ANSWERS
    outputs = driver.outputs()
    assert outputs["active_color"] == "blue"
    assert outputs["releases"] == {"blue": "1.0", "green": "1.1"}


def test_the_release_of_the_live_color_is_protected_in_preview_and_in_up(both: Driver):
    both.configure("blue.release", "1.0.1")

    preview, refused = both.preview(), both.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "would change from 1.0 to 1.0.1" in result.text
        assert "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'" in result.text
    assert refused.done == []
    assert both.ask("production") == BLUE_ANSWERS

    allowed = both.up(BLUEGREEN_ALLOW_LIVE_CHANGE="blue:hotfix 4711")

    assert allowed.ok, allowed
    assert settled(both, lambda answers: answers == {"blue 1.0.1"})
    recorded = [event for event in both.events() if event["kind"] == "live_change"]
    assert [event["reason"] for event in recorded] == ["hotfix 4711"]


def test_a_permission_for_the_other_color_lifts_nothing(both: Driver):
    both.configure("blue.release", "1.0.1")

    refused = both.up(BLUEGREEN_ALLOW_LIVE_CHANGE="green:wrong color")

    assert refused.exit_code != 0
    assert both.ask("production") == BLUE_ANSWERS


def test_a_retired_color_shrinks_and_comes_back_when_it_is_made_active(both: Driver):
    switch_to(both, "green")
    both.configure("retired", {"color": "blue", "release": "1.0"})

    retired = both.up()

    assert retired.ok, retired
    assert retired.done == ["blue fleet"]
    assert both.ask("test") == {"503": 20}
    assert both.ask("production") == GREEN_ANSWERS

    both.configure("active_color", "blue")
    back = both.up()

    assert back.ok, back
    assert back.done == ["blue fleet", "router", "flag"]
    assert "the retired entry for blue 1.0 has no effect: blue is active" in back.text
    assert both.ask("production") == BLUE_ANSWERS


def test_a_new_release_brings_a_retired_color_back(both: Driver):
    both.configure("retired", {"color": "green", "release": "1.1"})
    assert both.up().ok
    assert both.ask("test") == {"503": 20}
    both.configure("green.release", "1.2")

    result = both.up()

    assert result.ok, result
    assert "has no effect: green is to hold 1.2" in result.text
    assert both.ask("test") == {"green 1.2": 20}


def test_retention_is_kept_unless_somebody_gives_a_reason(both: Driver):
    both.configure("service.retention_hours", 24)
    switch_to(both, "green")
    both.configure("retired", {"color": "blue", "release": "1.0"})

    preview, refused = both.preview(), both.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "blue 1.0 must stay able to serve until" in result.text
    assert both.ask("test") == BLUE_ANSWERS

    early = both.up(BLUEGREEN_RETIRE_EARLY="costs")

    assert early.ok, early
    assert both.ask("test") == {"503": 20}
    assert both.events()[-1]["kind"] == "early_retirement"


def test_a_switch_and_the_retirement_of_what_it_leaves_do_not_fit_into_retention(both: Driver):
    both.configure("service.retention_hours", 24)
    both.configure("active_color", "green")
    both.configure("retired", {"color": "blue", "release": "1.0"})

    refused = both.up()

    assert refused.exit_code != 0
    assert "must stay able to serve for 24 hours" in refused.text
    assert refused.done == []
    assert both.live() == BLUE


def test_without_retention_a_switch_comes_before_the_shrink_in_one_update(both: Driver):
    both.configure("active_color", "green")
    both.configure("retired", {"color": "blue", "release": "1.0"})

    result = both.up()

    assert result.ok, result
    assert result.done == ["router", "flag", "blue fleet"]
    assert both.ask("production") == GREEN_ANSWERS


def test_a_deploy_over_the_rollback_target_says_that_rollback_ends(both: Driver):
    both.configure("service.retention_hours", 24)
    switch_to(both, "green")
    both.configure("blue.release", "1.2")

    result = both.up()

    assert result.ok, result
    assert "rollback to 1.0 ends now" in result.text


def test_a_canary_gets_its_share_and_must_be_reset_before_the_switch(both: Driver):
    needs_a_split(both)
    both.configure("canary", {"color": "green", "percent": 30})

    result = both.up()

    assert result.ok, result
    assert result.done == ["router"]
    assert both.live() == TrafficSplit(blue=70, green=30)
    answers = both.ask("production", 400)
    # 4 sigma of 400 draws at 30 %.
    assert abs(answers["green 1.1"] - 120) < 37, answers

    both.configure("active_color", "green")
    refused = both.up()

    assert refused.exit_code != 0
    assert "pulumi config set --path canary.percent 0" in refused.text
    assert both.live() == TrafficSplit(blue=70, green=30)

    both.configure("canary.percent", 0)
    switched = both.up()

    assert switched.ok, switched
    assert both.ask("production") == GREEN_ANSWERS


def test_lowering_a_canary_is_not_held_up_by_the_health_of_its_color(both: Driver):
    needs_a_split(both)
    both.configure("canary", {"color": "green", "percent": 30})
    assert both.up().ok
    both.configure("green.env", {"APP_MODE": "broken"})
    broken = both.up(BLUEGREEN_ALLOW_LIVE_CHANGE="green:break it on purpose")
    assert broken.ok, broken
    both.configure("canary.percent", 0)

    result = both.up()

    assert result.ok, result
    assert "release" not in result.done
    assert "gates of green" not in result.text
    assert both.live() == BLUE


def test_a_stale_canary_of_the_active_color_with_zero_percent_is_harmless(both: Driver):
    both.configure("canary", {"color": "blue", "percent": 0})

    result = both.up()

    assert result.ok, result
    assert result.done == []


def test_drift_is_seen_by_a_preview_and_repaired_by_an_up(both: Driver):
    both.move_by_hand("green")
    assert settled(both, lambda answers: answers == {"green 1.1"})

    preview = both.preview(refresh=not both.sees_drift)
    result = both.up(refresh=not both.sees_drift)

    assert preview.plan == ["router"]
    if both.sees_drift:
        assert "traffic was moved by hand" in preview.text
    assert "100 % green 1.1 → 100 % blue 1.0" in preview.text
    assert result.ok, result
    assert result.done == ["router"]
    assert both.live() == BLUE
    assert both.ask("production") == BLUE_ANSWERS


def test_a_switch_is_refused_when_somebody_else_moved_the_traffic(both: Driver):
    # All or nothing, it can only be where the switch wants it: that one is finished.
    needs_a_split(both)
    both.move_by_hand("blue", 40)
    both.configure("active_color", "green")

    preview, refused = both.preview(), both.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "60 % blue, 40 % green" in result.text
        assert "pulumi refresh" in result.text
    assert both.live() == TrafficSplit(blue=60, green=40)

    assert both.refresh().ok
    assert both.outputs()["active_color"] == "blue"
    accepted = both.up()

    assert accepted.ok, accepted
    assert both.live() == GREEN


def test_an_update_killed_after_its_write_is_finished_by_the_next_one(both: Driver):
    both.configure("active_color", "green")
    both.move_by_hand("green")

    result = both.up()

    assert result.ok, result
    assert result.done == ["router", "flag"]
    assert both.outputs()["active_color"] == "green"
    assert "gates of green" not in result.text


def test_a_larger_live_color_is_refused_with_the_exact_command(both: Driver):
    both.configure("blue.replicas", 3)
    assert both.up().ok
    both.configure("service.gates.capacity", {"timeout_seconds": 1})
    both.configure("active_color", "green")

    refused = both.up()

    assert refused.exit_code != 0
    assert "pulumi config set --path green.replicas 3" in refused.text
    assert both.live() == BLUE

    both.configure("green.replicas", 3)
    raised = both.up()

    assert raised.ok, raised
    assert raised.done == ["green fleet", "router", "flag"]


def test_traffic_that_does_not_follow_fails_the_update_until_it_does(both: Driver):
    both.configure("service.color_from", {"header": "X-Nobody-Sends-This"})
    both.configure("service.follow.timeout_seconds", 1)
    both.configure("active_color", "green")

    first = both.up()

    assert first.exit_code != 0
    assert "traffic does not follow" in first.text
    assert "flag" not in first.done
    # The write happened, so everything that is asked says so.
    assert both.live() == GREEN
    assert both.outputs()["active_color"] == "green"

    # Asked again before the flag, by an update that writes nothing, and by a rollback.
    second = both.up(BLUEGREEN_ROLLBACK="green:in a hurry")

    assert second.exit_code != 0
    assert "traffic does not follow" in second.text
    assert second.done == []
    assert both.outputs()["active_color"] == "green"

    both.configure("service.color_from", {"header": "X-Bluegreen-Color"})
    third = both.up()

    assert third.ok, third
    assert third.done == ["flag"]
    assert both.outputs()["active_color"] == "green"


def test_a_rollback_skips_slow_gates_and_accepts_a_smaller_fleet(both: Driver):
    both.configure(
        "service.gates.http",
        {"slow-check": {"path": "/nobody-serves-this", "slow": True, "timeout_seconds": 2}},
    )
    switch_env = {"BLUEGREEN_ROLLBACK": "green:get out"}
    both.configure("active_color", "green")

    refused = both.up()
    assert refused.exit_code != 0
    assert "slow-check" in refused.text
    rolled = both.up(**switch_env)

    assert rolled.ok, rolled
    assert "rollback: get out" in rolled.text
    assert both.live() == GREEN
    assert both.events()[-1]["reason"] == "get out"


def test_a_rollback_to_a_color_that_changes_in_the_same_update_is_none(both: Driver):
    both.configure("service.gates.http", {"never": {"path": "/nobody", "slow": True}})
    both.configure("service.gates.http.never.timeout_seconds", 2)
    both.configure("active_color", "green")
    both.configure("green.release", "1.2")

    refused = both.up(BLUEGREEN_ROLLBACK="green:get out")

    assert refused.exit_code != 0
    assert "not treated as a rollback" in refused.text
    assert both.live() == BLUE


def test_a_rollback_forces_the_canary_to_zero(both: Driver):
    needs_a_split(both)
    switch_to(both, "green")
    both.configure("canary", {"color": "green", "percent": 10})

    both.configure("active_color", "blue")
    result = both.up(BLUEGREEN_ROLLBACK="blue:bad release")

    assert result.ok, result
    assert both.live() == BLUE
    assert "is set to 0 in this rollback" in result.text


@pytest.mark.parametrize("text", ["green", "purple:why", "green:"])
def test_a_permission_without_color_or_reason_is_refused(driver: Driver, text: str):
    refused = driver.up(BLUEGREEN_ROLLBACK=text)

    assert refused.exit_code != 0
    assert "BLUEGREEN_ROLLBACK='green:why'" in refused.text
    assert "Traceback" not in refused.text


def test_fewer_members_of_the_live_color_need_a_permission(both: Driver):
    both.configure("blue.replicas", 1)

    preview, refused = both.preview(), both.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "it would shrink from 2 to 1 members" in result.text
    assert refused.done == []

    allowed = both.up(BLUEGREEN_ALLOW_LIVE_CHANGE="blue:night")

    assert allowed.ok, allowed
    assert both.ask("production") == BLUE_ANSWERS


def test_traffic_that_cannot_be_read_is_repaired_towards_the_unchanged_color(both: Driver):
    both.move_by_hand(None)
    # A gateway says 500 where all weights are 0.
    assert settled(both, lambda answers: answers <= {"500", "503"})

    refresh = not both.sees_drift
    preview, result = both.preview(refresh=refresh), both.up(refresh=refresh)

    assert preview.ok, preview
    assert result.ok, result
    assert both.ask("production") == BLUE_ANSWERS


def test_traffic_that_cannot_be_read_stops_a_switch_and_not_a_rollback(both: Driver):
    both.move_by_hand(None)
    both.configure("active_color", "green")

    refused = both.up()

    assert refused.exit_code != 0
    assert "`pulumi config set active_color blue` repairs it" in refused.text

    rolled = both.up(BLUEGREEN_ROLLBACK="green:blue is gone")

    assert rolled.ok, rolled
    assert both.ask("production") == GREEN_ANSWERS


def test_the_outputs_say_what_is_after_a_rollback_from_a_release_that_cannot_start(both: Driver):
    switch_to(both, "green")
    both.end_members("green")
    both.configure("green.env", {"APP_MODE": "nonsense"})
    both.configure("active_color", "blue")

    result = both.up(
        BLUEGREEN_ROLLBACK="blue:it crashes", BLUEGREEN_ALLOW_LIVE_CHANGE="green:it is down anyway"
    )

    assert result.exit_code != 0
    assert both.ask("production") == BLUE_ANSWERS
    assert both.live() == BLUE
    assert both.outputs()["active_color"] == "blue"
    assert "active_color green" in both.outputs()["rollback_command"]


def test_a_color_cannot_be_removed_while_it_is_the_rollback_target(both: Driver):
    both.configure("service.retention_hours", 24)
    both.configure("active_color", "green")
    both.configure("blue", None)

    at_once = both.up()

    assert at_once.exit_code != 0
    assert "must stay able to serve for 24 hours" in at_once.text
    assert both.ask("production") == BLUE_ANSWERS

    both.configure("blue", {"release": "1.0", "replicas": 2})
    switch_to(both, "green")
    both.configure("blue", None)
    later = both.up()

    assert later.exit_code != 0
    assert "blue 1.0 must stay able to serve until" in later.text
    assert both.ask("test") == BLUE_ANSWERS

    early = both.up(BLUEGREEN_RETIRE_EARLY="costs")

    assert early.ok, early
    assert both.ask("test") == {"503": 20}
    assert both.ask("production") == GREEN_ANSWERS
    assert both.events()[-1]["kind"] == "early_retirement"


def test_a_canary_with_most_of_the_traffic_does_not_make_its_color_active(both: Driver):
    needs_a_split(both)
    both.configure("service.color_from", {"header": "X-Nobody-Sends-This"})
    both.configure("service.follow.timeout_seconds", 1)
    both.configure("canary", {"color": "green", "percent": 70})

    result = both.up()

    assert result.exit_code != 0
    assert both.live() == TrafficSplit(blue=30, green=70)
    assert both.outputs()["active_color"] == "blue"


def test_continuing_on_errors_does_not_switch_past_a_refusal(both: Driver):
    both.configure("green", {"release": "1.2", "replicas": 2, "env": {"APP_MODE": "broken"}})
    assert "green fleet" in both.up().done
    both.configure("active_color", "green")
    both.configure("retired", {"color": "blue", "release": "1.0"})

    refused = both.up(PULUMI_CONTINUE_ON_ERROR="true")

    assert refused.exit_code != 0
    assert {"router", "flag", "blue fleet"}.isdisjoint(refused.done)
    assert both.ask("production") == BLUE_ANSWERS
    assert both.outputs()["active_color"] == "blue"


def test_the_removed_idle_color_is_gone_and_the_active_one_stays(both: Driver):
    both.configure("green", None)

    result = both.up()

    assert result.ok, result
    assert both.ask("production") == BLUE_ANSWERS
    assert both.ask("test") == {"503": 20}


def test_the_active_color_cannot_be_removed(both: Driver):
    both.configure("blue", None)

    refused = both.up()

    assert refused.exit_code != 0
    assert "blue: is missing, but active_color is blue" in refused.text
    assert both.ask("production") == BLUE_ANSWERS


def test_a_freeze_holds_up_a_switch_until_somebody_gives_a_reason(both: Driver):
    frozen = {"freeze": [{"first": "2001-01-01", "last": "2101-01-01", "reason": "audit"}]}
    both.configure("service.windows", frozen)
    both.configure("active_color", "green")

    refused = both.preview()
    done = both.up(BLUEGREEN_OVERRIDE_WINDOW="the audit is over")

    assert refused.exit_code != 0
    assert "within the freeze from 2001-01-01 to 2101-01-01 (audit)" in refused.text
    assert done.ok, done
    assert both.live() == GREEN
    event = both.events()[-1]
    assert (event["kind"], event["version"]) == ("switch", 1)
    assert (event["from_color"], event["to_color"]) == ("blue", "green")
    assert event["permissions"] == {"BLUEGREEN_OVERRIDE_WINDOW": "the audit is over"}
    assert 0 < event["durations_seconds"]["cutover"] <= event["durations_seconds"]["update"]
