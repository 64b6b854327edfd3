"""The state machine on a model in memory: everything that decides is real, what runs is not."""

from tests.machine.machine import ServiceMachine
from tests.machine.model_world import ModelWorld
from tests.machine.written_service import few_and_many, some_runs


class ModelMachine(ServiceMachine):
    make_world = ModelWorld


TestSomeRuns, TestManyRuns = few_and_many(
    ModelMachine, some_runs(15, 12, is_fixed=True), some_runs(400, 25, is_fixed=False)
)
