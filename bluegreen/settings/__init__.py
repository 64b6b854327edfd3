"""What a person writes in YAML, one file per concern."""

from bluegreen.settings.aws import AwsSettings
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.config import ConfigSource, ServiceConfig
from bluegreen.settings.events import EventsSettings, WebhookSettings
from bluegreen.settings.following import ColorFromSettings, DrainSettings, FollowSettings
from bluegreen.settings.gates import GatesSettings
from bluegreen.settings.health_check import HealthCheckSettings
from bluegreen.settings.kubernetes import KubernetesSettings, RouterMechanism
from bluegreen.settings.onprem import FirstPorts, OnPremSettings
from bluegreen.settings.roles import (
    CanarySettings,
    RetiredCapacityMode,
    RetiredCapacitySettings,
    RetiredSettings,
)
from bluegreen.settings.service import Platform, ServiceSettings

__all__ = [
    "AwsSettings",
    "CanarySettings",
    "ColorFromSettings",
    "ColorSettings",
    "ConfigSource",
    "DrainSettings",
    "EventsSettings",
    "FirstPorts",
    "FollowSettings",
    "GatesSettings",
    "HealthCheckSettings",
    "KubernetesSettings",
    "OnPremSettings",
    "Platform",
    "RetiredCapacityMode",
    "RetiredCapacitySettings",
    "RetiredSettings",
    "RouterMechanism",
    "ServiceConfig",
    "ServiceSettings",
    "WebhookSettings",
]
