"""SSM's parameters can be copied, which reads that lag need; this is no lie of moto."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from moto.ssm.models import ParameterDict

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """The one container of moto that cannot be copied as it is."""
    yield Replacement(ParameterDict, "__deepcopy__", _copied)


def _copied(self: ParameterDict, memo: dict[int, Any]) -> ParameterDict:
    made = ParameterDict(self.account_id, self.region_name)
    made.__dict__.update(self.__dict__)
    made.update({name: deepcopy(versions, memo) for name, versions in self.items()})
    return made
