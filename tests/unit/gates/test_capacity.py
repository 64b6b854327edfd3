import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.capacity import CapacityGate, members_needed
from bluegreen.gates.gate import Deadline, Readiness

FRACTIONS = st.integers(1, 1000).map(lambda thousandths: thousandths / 1000)
SIZES = st.integers(0, 5000)


@given(fraction=FRACTIONS, live=SIZES, replicas=SIZES)
def test_the_threshold_is_the_exact_fraction_rounded_up_and_never_under_one(
    fraction, live, replicas
):
    needed = members_needed(fraction=fraction, live_desired=live, replicas=replicas)

    exact = Fraction(round(fraction * 1000), 1000) * max(live, replicas)
    assert needed >= 1
    assert needed >= exact
    assert needed == 1 or needed - 1 < exact


@given(fraction=FRACTIONS, live=SIZES, replicas=SIZES, more=SIZES)
def test_the_threshold_never_falls_when_a_color_grows(fraction, live, replicas, more):
    before = members_needed(fraction=fraction, live_desired=live, replicas=replicas)

    assert members_needed(fraction=fraction, live_desired=live + more, replicas=replicas) >= before
    assert members_needed(fraction=fraction, live_desired=live, replicas=replicas + more) >= before


@given(live=SIZES, replicas=SIZES)
def test_a_fraction_of_one_demands_the_larger_color(live, replicas):
    needed = members_needed(fraction=1.0, live_desired=live, replicas=replicas)

    assert needed == max(1, live, replicas)


def test_binary_fractions_do_not_demand_one_member_too_many():
    assert members_needed(fraction=0.55, live_desired=100, replicas=3) == 55


TWO = Readiness(ready=2, desired=2)


def sizes(green, blue=TWO):
    return lambda color: green if color is Color.GREEN else blue


def test_enough_ready_members_pass(a_subject):
    verdict = CapacityGate().check(a_subject(), Deadline(1))

    assert verdict.passed
    assert not verdict.is_warning
    assert (verdict.value, verdict.limit) == ("2", "2")


def test_a_member_that_becomes_ready_in_time_passes(a_subject):
    start = time.monotonic()

    def readiness(color):
        return Readiness(ready=2 if time.monotonic() - start > 0.1 else 1, desired=2)

    gate = CapacityGate(interval_seconds=0.02)

    assert gate.check(a_subject(readiness=readiness), Deadline(5)).passed


def test_a_shortage_is_refused_at_the_deadline_with_both_figures(a_subject):
    gate = CapacityGate(interval_seconds=0.02)
    subject = a_subject(readiness=sizes(Readiness(ready=1, desired=2)))

    verdict = gate.check(subject, Deadline(0.1))

    assert not verdict.passed
    assert verdict.reason == "1 of 2 needed members of green are ready (2 desired)"


def test_a_color_configured_smaller_than_the_live_one_is_refused_at_once_with_the_command(
    a_subject,
):
    subject = a_subject(
        replicas=3,
        readiness=sizes(Readiness(ready=3, desired=3), blue=Readiness(ready=5, desired=5)),
    )
    start = time.monotonic()

    verdict = CapacityGate().check(subject, Deadline(30))

    assert time.monotonic() - start < 10
    assert not verdict.passed
    assert verdict.reason.endswith("run `pulumi config set --path green.replicas 5`")
    assert "3 of 5 needed" in verdict.reason


def test_the_command_asks_for_no_more_members_than_the_fraction_needs(a_subject):
    subject = a_subject(
        replicas=3,
        readiness=sizes(Readiness(ready=3, desired=3), blue=Readiness(ready=10, desired=10)),
    )

    verdict = CapacityGate(fraction=0.5).check(subject, Deadline(30))

    assert "green.replicas 5`" in verdict.reason


def test_a_color_scaled_above_its_configuration_passes(a_subject):
    subject = a_subject(
        replicas=3,
        readiness=sizes(Readiness(ready=5, desired=5), blue=Readiness(ready=5, desired=5)),
    )

    assert CapacityGate().check(subject, Deadline(1)).passed


def test_a_first_deployment_needs_its_own_replicas_and_asks_no_other_color(a_subject):
    asked = []

    def readiness(color):
        asked.append(color)
        return Readiness(ready=2, desired=2)

    assert CapacityGate().check(a_subject(live_color=None, readiness=readiness), Deadline(1)).passed
    assert asked == [Color.GREEN]


def test_a_color_whose_own_share_grows_is_measured_against_its_present_size(a_subject):
    subject = a_subject(live_color=Color.GREEN, readiness=sizes(Readiness(ready=4, desired=5)))

    verdict = CapacityGate(interval_seconds=0.02).check(subject, Deadline(0.05))

    assert not verdict.passed
    assert verdict.limit == "5"
    assert "config set" not in verdict.reason


def test_a_rollback_goes_ahead_with_one_member_and_warns(a_subject):
    subject = a_subject(
        is_rollback=True,
        readiness=sizes(Readiness(ready=1, desired=1), blue=Readiness(ready=9, desired=9)),
    )

    verdict = CapacityGate().check(subject, Deadline(5))

    assert verdict.passed
    assert verdict.is_warning
    assert verdict.reason.startswith("only 1 of 9 needed")


def test_a_rollback_to_nothing_is_refused(a_subject):
    subject = a_subject(is_rollback=True, readiness=sizes(Readiness(ready=0, desired=2)))

    verdict = CapacityGate(interval_seconds=0.02).check(subject, Deadline(0.05))

    assert not verdict.passed
    assert verdict.reason == "no member of green is ready, and a rollback needs one"


def test_a_rollback_does_not_need_an_answer_about_the_color_it_leaves(a_subject):
    def readiness(color):
        if color is Color.BLUE:
            msg = "blue is on fire"
            raise DataPlaneError(msg)
        return Readiness(ready=1, desired=2)

    subject = a_subject(is_rollback=True, readiness=readiness)

    assert CapacityGate().check(subject, Deadline(1)).passed


@pytest.mark.parametrize("silent", list(Color))
def test_a_data_plane_that_cannot_be_asked_is_a_refusal_that_says_why(a_subject, silent):
    def readiness(color):
        if color is silent:
            msg = "no socket at\nadmin.sock"
            raise DataPlaneError(msg)
        return Readiness(ready=2, desired=2)

    gate = CapacityGate(interval_seconds=0.02)

    verdict = gate.check(a_subject(readiness=readiness), Deadline(0.05))

    assert not verdict.passed
    assert verdict.reason == f"{silent} could not be asked: no socket at admin.sock"


def test_a_data_plane_that_comes_back_in_time_is_asked_again(a_subject):
    asked = []

    def readiness(color):
        asked.append(color)
        if len(asked) == 1:
            msg = "reloading"
            raise DataPlaneError(msg)
        return Readiness(ready=2, desired=2)

    gate = CapacityGate(interval_seconds=0.02)

    assert gate.check(a_subject(readiness=readiness), Deadline(5)).passed
