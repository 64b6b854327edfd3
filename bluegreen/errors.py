"""What can go wrong, split by what the reader has to do about it.

::

    BlueGreenError
    ├── ConfigError     the request is wrong: change it, run again
    ├── RolloutError    the request is fine, the moment is not
    │   └── GateError   a gate refused; carries every verdict
    └── DataPlaneError  a proxy, a process manager or a cluster did not do what was asked
        └── UnreadableTrafficError  traffic goes where this library never sent it

All derive from `pulumi.RunError`, so that Pulumi prints the message and no traceback.
"""

from collections.abc import Iterable

import pulumi

__all__ = [
    "BlueGreenError",
    "ConfigError",
    "DataPlaneError",
    "GateError",
    "RolloutError",
    "UnreadableTrafficError",
]


class BlueGreenError(pulumi.RunError):
    """Base of every error this library raises on purpose; the message is never empty."""


class ConfigError(BlueGreenError):
    """The request is wrong: one line per problem, by the key that was written."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class RolloutError(BlueGreenError):
    """The request is fine, the moment is not: nothing has been changed."""


class GateError(RolloutError):
    """At least one gate refused; production traffic has not moved."""


class DataPlaneError(BlueGreenError):
    """What carries the traffic could not be reached, or did not do what was asked."""


class UnreadableTrafficError(DataPlaneError):
    """The router says something that this library did not write: somebody else did."""
