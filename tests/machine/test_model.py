"""The state machine on a model in memory: everything that decides is real, what runs is not."""

from hypothesis import HealthCheck, Phase, settings

from tests.machine.machine import ServiceMachine
from tests.machine.model_world import ModelWorld


class ModelMachine(ServiceMachine):
    make_world = ModelWorld


ModelMachine.TestCase.settings = settings(
    max_examples=int(__import__("os").environ.get("N", "8")),
    stateful_step_count=15,
    deadline=None,
    derandomize="S" not in __import__("os").environ,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
TestModel = ModelMachine.TestCase
