"""The command's verbs in any order on the real engine: a few, more with the marker `soak`."""

from collections.abc import Iterator

import pytest

from tests.engine.machine_world import CommandEngineWorld, TypedEngineWorld
from tests.engine.test_machine import real
from tests.machine.verb_machine import VerbMachine
from tests.machine.written_service import few_and_many


class EngineVerbs(VerbMachine):
    make_world = CommandEngineWorld


TestAFewVerbs, TestManyVerbs = few_and_many(
    EngineVerbs, real(1, 6, is_fixed=True), real(10, 15, is_fixed=False)
)


class TypedVerbs(VerbMachine):
    """The machine's words, in an order of one's own, typed at the installed command."""

    make_world = TypedEngineWorld


@pytest.fixture
def typed_verbs() -> Iterator[TypedVerbs]:
    """Blue 1.0 is live, and there is no green."""
    verbs = TypedVerbs()
    try:
        verbs.first(replicas=1, has_green=False)
        yield verbs
    finally:
        verbs.teardown()


def test_a_release_is_deployed_switched_to_rolled_back_and_not_switched_to_again(
    typed_verbs: TypedVerbs,
) -> None:
    typed_verbs.deploy(mode="normal", kill=None)
    typed_verbs.switch(to="idle", is_acknowledged=False, kill=None)
    typed_verbs.roll_back(kill=None)

    typed_verbs.switch(to="idle", is_acknowledged=False, kill=None)

    assert typed_verbs.rolled_back, "nothing was rolled back"
    assert typed_verbs.active == "blue"
