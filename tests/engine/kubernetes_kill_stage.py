"""A service on a real node whose updates are killed, and what must be true of it afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bluegreen.colors import Color
from bluegreen.kubernetes.active_flag import flagged_color
from bluegreen.kubernetes.names import RELEASE
from bluegreen.load import BackgroundLoad, LoadPlan, Recording
from bluegreen.traffic import TrafficSplit
from tests.engine.kill_matrix import Kill
from tests.engine.kill_stage import KilledUpdate
from tests.engine.kubernetes_driver import KubernetesDriver
from tests.engine.pulumi_stack import Result

__all__ = ["KubernetesStage", "answers_of_unready"]

_POINTS = Path(__file__).with_name("kill_points")
_MEMBERS = 2
# Ready late, so that an early switch would be seen; and it goes on until everybody has left.
_ENVIRONMENT = {"APP_WARM_UP_SECONDS": "1", "APP_DRAIN_SECONDS": "1"}


def answers_of_unready(recording: Recording) -> int:
    """Answers of members that were not ready yet, or would not say."""
    return sum(
        request.release not in {"ready", "draining"} for request in recording if request.status
    )


class KubernetesStage:
    """One stack for many cases: each turns the roles of the colors round.

    One update deploys a new release to the idle color, switches to it, and retires the other.
    """

    def __init__(self, driver: KubernetesDriver) -> None:
        self.driver = driver
        self.new, self.old = Color.BLUE, Color.GREEN
        self._releases = {Color.BLUE: "1.0", Color.GREEN: "0.9"}
        self._turns = 1
        self.is_clean = False
        self._trace = driver.stack.directory / "trace"
        driver.configure("service.drain", {"timeout_seconds": 1, "stop_seconds": 3})
        self.want_all()

    def want_all(self) -> None:
        """Configures both colors: the new one active, the old one retired."""
        for color in Color:
            settings = {"release": self._releases[color], "replicas": _MEMBERS}
            self.driver.configure(color, settings | {"env": dict(_ENVIRONMENT)})
        self.driver.configure("active_color", str(self.new))
        retired = {"color": str(self.old), "release": self._releases[self.old]}
        self.driver.configure("retired", retired)

    def turn(self) -> None:
        """Configures the mirror image, with another new release."""
        self.is_clean = False
        self._turns += 1
        self.new, self.old = self.old, self.new
        self._releases[self.new] = f"{self._turns}.0"
        self.want_all()

    def recorded_up(self) -> tuple[Result, list[str]]:
        """An update that nobody kills, and the points that it passed."""
        self._trace.unlink(missing_ok=True)
        result = self.driver.up(**self._environment())
        return result, self._trace.read_text().splitlines()

    def killed_up(self, kill: Kill) -> KilledUpdate:
        """`pulumi up`, killed."""
        seen = self.driver.stack.directory / "killed-at"
        seen.unlink(missing_ok=True)
        result = self.driver.up(
            **self._environment(),
            BLUEGREEN_KILL_AT=kill.point,
            BLUEGREEN_KILL_ALSO="process" if kill.with_process else "",
            BLUEGREEN_KILL_SEEN=str(seen),
        )
        locks = (self.driver.stack.state / ".pulumi" / "locks").rglob("*.json")
        return KilledUpdate(
            killed_at=seen.read_text() if seen.exists() else None,
            result=result,
            locks=tuple(locks),
            orphans=(),
        )

    def cancel(self) -> Result:
        """What the message about the lock tells the user to type."""
        return self.driver.stack.run("cancel", "--yes")

    def clear_pending_creates(self) -> Result:
        """The way out of them where nobody can be asked."""
        return self.driver.stack.run("refresh", "--yes", "--clear-pending-creates")

    def pending_kinds(self) -> set[str]:
        """What the state says was under way when an update ended."""
        stack = self.driver.stack
        exported = stack.run("stack", "export", "--stack", stack.name)
        deployment = json.loads(exported.stdout)["deployment"]
        return {each["type"] for each in deployment.get("pending_operations") or []}

    def load(self) -> BackgroundLoad:
        """Steady; half of it on kept connections."""
        return BackgroundLoad(
            LoadPlan(
                url=f"{self.driver.production_url}/",
                rate=50,
                seconds=900,
                connections=16,
                fresh_share=0.5,
                release_header="X-Bluegreen-Condition",
                # The front door asks the API server for each connection, and gives up on a member
                # after 5 s: a busy machine is late, what is lost is reset.
                timeout_seconds=20,
            )
        )

    def surprises(self) -> list[str]:
        """What state, cluster and config do not agree in."""
        return list(self._surprises())

    def _surprises(self) -> Iterator[str]:
        live, outputs = self.driver.live(), self.driver.outputs()
        releases = {str(color): self._releases[color] for color in Color}
        wanted = {
            "split": (live, TrafficSplit.all_to(self.new)),
            "active_color": (outputs.get("active_color"), str(self.new)),
            "releases": (outputs.get("releases"), releases),
            "flag": (flagged_color(self.driver.api, self.driver.names), self.new),
            "test Service": (self._test_color(), str(self.old)),
            "new members": (self._members(self.new), (_MEMBERS, self._releases[self.new])),
            "old members": (self._members(self.old), (0, self._releases[self.old])),
        }
        for what, (found, expected) in wanted.items():
            if found != expected:
                yield f"{what}: {found}, not {expected}"

    def _test_color(self) -> str | None:
        names = self.driver.names
        service = self.driver.api.get(names.core("services", names.test))
        return service["spec"]["selector"].get("color") if service else None

    def _members(self, color: Color) -> tuple[int, str] | None:
        found: dict[str, Any] | None = self.driver.api.get(
            self.driver.names.group("apps/v1", "deployments", self.driver.names.of_color(color))
        )
        if found is None:
            return None
        spec = found["spec"]
        return spec.get("replicas", 1), spec["template"]["metadata"]["annotations"][RELEASE]

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(_POINTS),
            "BLUEGREEN_KILL_TRACE": str(self._trace),
            "BLUEGREEN_KILL_ROLES": f"{self.new}=new,{self.old}=old",
            "BLUEGREEN_KILL_RUN": str(self.driver.stack.directory / "no-such-folder"),
        }
