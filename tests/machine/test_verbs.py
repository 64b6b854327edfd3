"""The command's verbs in any order on the model in memory."""

from collections.abc import Iterator

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit
from tests.machine.model_command import CommandModelWorld
from tests.machine.verb_machine import DONE, REFUSED, UNCERTAIN, VerbMachine
from tests.machine.written_service import color_settings, few_and_many, some_runs


class ModelVerbs(VerbMachine):
    make_world = CommandModelWorld


TestSomeRuns, TestManyRuns = few_and_many(
    ModelVerbs, some_runs(8, 10, is_fixed=True), some_runs(200, 20, is_fixed=False)
)


# What it found, as plain stories.


@pytest.fixture
def story() -> Iterator[VerbMachine]:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    story = ModelVerbs()
    story.first(replicas=2, has_green=True)
    yield story
    story.teardown()


def test_a_color_that_was_given_a_part_by_hand_was_not_switched_to(story: VerbMachine) -> None:
    by_hand = Route(Color.GREEN, TrafficSplit(blue=40, green=60))
    story.world.move_by_hand(Color.GREEN, 40)

    refused = story.type("switch", "--to", "green", expected={REFUSED})

    assert "production traffic has not moved: green is live" in refused.stderr
    assert story.world.seen().live == by_hand


def test_a_deployment_whose_members_never_get_ready_is_not_called_a_refusal(
    story: VerbMachine,
) -> None:
    sound = color_settings("1.1", 2)
    story.write("green", sound | {"env": {"APP_MODE": "never-ready"}})

    failed = story.type(
        *("deploy", "--release", "1.2-never-ready"),
        expected={UNCERTAIN},
        take_back=lambda: story.write("green", sound),
    )

    assert "not finished" in failed.stderr
    assert story.world.seen().live == Route(Color.BLUE, TrafficSplit(blue=100, green=0))


def test_the_recorded_color_is_not_said_to_be_active_while_another_one_is_live(
    story: VerbMachine,
) -> None:
    story.world.move_by_hand(Color.GREEN, 0)

    moved = story.type("switch", "--to", "blue", expected={DONE})

    assert "the last update left it at blue" in moved.stderr
    again = story.type("switch", "--to", "blue", expected={DONE})
    assert "active already" in again.stdout


def test_a_retired_color_that_a_refused_switch_has_raised_is_retired_again(
    story: VerbMachine,
) -> None:
    story.deploy(mode="broken", kill=None)
    story.type("retire", expected={DONE})
    story.type("switch", "--to", "green", expected={REFUSED})
    assert story.world.seen().fleets[Color.GREEN].members

    done = story.type("retire", "--due", expected={DONE})

    assert "nothing was changed" not in done.stdout
    assert story.world.seen().fleets[Color.GREEN].members == 0
