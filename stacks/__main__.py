"""The library's first user: reads the config of design and docs, picks the platform from it."""

import pulumi

from bluegreen.service_component import ServiceComponent
from bluegreen.settings import Platform, ServiceConfig


def on_this_machine(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.onprem import ProcessService, ProcessServiceArgs

    return ProcessService(config.service.name, ProcessServiceArgs(config=config))


def on_kubernetes(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs

    return DeploymentService(config.service.name, DeploymentServiceArgs(config=config))


def on_aws(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.aws import AsgService, AsgServiceArgs

    return AsgService(config.service.name, AsgServiceArgs(config=config))


# Imported where they are used: nobody needs the packages of a platform that is not theirs.
SERVICES = {
    Platform.ONPREM: on_this_machine,
    Platform.KUBERNETES: on_kubernetes,
    Platform.AWS: on_aws,
}

config = ServiceConfig.load(pulumi.Config())
service = SERVICES[config.service.platform](config)
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
