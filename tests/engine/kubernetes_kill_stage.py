"""A service on a real node whose updates are killed, and what must be true of it afterwards."""

from typing import Any

from bluegreen.colors import Color
from bluegreen.kubernetes.active_flag import flagged_color
from bluegreen.kubernetes.names import RELEASE
from bluegreen.load import BackgroundLoad, LoadPlan
from tests.engine.kubernetes_driver import KubernetesDriver
from tests.engine.turning_stage import MEMBERS, TurningStage

__all__ = ["CONDITIONS", "KubernetesStage"]

CONDITIONS = ("ready", "draining")
"""In which a member may answer: kube-proxy sends on while it hears that one is about to end."""

# Ready late, so that an early switch would be seen; and it goes on until everybody has left.
_ENVIRONMENT = {"APP_WARM_UP_SECONDS": "1", "APP_DRAIN_SECONDS": "1"}


class KubernetesStage(TurningStage):
    """A service whose router is a Service's selector."""

    driver: KubernetesDriver

    def __init__(self, driver: KubernetesDriver) -> None:
        super().__init__(driver)
        driver.configure("service.drain", {"timeout_seconds": 1, "stop_seconds": 3})
        self.want_all()

    def color_settings(self) -> dict[str, Any]:
        return {"env": dict(_ENVIRONMENT)}

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

    def facts(self) -> dict[str, tuple[Any, Any]]:
        return super().facts() | {
            "flag": (flagged_color(self.driver.api, self.driver.names), self.new),
            "test Service": (self._test_color(), str(self.old)),
            "new members": (self._members(self.new), (MEMBERS, self.releases[self.new])),
            "old members": (self._members(self.old), (0, self.releases[self.old])),
        }

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
