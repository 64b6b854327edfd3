"""The library's first user: reads the config of design and docs, picks the platform from it."""

import pulumi

from bluegreen.onprem import ProcessService, ProcessServiceArgs
from bluegreen.settings import Platform, ServiceConfig

SERVICES = {
    Platform.ONPREM: lambda config: ProcessService(
        config.service.name, ProcessServiceArgs(config=config)
    ),
}

config = ServiceConfig.load(pulumi.Config())
service = SERVICES[config.service.platform](config)
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
