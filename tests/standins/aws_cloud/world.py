"""What the patches of moto know about the cloud around it."""

from dataclasses import dataclass

from tests.standins.aws_cloud.health_board import HealthBoard
from tests.standins.aws_cloud.pace import Pace

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """The clock, and what is known about targets."""

    pace: Pace
    health: HealthBoard
