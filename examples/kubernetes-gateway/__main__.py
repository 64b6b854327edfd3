"""One service in two colors behind a Gateway, with canary."""

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs
from bluegreen.settings import ServiceConfig

project = pulumi.Config()
config = ServiceConfig.load(project)

# Often another team's, in another stack: then only its name is in this one's config.
CustomResource(
    "edge",
    api_version="gateway.networking.k8s.io/v1",
    kind="Gateway",
    metadata={"name": "edge"},
    spec={
        "gatewayClassName": project.require("gateway_class"),
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    },
)

service = DeploymentService(config.service.name, DeploymentServiceArgs(config=config))
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
