"""What is known about all targets: who is checked when, and who is draining until when."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from tests.standins.aws_cloud.health import CheckSettings, Finding, HealthState, TargetHealth
from tests.standins.aws_cloud.health_checks import check
from tests.standins.aws_cloud.pace import Pace

__all__ = ["HealthBoard", "Place", "groups_in_use"]

Key = tuple[str, str]
"""ARN of a target group, id of a target."""

_SHORTEST_TIMEOUT_SECONDS = 1.0
"""A busy machine must not look like a dead target."""


@dataclass(frozen=True)
class Place:
    """Where a target really is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass
class _Watched:
    health: TargetHealth = field(default_factory=TargetHealth)
    due: float = 0.0
    running: Future[Finding | None] | None = None


@dataclass(frozen=True)
class _Draining:
    target: dict[str, Any]
    until: float


class HealthBoard:
    """Every method but the checks themselves runs under the lock of the cloud."""

    def __init__(self, pace: Pace, host_of: Callable[[str], str | None]) -> None:
        """Takes the clock, and how to find the loopback address of an instance or of an IP."""
        self._pace, self._host_of = pace, host_of
        self._watched: dict[Key, _Watched] = {}
        self._draining: dict[Key, _Draining] = {}
        self._checkers = ThreadPoolExecutor(16, thread_name_prefix="health-check")
        self.changes = 0
        """Grows whenever requests may have to go elsewhere."""

    def close(self) -> None:
        """Ends after the checks that are under way."""
        self._checkers.shutdown(cancel_futures=True)

    def forget(self) -> None:
        """Knows nothing any more."""
        self._watched.clear()
        self._draining.clear()
        self.changes += 1

    def tick(self, backend: ELBv2Backend) -> None:
        """Reads what checks have found, and starts those that are due."""
        used = groups_in_use(backend)
        now = self._pace.now()
        expected = set()
        for group in backend.target_groups.values():
            for target in list(group.targets.values()) if group.arn in used else ():
                key = (group.arn, target["Id"])
                expected.add(key)
                if key not in self._watched:
                    self._watched[key] = _Watched()
                    self.changes += 1
                self._look(self._watched[key], group, target, now)
        for key in self._watched.keys() - expected:
            del self._watched[key]
            self.changes += 1
        for key in [key for key, each in self._draining.items() if each.until <= now]:
            del self._draining[key]
            self.changes += 1

    def health_of(self, group: FakeTargetGroup, target_id: str) -> TargetHealth | None:
        """What is known about a registered target; None if it is not checked (yet)."""
        watched = self._watched.get((group.arn, target_id))
        return watched.health if watched else None

    def deregistered(self, group: FakeTargetGroup, target: dict[str, Any]) -> None:
        """Begins to drain a target that was in use until now."""
        if self._watched.pop((group.arn, target["Id"]), None):
            delay = float(str(group.attributes["deregistration_delay.timeout_seconds"]))
            until = self._pace.now() + self._pace.real(delay)
            self._draining[group.arn, target["Id"]] = _Draining(target, until)
            self.changes += 1

    def registered(self, group: FakeTargetGroup, target_id: str) -> None:
        """Ends the draining of a target that is wanted again."""
        self._draining.pop((group.arn, target_id), None)

    def draining(self, group: FakeTargetGroup) -> list[dict[str, Any]]:
        """The targets that only finish what they have."""
        now = self._pace.now()
        return [
            each.target
            for (arn, _), each in self._draining.items()
            if arn == group.arn and each.until > now
        ]

    def places(self, group: FakeTargetGroup) -> tuple[list[Place], list[Place]]:
        """Where requests may go, and where they only finish.

        A load balancer whose targets are all unwell fails open: it sends to all of them.
        """
        registered = list(group.targets.values())
        states = {target["Id"]: self.health_of(group, target["Id"]) for target in registered}
        well = [
            each
            for each in registered
            if (known := states[each["Id"]]) and known.state is HealthState.HEALTHY
        ]
        ready = [*self._located(well or registered)]
        leaving = [each for each in registered if well and each not in well]
        return ready, [*self._located(leaving), *self._located(self.draining(group))]

    def _located(self, targets: list[dict[str, Any]]) -> Iterator[Place]:
        for target in targets:
            if host := self._host_of(target["Id"]):
                yield Place(host, int(target["Port"]))

    def _look(
        self, watched: _Watched, group: FakeTargetGroup, target: dict[str, Any], now: float
    ) -> None:
        settings = _settings(group)
        if watched.running and watched.running.done():
            before = watched.health.state
            watched.health = watched.health.after(watched.running.result(), settings)
            watched.running = None
            self.changes += watched.health.state is not before
        if watched.running is None and watched.due <= now:
            watched.due = now + self._pace.real(settings.interval_seconds)
            watched.running = self._checkers.submit(self._check, target, settings)

    def _check(self, target: dict[str, Any], settings: CheckSettings) -> Finding | None:
        host = self._host_of(target["Id"])
        if host is None:
            return Finding("Target.FailedHealthChecks", "Health checks failed")
        port = int(target["Port"] if settings.port == "traffic-port" else settings.port)
        timeout = max(self._pace.real(settings.timeout_seconds), _SHORTEST_TIMEOUT_SECONDS)
        return check(host, port, settings, timeout)


def groups_in_use(backend: ELBv2Backend) -> set[str]:
    """ARNs of the target groups that some listener or rule sends to."""
    return {
        arn
        for balancer in backend.load_balancers.values()
        for listener in balancer.listeners.values()
        for rule in listener.rules.values()
        for action in rule.actions
        for arn in backend._get_target_group_arns_from(action.data)
    }


def _settings(group: FakeTargetGroup) -> CheckSettings:
    return CheckSettings(
        path=group.health_check_path or "/",
        port=str(group.health_check_port),
        interval_seconds=float(group.health_check_interval_seconds),
        timeout_seconds=float(group.health_check_timeout_seconds),
        healthy_threshold=int(group.healthy_threshold_count),
        unhealthy_threshold=int(group.unhealthy_threshold_count),
        matcher=group.matcher["HttpCode"],
    )
