import pytest

from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import fleet_ready
from bluegreen.gate_hooks.fleet_ready import FleetReady
from bluegreen.gates.gate import Readiness
from tests.unit.fake_update import BLUE, GREEN, FakeDataPlane, a_call, an_update


class Members(FakeDataPlane):
    """Says one thing after the other about members; the last one for ever."""

    def __init__(self, *answers):
        super().__init__()
        self._answers = list(answers)

    def readiness(self, color):
        self.asked.append(f"readiness of {color}")
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def ready(number, desired=2, note=""):
    return Readiness(ready=number, desired=desired, note=note)


AWAY = DataPlaneError("the API server at https://it does not answer: Connection refused")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(fleet_ready, "_POLL_SECONDS", 0.001)


def asked(plane, *, timeout=60.0, color=GREEN, **config):
    call = a_call()
    FleetReady(an_update(plane, **config), color, timeout_seconds=timeout)(call)
    return call


def refusal_of(plane, **how):
    with pytest.raises(RolloutError) as caught:
        asked(plane, timeout=0.02, **how)
    return str(caught.value)


@pytest.mark.parametrize("number", [2, 3])
def test_members_that_are_ready_are_asked_for_once(number):
    plane = Members(ready(number))

    call = asked(plane)

    assert plane.asked == ["readiness of green"]
    assert (call.said, call.warned, call.shown) == ([], [], [])


def test_members_that_become_ready_are_waited_for():
    plane = Members(ready(0), ready(1), AWAY, ready(1), ready(2))

    asked(plane)

    assert len(plane.asked) == 5


def test_the_number_that_is_wanted_counts_and_not_the_number_there_is_yet():
    plane = Members(ready(1, desired=1), ready(2, desired=3), ready(3, desired=3))

    asked(plane, green={"release": "1.1", "replicas": 3})

    assert len(plane.asked) == 3


def test_members_that_do_not_become_ready_in_time_fail_with_the_reason():
    note = 'ErrImagePull: no such image "shop:1.1"'

    assert refusal_of(Members(ready(1, note=note))) == (
        f"shop: 1 of 2 members of green 1.1 are ready after 0.02 seconds ({note}); green has been "
        "deployed, production traffic has not been moved by this update; deploy a release that "
        "starts, or switch once it is ready: the gates ask again"
    )


def test_members_without_a_reason_fail_without_one():
    assert " are ready after 0.02 seconds; green has been deployed" in refusal_of(Members(ready(0)))


def test_a_cluster_that_is_away_fails_with_an_unknown_number():
    assert refusal_of(Members(AWAY)).startswith(
        f"shop: an unknown number of 2 members of green 1.1 are ready after 0.02 seconds ({AWAY}); "
    )


def test_the_last_that_was_seen_is_told():
    assert "0 of 2" in refusal_of(Members(AWAY, ready(1), ready(0)))


@pytest.mark.parametrize("how", [{}, {"timeout": 0.02}])
def test_a_retired_color_without_members_is_not_waited_for(how):
    plane = Members(ready(0))

    asked(plane, retired={"color": "green", "release": "1.1"}, **how)

    assert plane.asked == []


def test_the_color_that_was_changed_is_asked_about():
    plane = Members(ready(2))

    asked(plane, color=BLUE)

    assert plane.asked == ["readiness of blue"]


def test_somebody_who_waits_is_told_how_far_it_is(monkeypatch):
    monkeypatch.setattr(fleet_ready, "_PROGRESS_SECONDS", 0.0)

    call = asked(Members(ready(0, note="starting"), ready(1), ready(2)))

    assert call.shown == [
        "shop: 0 of 2 members of green 1.1 are ready (starting)",
        "shop: 1 of 2 members of green 1.1 are ready",
    ]


def test_a_pipelines_log_is_not_filled_with_it():
    call = asked(Members(*[ready(0)] * 20, ready(2)))

    assert call.shown == []
