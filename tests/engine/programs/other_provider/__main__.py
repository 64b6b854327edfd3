"""A service whose provider, and whose gates, are each given a cluster by the config."""

from pathlib import Path

import pulumi
from pulumi_kubernetes import Provider

from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs
from bluegreen.settings import ServiceConfig

settings = pulumi.Config("clusters")
provider = Provider("there", kubeconfig=Path(settings.require("provider")).read_text())
config = ServiceConfig.load(pulumi.Config())
service = DeploymentService(
    config.service.name,
    DeploymentServiceArgs(config=config, kubeconfig=settings.require("gates")),
    pulumi.ResourceOptions(provider=provider),
)
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
