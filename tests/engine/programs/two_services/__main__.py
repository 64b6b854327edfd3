"""Two services in one stack, each with a config namespace of its own."""

import pulumi

from bluegreen.onprem import ProcessService, ProcessServiceArgs
from bluegreen.settings import ServiceConfig

for namespace in ("shop", "store"):
    config = ServiceConfig.load(pulumi.Config(namespace))
    service = ProcessService(config.service.name, ProcessServiceArgs(config=config))
    pulumi.export(f"{namespace}_active_color", service.active_color)
