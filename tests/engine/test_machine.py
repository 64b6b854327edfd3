"""The state machine on the real engine: a short run, more with the marker `soak`."""

from hypothesis import Phase, settings

from tests.engine.machine_world import EngineWorld
from tests.machine.machine import ServiceMachine
from tests.machine.written_service import few_and_many, some_runs


class EngineMachine(ServiceMachine):
    make_world = EngineWorld


def real(runs: int, steps: int, *, is_fixed: bool) -> settings:
    # Nothing is made smaller: a step takes seconds, and the model finds the small example.
    return settings(some_runs(runs, steps, is_fixed=is_fixed), phases=[Phase.generate])


TestAFewSteps, TestManySteps = few_and_many(
    EngineMachine, real(1, 6, is_fixed=True), real(12, 15, is_fixed=False)
)
