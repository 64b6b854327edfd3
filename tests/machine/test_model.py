"""The state machine on a model in memory: everything that decides is real, what runs is not."""

import pytest

from tests.machine.machine import ServiceMachine
from tests.machine.model_world import ModelWorld
from tests.machine.written_service import some_runs


class ModelMachine(ServiceMachine):
    make_world = ModelWorld


class LongModelMachine(ModelMachine):
    pass


ModelMachine.TestCase.settings = some_runs(15, 12, is_fixed=True)
LongModelMachine.TestCase.settings = some_runs(400, 25, is_fixed=False)


class TestSomeRuns(ModelMachine.TestCase):  # type: ignore[name-defined,misc]
    pass


@pytest.mark.soak
class TestManyRuns(LongModelMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
