"""What is decided about colors whose number of members an autoscaler owns."""

from dataclasses import replace

import pytest

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from bluegreen.gate_hooks.router_gate import RouterGate
from bluegreen.gates.capacity import CapacityGate
from bluegreen.gates.gate import Deadline, Readiness
from bluegreen.overrides import Overrides
from bluegreen.plan import make_plan
from bluegreen.transition import FleetState, fleet_change, judge_live_change
from tests.unit.fake_update import (
    FakeDataPlane,
    FakeGate,
    a_call,
    a_preview,
    an_update,
    live,
    members,
    route_properties,
)
from tests.unit.written import a_config, problem_of, set_path

BLUE, GREEN = Color.BLUE, Color.GREEN
BOUNDS = {"min_replicas": 3, "max_replicas": 12}
RESOURCES = {"requests": {"cpu": "100m"}}


def a_service(*, platform="kubernetes", **changes):
    kubernetes = {"image": "shop:1", "autoscaling": BOUNDS, "resources": RESOURCES}
    return {"platform": platform, "kubernetes": kubernetes, **changes}


def fleets(**changes):
    service = changes.pop("service", None) or a_service()
    return make_plan(a_config(service=service, **changes), Overrides()).fleets


def autoscaled(least=3, most=12, release="1.0"):
    return FleetState(release, f"print of {release}", least, autoscaled_to=most)


def counted(replicas, release="1.0"):
    return FleetState(release, f"print of {release}", replicas)


# The plan.


@pytest.mark.parametrize("active", list(Color))
def test_both_roles_have_the_fewest_members_and_an_autoscaler(active):
    planned = fleets(active_color=str(active), blue={"release": "1.0", "replicas": 7})

    assert {color: each.replicas for color, each in planned.items()} == {BLUE: 3, GREEN: 3}
    assert all(each.autoscaling.max_replicas == 12 for each in planned.values())


@pytest.mark.parametrize(
    ("capacity", "left"),
    [
        ({"mode": "zero"}, 0),
        ({"mode": "minimum", "replicas": 2}, 2),
        ({"mode": "minimum", "replicas": 9}, 3),
        ({"mode": "percent", "percent": 50}, 2),
    ],
)
def test_a_retired_color_has_no_autoscaler_and_a_part_of_the_fewest_members(capacity, left):
    service = a_service(retired_capacity=capacity)
    planned = fleets(service=service, retired={"color": "green", "release": "1.1"})

    assert (planned[GREEN].replicas, planned[GREEN].autoscaling) == (left, None)
    assert planned[GREEN].capacity_key == "green.replicas"
    assert planned[BLUE].autoscaling is not None


def test_a_new_release_on_a_retired_color_brings_its_autoscaler_back():
    planned = fleets(
        retired={"color": "green", "release": "1.1"}, green={"release": "1.2", "replicas": 7}
    )

    assert (planned[GREEN].replicas, planned[GREEN].is_retired) == (3, False)
    assert planned[GREEN].autoscaling is not None


def test_the_settings_of_another_platform_do_not_count():
    onprem = {"command": "serve --port {port}"}
    planned = fleets(service=a_service(platform="onprem", onprem=onprem))

    assert (planned[BLUE].replicas, planned[BLUE].autoscaling) == (2, None)


# The config.


def test_percent_of_nothing_cannot_be_scaled_by():
    kubernetes = {"image": "shop:1", "autoscaling": BOUNDS}

    problem = problem_of(service={"platform": "kubernetes", "kubernetes": kubernetes})

    assert "resources.requests does not say what that is" in problem
    assert set_path("service.kubernetes.resources.requests.cpu", "100m") in problem


@pytest.mark.parametrize("written", ["requests", "limits"])
def test_a_limit_of_cpu_is_a_request_as_well(written):
    kubernetes = {"image": "shop:1", "autoscaling": BOUNDS, "resources": {written: {"cpu": "1"}}}

    config = a_config(service={"platform": "kubernetes", "kubernetes": kubernetes})

    assert config.service.kubernetes.autoscaling is not None


# Who may lose members.


@pytest.mark.parametrize(
    ("before", "after", "is_shrink"),
    [
        (counted(8), autoscaled(3, 12), False),
        (counted(13), autoscaled(3, 12), True),
        (counted(0), autoscaled(3, 12), False),
        (autoscaled(8), counted(8), False),
        (autoscaled(8), counted(7), True),
        (autoscaled(8), counted(0), True),
        (autoscaled(8), autoscaled(3, 8), False),
        (autoscaled(8), autoscaled(3, 7), True),
        (autoscaled(8), autoscaled(9, 12), False),
    ],
)
def test_only_a_bound_below_the_present_size_takes_members_away(before, after, is_shrink):
    assert fleet_change(before, after).is_shrink is is_shrink


def told(before, after):
    return judge_live_change(BLUE, before, after, share=100, wanted_share=100, is_allowed=False)


def test_the_program_does_not_take_a_live_color_over_with_fewer_members():
    assert told(autoscaled(8), counted(5)) == (
        "blue has 100 % of production traffic and it would shrink from 8 to 5 members; nothing was "
        "changed; keep them with `pulumi config set --path blue.replicas 8`, or allow it once with "
        "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


def test_an_autoscaler_does_not_take_a_live_color_over_with_fewer_members():
    assert told(counted(8), autoscaled(2, 5)) == (
        "blue has 100 % of production traffic and it would shrink from 8 to at most 5 members; "
        "nothing was changed; keep them with `pulumi config set --path "
        "service.kubernetes.autoscaling.max_replicas 8`, or allow it once with "
        "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


# The guard, which has to ask how many there are.


def sized(replicas, autoscaled_to=None, release="1.0"):
    return members(release, replicas) | {"autoscaled_to": autoscaled_to}


class ScaledDataPlane(FakeDataPlane):
    """A color that an autoscaler has been at work on."""

    size = 8

    def readiness(self, color):
        self.asked.append(f"readiness of {color}")
        if isinstance(self.size, Exception):
            raise self.size
        return Readiness(ready=self.size, desired=self.size)


def asked_to_guard(old, new, *, size=8, route=None, make_call=a_call, **config):
    plane = ScaledDataPlane(route or live(BLUE))
    plane.size = size
    update = an_update(plane, **config)
    call = make_call(old, new)
    FleetGuard(update, BLUE)(call)
    return plane, call


@pytest.mark.parametrize("make_call", [a_call, a_preview], ids=["up", "preview"])
@pytest.mark.parametrize("new", [sized(7), sized(3, 7)], ids=["the program", "a lower bound"])
def test_a_live_color_is_protected_by_its_present_size_not_by_the_recorded_one(new, make_call):
    with pytest.raises(RolloutError, match="it would shrink from 8 to"):
        asked_to_guard(sized(3, 12), new, make_call=make_call)


@pytest.mark.parametrize("new", [sized(8), sized(3, 8), sized(9, 12), sized(3, 20)])
def test_a_live_color_may_get_an_owner_that_leaves_its_members(new):
    _, call = asked_to_guard(sized(3, 12), new)

    assert call.warned == []


def test_nobody_is_asked_for_the_size_where_no_bound_falls():
    plane, _ = asked_to_guard(sized(3, 12), sized(5, 12))

    assert "readiness of blue" not in plane.asked


def test_an_update_that_cannot_tell_the_size_is_refused():
    with pytest.raises(RolloutError) as caught:
        asked_to_guard(sized(3, 12), sized(7), size=DataPlaneError("no answer"))

    assert str(caught.value) == (
        "shop: cannot tell how many members blue has: no answer; they were not changed; "
        "`pulumi up` tries again"
    )


def test_a_preview_that_cannot_tell_the_size_warns():
    _, call = asked_to_guard(
        sized(3, 12), sized(7), size=DataPlaneError("no answer"), make_call=a_preview
    )

    assert call.warned == [
        "shop: cannot tell how many members blue has: no answer; the same in an update would be a "
        "refusal"
    ]


def test_an_idle_color_that_is_retired_drains_by_its_present_size():
    plane, _ = asked_to_guard(sized(3, 12), sized(0), route=live(GREEN), active_color="green")

    assert "sessions of blue" in plane.asked


def test_a_permission_lets_a_live_color_shrink_and_says_from_what():
    plane = ScaledDataPlane(live(BLUE))
    update = an_update(plane, allow_live_change=BLUE)
    call = a_call(sized(3, 12), sized(3, 7))

    FleetGuard(update, BLUE)(call)

    assert update.used == {OverrideVariable.ALLOW_LIVE_CHANGE}
    assert call.warned == [
        "shop: the live members of blue change from 1.0, 8 members to 1.0, 7 members; allowed "
        "once: hot fix"
    ]


# The capacity gate.


def test_the_gates_are_told_the_fewest_members_and_where_they_come_from():
    gate = FakeGate()
    update = an_update(
        FakeDataPlane(live(BLUE)), gates=[gate], active_color="green", service=a_service()
    )

    RouterGate(update)(a_call(route_properties(live(BLUE))))

    (subject,) = gate.subjects
    assert subject.replicas == 3
    assert subject.capacity_key == "service.kubernetes.autoscaling.min_replicas"


def test_a_larger_live_color_is_answered_with_the_bound_that_helps():
    gate = FakeGate()
    update = an_update(
        FakeDataPlane(live(BLUE)), gates=[gate], active_color="green", service=a_service()
    )
    RouterGate(update)(a_call(route_properties(live(BLUE))))
    sizes = {BLUE: Readiness(ready=9, desired=9), GREEN: Readiness(ready=3, desired=3)}
    subject = replace(gate.subjects[0], readiness=sizes.__getitem__)

    verdict = CapacityGate().check(subject, Deadline(60))

    assert not verdict.passed
    assert verdict.reason == (
        "3 of 9 needed members of green are ready (3 desired); blue has 9, green is configured for "
        "3: run `pulumi config set --path service.kubernetes.autoscaling.min_replicas 9`"
    )
