"""The blue fleet alone, without the hooks of a service: what the hand-over is measured against."""

import pulumi

from bluegreen.colors import Color
from bluegreen.kubernetes import DeploymentFleet, DeploymentFleetArgs
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.service_component import plan_of
from bluegreen.settings import ServiceConfig

config = ServiceConfig.load(pulumi.Config())
plan, _ = plan_of(config)
namespace = config.service.kubernetes.namespace or "default"
args = DeploymentFleetArgs(
    settings=config.service,
    plan=plan.fleets[Color.BLUE],
    names=ObjectNames(config.service.name, namespace),
)
DeploymentFleet("shop-blue", args)
