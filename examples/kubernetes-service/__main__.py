"""One service in two colors behind a Service of Kubernetes."""

import pulumi

from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs
from bluegreen.settings import ServiceConfig

config = ServiceConfig.load(pulumi.Config())
service = DeploymentService(config.service.name, DeploymentServiceArgs(config=config))
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
