"""What the state machine found, as plain stories; and that it would see what it looks for."""

from collections.abc import Iterator
from unittest import mock

import pytest

from bluegreen.colors import Color
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from bluegreen.gate_hooks.router_gate import RouterGate
from bluegreen.traffic import Route, TrafficSplit
from tests.machine.machine import ServiceMachine
from tests.machine.model_world import ModelWorld
from tests.machine.written_service import color_settings


class Story(ServiceMachine):
    """The machine's words, used in an order of one's own."""

    make_world = ModelWorld


@pytest.fixture
def story() -> Iterator[Story]:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    story = Story()
    story.write("active_color", "blue")
    story.write("blue", color_settings("1.0", 2))
    story.write("green", color_settings("1.1", 2))
    assert story.update().ok
    yield story
    story.world.close()


def kinds(story: Story) -> list[str]:
    return [event["kind"] for event in story.world.events()]


def break_release(story: Story, color: Color) -> None:
    story.write(color, color_settings("1.9-broken", 2))
    assert story.update().ok


def test_a_removal_that_a_gate_held_up_is_not_recorded_as_an_early_end(story: Story) -> None:
    break_release(story, Color.GREEN)
    story.keep_for(24)
    story.write("active_color", "green")
    story.write("blue", None)

    refused = story.update(BLUEGREEN_RETIRE_EARLY="costs")

    assert "not switching to green 1.9-broken" in refused.text
    assert kinds(story) == ["switch", "refusal"]
    story.write("green", color_settings("1.10", 2))
    assert story.update(BLUEGREEN_RETIRE_EARLY="costs").ok
    assert kinds(story) == ["switch", "refusal", "switch", "early_retirement"]


def test_a_damaged_flag_is_written_again_in_the_update_that_retires_a_color(story: Story) -> None:
    story.switch(at_once=True, kill=None, follow=None)
    story.damage_flag()
    story.write("retired", {"color": "blue", "release": "1.0"})

    result = story.update()

    assert result.ok, result
    assert result.done == ["shop-flag", "shop-blue-members"]


@pytest.mark.parametrize("is_switched", [True, False])
def test_a_proxy_that_is_down_does_not_end_the_retention_of_a_removed_color(
    story: Story, *, is_switched: bool
) -> None:
    story.keep_for(24)
    if is_switched:
        story.switch(at_once=True, kill=None, follow=None)
    story.stop_proxy()
    story.write("active_color", "green")
    story.write("blue", None)

    refused = story.update()

    assert "must stay able to serve for 24 hours" in refused.text
    assert story.world.seen().fleets[Color.BLUE].ready == 2
    story.write("blue", color_settings("1.0", 2))
    assert story.update().ok


def test_a_color_removed_in_the_update_that_switches_from_it_ends_last(story: Story) -> None:
    story.write("active_color", "green")
    story.write("blue", None)

    result = story.update()

    assert result.ok, result
    assert result.done == ["shop-route", "shop-flag", "shop-blue-members"]


@pytest.mark.parametrize("kill", range(0, 40, 3))
def test_a_removal_with_its_switch_may_be_killed_anywhere(story: Story, kill: int) -> None:
    story.write("active_color", "green")
    story.write("blue", None)

    story.update(kill=kill)

    story.converge()


def test_a_live_member_that_was_alone_and_died_is_started_without_a_stand_in(story: Story) -> None:
    story.write("green", color_settings("1.1", 1))
    story.write("blue", color_settings("1.0", 1))
    assert story.update(BLUEGREEN_ALLOW_LIVE_CHANGE="blue:fewer").ok
    story.end_members(Color.BLUE)

    assert story.update().ok

    started = [each for each in story.world.instants if each.endswith(("started", "ended"))]
    assert started == ["blue-0 is started"]


def started_and_not_recorded(story: Story) -> None:
    """The members of green run, of a first update of that color that was killed."""
    story.write("green", None)
    assert story.update().ok
    story.write("green", color_settings("1.2", 2))
    for kill in range(20):
        story.update(kill=kill)
        if Color.GREEN in story.unrecorded:
            return
    pytest.fail("no kill left a member that is not recorded")


def test_members_of_a_killed_first_deployment_are_ended_by_the_removal_of_their_color(
    story: Story,
) -> None:
    started_and_not_recorded(story)
    # It is not enough to take the color out: nobody knows of it.
    story.write("green", None)
    assert story.update().ok
    assert story.world.seen().fleets[Color.GREEN].members

    story.write("green", color_settings("1.2", 2))
    assert story.update().ok
    story.write("green", None)
    assert story.update().ok

    assert story.world.seen().fleets[Color.GREEN].members == 0


def test_with_a_damaged_flag_a_removed_color_is_put_back_first(story: Story) -> None:
    story.damage_flag()
    story.write("green", None)

    refused = story.update(follow=1)

    assert "green is not in the config any more: `pulumi config set" in refused.text
    assert story.written["green"]["release"] == "1.1"


def test_with_a_damaged_flag_the_way_out_of_a_half_done_deployment_works(story: Story) -> None:
    story.damage_flag()
    story.write("green", color_settings("1.2", 2))
    refused = story.update()
    assert "cannot tell since when a color is idle" in refused.text
    assert "run `pulumi up` with nothing else changed" in refused.text

    story.undo_all()
    assert story.update().ok

    story.write("green", color_settings("1.2", 2))
    assert story.update().ok


@pytest.mark.parametrize("kill", [6, 8, 10])
def test_the_way_back_from_a_killed_change_of_the_live_release_needs_a_permission_too(
    story: Story, kill: int
) -> None:
    story.write("blue", color_settings("1.5", 2))
    story.update(kill=kill, BLUEGREEN_ALLOW_LIVE_CHANGE="blue:hot fix")
    assert story.world.recorded()[1][Color.BLUE] == ("1.0", 2)
    story.write("blue", color_settings("1.0", 2))

    refused = story.update()

    assert "its release would change from 1.5 to 1.0; nothing was changed" in refused.text
    assert story.update(BLUEGREEN_ALLOW_LIVE_CHANGE="blue:back again").ok
    assert kinds(story)[-1] == "live_change"


def test_a_deploy_while_traffic_cannot_be_read_names_the_way_out_and_it_works(story: Story) -> None:
    story.world.move_by_hand(None, 0)
    story.disturbed()
    story.write("canary", {"color": "green", "percent": 10})
    story.write("green", color_settings("1.5", 2))

    refused = story.update(follow=0)

    assert "leave green as it is, run `pulumi up`, and change it after that" in refused.text
    assert story.world.seen().fleets[Color.GREEN].releases == {"1.1"}
    assert story.world.seen().live == Route(Color.BLUE, TrafficSplit(blue=90, green=10))


def test_without_the_routers_gate_it_is_seen_that_traffic_goes_to_nobody(story: Story) -> None:
    story.world.end_members(Color.GREEN)
    unguarded = mock.patch.object(RouterGate, "__call__", return_value=None)
    no_start = mock.patch("bluegreen.onprem.process_fleet.converge", return_value=[])

    with unguarded, no_start, pytest.raises(AssertionError, match="green got traffic with 0 of 2"):
        story.switch(at_once=True, kill=None, follow=None)


def test_without_the_fleets_guard_it_is_seen_that_a_live_release_changes(story: Story) -> None:
    story.write("blue", color_settings("1.5", 2))
    unguarded = mock.patch.object(FleetGuard, "__call__", return_value=None)

    with unguarded, pytest.raises(AssertionError, match="blue has traffic and went from"):
        story.update()


def test_without_the_fleets_guard_it_is_seen_that_retention_is_broken(story: Story) -> None:
    story.keep_for(24)
    story.switch(at_once=True, kill=None, follow=None)
    story.write("retired", {"color": "blue", "release": "1.0"})
    unguarded = mock.patch.object(FleetGuard, "__call__", return_value=None)

    with unguarded, pytest.raises(AssertionError, match="blue lost members within its retention"):
        story.update()
