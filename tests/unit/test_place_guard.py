import pulumi
import pytest

from bluegreen.errors import RolloutError
from bluegreen.gate_hooks import PlaceGuard
from tests.unit.fake_update import a_call


def ask(old, new):
    PlaceGuard("shop", new)(a_call(old, new))


def test_another_place_is_refused_with_both_of_them():
    with pytest.raises(RolloutError) as caught:
        ask({"target_port": "8080"}, {"target_port": "9090"})

    text = str(caught.value)
    assert text.startswith("shop: its target_port would change from 8080 to 9090: ")
    assert "nothing was changed; set it back to 8080" in text


@pytest.mark.parametrize("old", [None, {}, {"vpc": "vpc-1"}, {"port": "80"}])
def test_the_same_place_and_a_first_one_are_let_through(old):
    ask(old, {"vpc": "vpc-1"})


def test_a_place_that_a_preview_cannot_know_is_asked_about_in_the_update():
    ask({"vpc": "vpc-1"}, {"vpc": pulumi.output.Unknown()})
