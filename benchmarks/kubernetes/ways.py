"""Ways to move all traffic and let the old color go, in what counts as one command."""

from typing import Protocol

from benchmarks.kubernetes.stack import KubernetesStack
from benchmarks.stack import BenchmarkError
from benchmarks.traffic.waiting import eventually
from bluegreen.colors import Color
from bluegreen.kubernetes.members import ready_names

__all__ = ["MEMBERS", "OneUpdate", "Patches", "Retirement", "Way", "prepare", "until_ready"]

MEMBERS = 3
"""Of each color."""

_READY_SECONDS = 120.0
_DRAIN = {"APP_DRAIN_SECONDS": "0.3"}
"""They end their connections well, and end sooner than kube-proxy has heard of it."""


class Way(Protocol):
    """One way to switch."""

    stack: KubernetesStack
    name: str

    def switch(self) -> None:
        """Moves all traffic to the other color, and takes the members of the old one away."""

    def restore(self) -> None:
        """Brings them back, for the next time."""


class Retirement:
    """The library: the old color is retired in the update that switches."""

    name = "bluegreen, pulumi up"

    def __init__(self, stack: KubernetesStack) -> None:
        self.stack = stack

    def switch(self) -> None:
        """One update."""
        old = self.stack.active
        self.stack.configure("retired", {"color": str(old), "release": self.stack.release(old)})
        self.stack.switch()

    def restore(self) -> None:
        """One update."""
        self.stack.configure("retired", None)
        self.stack.apply()


class OneUpdate:
    """A plain program: selector and number of members are changed, and then `pulumi up`."""

    def __init__(self, name: str, stack: KubernetesStack) -> None:
        self.name = name
        self.stack = stack

    def switch(self) -> None:
        """One update."""
        self.stack.configure(f"{self.stack.active}.replicas", 0)
        self.stack.switch()

    def restore(self) -> None:
        """One update."""
        self.stack.configure(f"{self.stack.active.other}.replicas", MEMBERS)
        self.stack.apply()


class Patches:
    """By hand: `kubectl patch service`, and then `kubectl scale deployment --replicas 0`."""

    name = "kubectl patch, then scale"

    def __init__(self, stack: KubernetesStack) -> None:
        self.stack = stack
        self._active = stack.active

    def switch(self) -> None:
        """Two requests, one right after the other."""
        names = self.stack.place.names
        old, self._active = self._active, self._active.other
        selector = {"spec": {"selector": names.color_labels(self._active)}}
        self._patch(names.core("services", names.production), selector)
        self._scale(old, 0)

    def restore(self) -> None:
        """One request."""
        self._scale(self._active.other, MEMBERS)

    def _scale(self, color: Color, members: int) -> None:
        names = self.stack.place.names
        path = names.group("apps/v1", "deployments", f"{names.of_color(color)}/scale")
        self._patch(path, {"spec": {"replicas": members}})

    def _patch(self, path: str, change: dict[str, object]) -> None:
        answer = self.stack.place.api.request(
            "PATCH",
            f"{path}?fieldManager=kubectl-patch",
            body=change,
            content_type="application/merge-patch+json",
        )
        if answer.status != 200:
            msg = f"PATCH {path} answers {answer.status}; nothing was measured"
            raise BenchmarkError(msg)


def prepare(stack: KubernetesStack) -> None:
    """Creates it, with members that are told to end and do so without waiting for anybody."""
    stack.configure("service.kubernetes.pre_stop_seconds", 0)
    for color in Color:
        stack.configure(f"{color}.replicas", MEMBERS)
        stack.configure(f"{color}.env", _DRAIN)
    stack.apply()
    for color in Color:
        until_ready(stack, color, MEMBERS)


def until_ready(stack: KubernetesStack, color: Color, members: int) -> None:
    """Returns when so many members of a color are given requests."""

    def is_so() -> bool:
        return len(ready_names(stack.slices(color))) == members

    eventually(is_so, f"{members} members of {color} are ready", _READY_SECONDS)
