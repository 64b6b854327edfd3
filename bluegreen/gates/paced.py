"""Requests that a gate sends itself, evenly spaced, whether or not earlier ones were answered."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.gate import Deadline, Endpoint
from bluegreen.load import BackgroundLoad, LoadPlan, Recording

__all__ = ["OwnRequests", "send"]

_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class OwnRequests:
    """What is sent."""

    path: str = "/"
    rate: float = 20
    """Requests per second, to each address."""

    timeout_seconds: float = 5


def send(
    requests: OwnRequests, endpoints: Sequence[Endpoint], seconds: float, deadline: Deadline
) -> list[Recording]:
    """Sends to all addresses at once, and returns what became of every request.

    Each client is a process of its own: what else this one does would show as latency.

    Raises:
        UnusableAnswerError: Nothing could be sent, or the deadline came before the end.
    """
    try:
        plans = [_plan(requests, endpoint, seconds) for endpoint in endpoints]
        with ExitStack() as stack:
            loads = [stack.enter_context(BackgroundLoad(plan)) for plan in plans]
            if not deadline.sleep(seconds):
                msg = "the time was over before all requests were sent"
                raise UnusableAnswerError(msg)
            return [load.wait() for load in loads]
    except (ConfigError, DataPlaneError) as error:
        msg = f"requests could not be sent: {error}"
        raise UnusableAnswerError(msg) from error


def _plan(requests: OwnRequests, endpoint: Endpoint, seconds: float) -> LoadPlan:
    return LoadPlan(
        url=endpoint.url + requests.path,
        is_remote=True,
        rate=requests.rate,
        seconds=seconds,
        connections=_CONNECTIONS,
        timeout_seconds=requests.timeout_seconds,
        headers={"User-Agent": "bluegreen", **endpoint.headers},
    )
