"""The state machine on a model in memory: everything that decides is real, what runs is not."""

import pytest
from hypothesis import HealthCheck, settings

from tests.machine.machine import ServiceMachine
from tests.machine.model_world import ModelWorld


class ModelMachine(ServiceMachine):
    make_world = ModelWorld


class LongModelMachine(ModelMachine):
    pass


def modelled(runs: int, steps: int, *, is_fixed: bool) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=steps,
        derandomize=is_fixed,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


ModelMachine.TestCase.settings = modelled(15, 12, is_fixed=True)
LongModelMachine.TestCase.settings = modelled(400, 25, is_fixed=False)


class TestSomeRuns(ModelMachine.TestCase):  # type: ignore[name-defined,misc]
    pass


@pytest.mark.soak
class TestManyRuns(LongModelMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
