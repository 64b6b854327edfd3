"""What a person says about the service as a whole."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from bluegreen.colors import Color
from bluegreen.naming import service_name_problem
from bluegreen.settings.aws import AwsSettings
from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.events import EventsSettings
from bluegreen.settings.following import ColorFromSettings, DrainSettings, FollowSettings
from bluegreen.settings.gates import GatesSettings
from bluegreen.settings.health_check import HealthCheckSettings
from bluegreen.settings.kubernetes import KubernetesSettings
from bluegreen.settings.onprem import OnPremSettings
from bluegreen.settings.roles import RetiredCapacitySettings
from bluegreen.settings.windows import WindowsSettings

__all__ = ["Platform", "ServiceSettings"]


class Platform(StrEnum):
    """Where a service runs."""

    ONPREM = "onprem"
    """Processes of this machine behind HAProxy."""

    KUBERNETES = "kubernetes"
    """Deployments behind a Service or an HTTPRoute."""

    AWS = "aws"
    """Auto Scaling groups behind an Application Load Balancer."""


_PLATFORM_DEFAULTS: dict[str, dict[str, Any]] = {
    Platform.KUBERNETES: {
        "port": 80,
        "health_check": {"interval_seconds": 5, "healthy_threshold": 1},
    },
    Platform.AWS: {
        "port": 443,
        "health_check": {"interval_seconds": 30, "timeout_seconds": 5},
    },
}
"""Where a platform's users expect something else than the fields say."""


def _legal_service_name(name: str) -> str:
    if problem := service_name_problem(name):
        raise ValueError(problem)
    return name


class ServiceSettings(SettingsModel):
    """Everything that is the same for both colors."""

    name: Annotated[str, AfterValidator(_legal_service_name)]
    """Name of the service, at most 18 characters; part of every resource's name."""

    platform: Platform = Platform.ONPREM
    """Where it runs."""

    port: int = Field(default=18080, ge=1, le=65535)
    """Port of production traffic; by default 80 on Kubernetes, 443 on AWS."""

    health_check: HealthCheckSettings = Field(default_factory=HealthCheckSettings)
    """When a member counts as ready."""

    gates: GatesSettings = Field(default_factory=GatesSettings)
    """What must hold before a color's share of production traffic rises."""

    color_from: ColorFromSettings | None = None
    """Where an answer says its color; without it "does traffic follow?" can only ask the proxy."""

    follow: FollowSettings = Field(default_factory=FollowSettings)
    """How it is verified that traffic follows a switch."""

    drain: DrainSettings = Field(default_factory=DrainSettings)
    """How long the old color may take to finish."""

    retention_hours: float = Field(default=24.0, ge=0, le=8760)
    """Hours an idle color must stay able to serve after a switch before it may be retired."""

    retired_capacity: RetiredCapacitySettings = Field(default_factory=RetiredCapacitySettings)
    """What is left of a retired color."""

    windows: WindowsSettings = Field(default_factory=WindowsSettings)
    """When production traffic may be moved to another color; default always."""

    events: EventsSettings = Field(default_factory=EventsSettings)
    """Who is told of switches and refusals beside the platform's own audit trail."""

    onprem: OnPremSettings = Field(default_factory=OnPremSettings)
    """Settings of the on-premises platform."""

    kubernetes: KubernetesSettings = Field(default_factory=KubernetesSettings)
    """Settings of the Kubernetes platform."""

    aws: AwsSettings = Field(default_factory=AwsSettings)
    """Settings of the AWS platform."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_platform(cls, written: Any) -> Any:  # noqa: ANN401
        if not isinstance(written, dict):
            return written
        platform = written.get("platform")
        defaults = _PLATFORM_DEFAULTS.get(platform, {}) if isinstance(platform, str) else {}
        filled = dict(written)
        for key, value in defaults.items():
            if not isinstance(value, dict):
                filled.setdefault(key, value)
            elif isinstance(inner := filled.get(key, {}), dict):
                filled[key] = value | inner
        return filled

    @model_validator(mode="after")
    def _ports_do_not_clash(self) -> Self:
        if self.platform is not Platform.ONPREM:
            return self
        frontends = {"port": self.port, "onprem.test_port": self.onprem.test_port}
        if self.port == self.onprem.test_port:
            msg = f"port and onprem.test_port are both {self.port}"
            raise MisfitError(msg, "onprem", "test_port")
        for key, port in frontends.items():
            for color in Color:
                if port in self.onprem.ports_of(color):
                    msg = f"{key} {port} is one of the member ports of {color}"
                    raise MisfitError(msg, *key.split("."))
        return self
