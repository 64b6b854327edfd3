"""One service in two colors behind an Application Load Balancer that was there before."""

import pulumi

from bluegreen.aws import AsgService, AsgServiceArgs
from bluegreen.settings import ServiceConfig

config = ServiceConfig.load(pulumi.Config())
service = AsgService(config.service.name, AsgServiceArgs(config=config))
for name, value in service.stack_outputs().items():
    pulumi.export(name, value)
