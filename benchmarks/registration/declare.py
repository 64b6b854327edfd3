"""One program that declares many services under recorded registrations; run as a process.

`python -m benchmarks.registration.declare onprem ours 100` prints one JSON object: what
declaring took, without the start of Python and the imports: a second service does not pay them.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import pulumi

from benchmarks.registration.services import settings_of
from bluegreen.service_component import ServiceComponent
from bluegreen.settings import ServiceConfig
from tests.components.conftest import record

_LONGEST_SECONDS = 600.0
_KIB_PER_MIB = 1024
_DEEPEST = 1_000_000


class _Source:
    """The config of one of many services; a program with many has it under other keys."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self.name = "shop"

    def get(self, key: str) -> str | None:
        value = self._content.get(key)
        return value if value is None or isinstance(value, str) else json.dumps(value)


def _process_service(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.onprem import ProcessService, ProcessServiceArgs  # noqa: PLC0415

    return ProcessService(config.service.name, ProcessServiceArgs(config=config))


def _deployment_service(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs  # noqa: PLC0415

    return DeploymentService(config.service.name, DeploymentServiceArgs(config=config))


def _asg_service(config: ServiceConfig) -> ServiceComponent:
    from bluegreen.aws import AsgService, AsgServiceArgs  # noqa: PLC0415

    return AsgService(config.service.name, AsgServiceArgs(config=config))


_SERVICES = {
    "onprem": _process_service,
    "kubernetes": _deployment_service,
    "aws": _asg_service,
}


def declare_ours(platform: str, count: int) -> None:
    """Declares services with the library."""
    for number in range(count):
        config = ServiceConfig.load(_Source(settings_of(platform, number)))
        service = _SERVICES[platform](config)
        for name, value in service.stack_outputs().items():
            pulumi.export(f"{config.service.name}.{name}", value)


def declare_plain(platform: str, count: int) -> None:
    """Declares the same resources by hand."""
    from service import declare_service  # noqa: PLC0415  # of the plain program, put on the path

    for number in range(count):
        # As the stack's config hands it out: parsed anew for each.
        config = json.loads(json.dumps(settings_of(platform, number)))
        colors = {color: config[color] for color in ("blue", "green")}
        outputs = declare_service(config["active_color"], config["service"], colors)
        for name, value in outputs.items():
            pulumi.export(f"{config['service']['name']}.{name}", value)


PROGRAMS: dict[str, Callable[[str, int], None]] = {"ours": declare_ours, "plain": declare_plain}


def main(platform: str, program: str, count: int) -> None:
    """Declares once for nothing, so that what is loaded late is loaded; then measures."""
    declare = PROGRAMS[program]
    # Pulumi's dynamic resources wrap each other's pickling, and a plain program ends at some 950.
    sys.setrecursionlimit(_DEEPEST)
    record(lambda: declare(platform, 1))
    gc.collect()
    before = _peak_mib()
    wall, processor = time.perf_counter(), time.process_time()
    recording = record(lambda: declare(platform, count), seconds=_LONGEST_SECONDS)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - wall,
                "cpu_seconds": time.process_time() - processor,
                "mib": _peak_mib() - before,
                "resources": len(recording.resources),
                "hooks": len(recording.hooks),
            }
        )
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
