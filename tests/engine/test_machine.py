"""The state machine on the real engine: a few short runs, more with the marker `soak`."""

import pytest
from hypothesis import Phase, settings

from tests.engine.machine_world import EngineWorld
from tests.machine.machine import ServiceMachine
from tests.machine.written_service import some_runs


class EngineMachine(ServiceMachine):
    make_world = EngineWorld


class LongEngineMachine(EngineMachine):
    pass


def real(runs: int, steps: int, *, is_fixed: bool) -> settings:
    # Nothing is made smaller: a step takes seconds, and the model finds the small example.
    return settings(some_runs(runs, steps, is_fixed=is_fixed), phases=[Phase.generate])


EngineMachine.TestCase.settings = real(2, 6, is_fixed=True)
LongEngineMachine.TestCase.settings = real(12, 15, is_fixed=False)


class TestAFewSteps(EngineMachine.TestCase):  # type: ignore[name-defined,misc]
    pass


@pytest.mark.soak
class TestManySteps(LongEngineMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
