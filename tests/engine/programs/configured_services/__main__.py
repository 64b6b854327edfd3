"""As many services in one stack as its config names, each with a namespace of its own."""

import pulumi

from bluegreen.onprem import ProcessService, ProcessServiceArgs
from bluegreen.settings import ServiceConfig

for namespace in pulumi.Config("programs").require_object("services"):
    config = ServiceConfig.load(pulumi.Config(namespace))
    ProcessService(config.service.name, ProcessServiceArgs(config=config))
