"""What a Deployment says about who owns its number of members."""

import pytest

from bluegreen.kubernetes.autoscaler import autoscaled_bounds, bounds_annotation
from bluegreen.kubernetes.deployment_fleet import fleet_state_of
from bluegreen.settings.kubernetes import AutoscalingSettings


def a_deployment(annotations=None, **spec):
    container = {"name": "app", "image": "shop:1"}
    template = {
        "metadata": {"annotations": {"bluegreen.dev/release": "1.0"}},
        "spec": {"containers": [container]},
    }
    return {"metadata": {"annotations": annotations}, "spec": {"template": template, **spec}}


def test_what_is_written_is_what_is_read():
    written = bounds_annotation(AutoscalingSettings(min_replicas=3, max_replicas=12))

    assert autoscaled_bounds(written) == (3, 12)


@pytest.mark.parametrize("text", ["", "3", "3-", "-12", "a-b", "3 - 12", "-3--12"])
def test_what_a_hand_has_spoilt_counts_as_the_programs(text):
    assert autoscaled_bounds({"bluegreen.dev/autoscaled": text}) is None


def test_recorded_replicas_are_not_believed_where_an_autoscaler_owns_them():
    annotations = {"bluegreen.dev/autoscaled": "3-12"}

    state = fleet_state_of(a_deployment(annotations, replicas=9))

    assert (state.replicas, state.autoscaled_to, state.is_autoscaled) == (3, 12, True)


@pytest.mark.parametrize("annotations", [None, {}, {"pulumi.com/skipAwait": "true"}])
def test_without_the_mark_the_replicas_are_the_programs(annotations):
    state = fleet_state_of(a_deployment(annotations, replicas=4))

    assert (state.replicas, state.autoscaled_to, state.is_autoscaled) == (4, None, False)
