"""What only real AWS can show (docs/aws.md): made, switched, replaced, removed; off by default.

Prints what it measured. Nothing about speed is asserted: it says what AWS does, not what we do.
"""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from bluegreen.load import Switch
from tests.engine.pulumi_stack import ENGINE, REPOSITORY, PulumiStack, Result
from tests.live.asking import Asking, clients_of
from tests.live.place import Place, why_not

MEMBER = Path(__file__).with_name("member.py")
NAME = "bluegreen-live"
SETTLE_SECONDS = 60.0
UP_SECONDS = 1800.0


class LiveService:
    """A service in the account, and what is known of it."""

    def __init__(self, directory: Path) -> None:
        self.place = Place()
        environment = self.place.environment
        self.production = environment.get("BLUEGREEN_LIVE_PRODUCTION_URL") or self._balancer_url()
        self.stack = PulumiStack(directory, main=REPOSITORY / "stacks", project="live")
        path = environment["PATH"]
        self.stack.environment |= self.place.for_programs | {
            # Without the stand-in for the provider: the engine takes the official plugin.
            "PATH": f"{ENGINE}:{Path(REPOSITORY, '.venv', 'bin')}:{path}"
        }
        script = base64.b64encode(MEMBER.read_bytes()).decode()
        user_data = f"echo {script} | base64 -d > member.py\nexec python3 member.py\n"
        self.configure("service", self._settings(user_data))
        self.configure("active_color", "blue")
        self.configure("blue", {"release": "1.0", "replicas": 2})

    def configure(self, key: str, value: Any) -> None:
        self.stack.configure(key, value)

    def up(self, what: str) -> Switch:
        """One update, with how long it took; the colors are the caller's to know."""
        started = time.monotonic()
        result = self.stack.run("up", "--yes")
        returned = time.monotonic()
        assert result.ok, result
        tell(what, f"{returned - started:.0f} s")
        return Switch("", "", started, returned)

    def preview_with_refresh(self) -> Result:
        return self.stack.preview("--refresh")

    def _settings(self, user_data: str) -> dict[str, Any]:
        return {
            "name": NAME,
            "platform": "aws",
            "port": 80,
            "health_check": {
                "path": "/health/ready",
                "interval_seconds": 5,
                "timeout_seconds": 2,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            "gates": {"release": {"path": "/version", "timeout_seconds": 30}},
            "color_from": {"header": "X-Bluegreen-Color"},
            "follow": {"timeout_seconds": 120},
            "drain": {"timeout_seconds": 30},
            "retention_hours": 0,
            "aws": self.place.settings(self.production, user_data),
        }

    def _balancer_url(self) -> str:
        found = boto3.client("elbv2", region_name=self._region()).describe_load_balancers(
            LoadBalancerArns=[self.place["LOAD_BALANCER_ARN"]]
        )
        return f"http://{found['LoadBalancers'][0]['DNSName']}"

    def _region(self) -> str:
        environment = self.place.environment
        return environment.get("AWS_REGION") or environment["AWS_DEFAULT_REGION"]


def tell(what: str, figure: object) -> None:
    print(f"live: {what}: {figure}", flush=True)


def until(is_true: Callable[[], bool]) -> float:
    """Seconds until it is so."""
    started = time.monotonic()
    while not is_true():
        assert time.monotonic() - started < SETTLE_SECONDS
        time.sleep(1)
    return time.monotonic() - started


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveService]:
    if reason := why_not():
        pytest.skip(reason)
    # EC2 takes minutes for what takes seconds elsewhere.
    monkeypatch.setattr("tests.engine.pulumi_stack.UP_SECONDS", UP_SECONDS)
    made = LiveService(tmp_path)
    try:
        yield made
    finally:
        removed = made.stack.destroy()
        tell("removed", "yes" if removed.ok else f"NO, look after it by hand:\n{removed}")
    assert removed.ok


def test_a_service_is_made_switched_rolled_back_replaced_and_removed(service: LiveService):
    service.up("blue made")
    service.configure("green", {"release": "1.1", "replicas": 2})
    service.up("green made")

    refreshed = service.preview_with_refresh()
    assert refreshed.ok, refreshed
    tell("a refresh without a change would change", refreshed.plan or "nothing")

    switched(service, "blue", "green")
    switched(service, "green", "blue")
    canary(service)

    service.configure("green.release", "1.2")
    service.up("green's members replaced, by an instance refresh")


def switched(service: LiveService, old: str, new: str) -> None:
    """One switch, under load until after its end."""
    service.configure("active_color", new)
    with Asking(f"{service.production}/version") as asking:
        time.sleep(5)
        update = service.up(f"{old} to {new}")
        time.sleep(15)
    tell("requests", f"{len(asking.answers)}, failed {asking.failed}")
    tell("old and new answered side by side for", f"{asking.mixed_seconds(old, new):.1f} s")
    tell("answers of the old color after the return", asking.stale(old, update.returned))
    assert asking.failed == 0
    assert asking.answers[-1].color == new


def canary(service: LiveService) -> None:
    """A quarter of new clients, each of which keeps its color."""
    service.configure("canary", {"color": "green", "percent": 25})
    service.up("canary of 25 %")
    until(lambda: clients_of(f"{service.production}/version", 20, 1)[0]["green"] > 0)
    first, strayed = clients_of(f"{service.production}/version", 80)
    tell("canary", f"{first['green']} of 80 new clients; strayed from their color {strayed}")
    service.configure("canary", None)
    service.up("canary ended")
    assert strayed == 0
