"""Instances take time to start and to end; in moto they run, and are gone, at once."""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models.instances import Instance, InstanceState

from tests.standins.aws_cloud.instances import set_state
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """The first state; whoever runs the instances tells the second."""
    yield Replacement(Instance, "__init__", _then(Instance.__init__, "pending"))
    yield Replacement(Instance, "start", _then(Instance.start, "pending"))
    yield Replacement(Instance, "stop", _ending(Instance.stop, "stopping", "stopped"))
    yield Replacement(
        Instance, "terminate", _ending(Instance.terminate, "shutting-down", "terminated")
    )


def _then(original: Any, state: str) -> Any:
    def changed(self: Instance, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        set_state(self, state)
        return result

    return changed


def _ending(original: Any, during: str, after: str) -> Any:
    def changed(self: Instance) -> InstanceState:
        if self.state in (during, after):
            return InstanceState(self.state, self.state_code)
        before: InstanceState = original(self)
        set_state(self, during)
        return before

    return changed
