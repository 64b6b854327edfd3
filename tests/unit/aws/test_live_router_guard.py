import pytest

from bluegreen.aws.live_router_guard import LiveRouterGuard
from bluegreen.errors import DataPlaneError, RolloutError
from tests.unit.fake_update import a_call


class Router:
    kind = "listener"

    def __init__(self, arn):
        self._arn = arn

    def arn(self):
        if isinstance(self._arn, Exception):
            raise self._arn
        return self._arn


def ask(found, recorded="arn:1"):
    LiveRouterGuard("shop", Router(found))(a_call(old={"arn": recorded} if recorded else {}))


def refusal(found):
    with pytest.raises(RolloutError) as caught:
        ask(found)
    return str(caught.value)


@pytest.mark.parametrize("found", ["arn:1", DataPlaneError("it does not answer")])
def test_the_recorded_one_is_let_through_and_so_is_what_the_gate_says_itself(found):
    ask(found)


def test_a_listener_without_a_record_is_let_through():
    ask("arn:1", recorded=None)


def test_another_listener_than_the_recorded_one_is_not_written_to():
    text = refusal("arn:2")

    assert "another listener than the one in the state (arn:2, recorded arn:1)" in text
    assert "production traffic has not been moved by this update" in text


def test_a_listener_that_was_removed_by_hand_is_made_again_with_a_refresh():
    assert "not there any more (arn:1)" in refusal(None)
    assert "`pulumi up --refresh` makes it again" in refusal(None)
