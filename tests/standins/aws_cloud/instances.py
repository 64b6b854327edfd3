"""Makes run what EC2 says runs: the user data of an instance is a process group on loopback."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance

from tests.standins.aws_cloud.addresses import Addresses
from tests.standins.aws_cloud.pace import Pace
from tests.standins.aws_cloud.processes import Processes

__all__ = ["Instances", "set_state"]

_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
_AFTER = {"shutting-down": "terminated", "stopping": "stopped"}


@dataclass
class _Machine:
    host: str
    folder: Path
    started: float
    told_to_end: float | None = None
    was_killed: bool = False


class Instances:
    """Follows the states of EC2's instances, and completes those that take time."""

    def __init__(
        self, folder: Path, pace: Pace, *, boot_seconds: float, stop_seconds: float
    ) -> None:
        """Takes where files go, and real seconds: until it runs, from SIGTERM to SIGKILL."""
        self._folder, self._pace = folder, pace
        self._boot_seconds, self._stop_seconds = boot_seconds, stop_seconds
        self._processes, self._addresses = Processes(), Addresses()
        self._machines: dict[str, _Machine] = {}
        self._hosts: dict[str, str] = {}

    def open(self) -> None:
        """Can start processes from here on."""
        self._processes.open()

    def close(self) -> None:
        """Ends all of them."""
        self._processes.close()
        self._addresses.close()

    def forget(self) -> None:
        """Kills all: the account that had them is gone."""
        for name in self._machines:
            self._processes.send(name, signal.SIGKILL)
        self._machines.clear()
        self._hosts.clear()

    def host_of(self, target: str) -> str | None:
        """The loopback address of an instance, or of its private IP; loopback is itself."""
        if target.startswith("127."):
            return target
        return self._hosts.get(target)

    def output_of(self, name: str) -> str:
        """What the instance has printed so far."""
        return (self._folder / name / "output").read_text(encoding="utf-8", errors="replace")

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to what an instance runs, which EC2 does not hear of."""
        self._processes.send(name, number)

    def tick(self, backend: EC2Backend) -> None:
        """Starts, completes and ends what is due."""
        for instance in backend.all_instances():
            if instance.state == "pending":
                self._boot(instance)
            elif instance.state in _AFTER:
                self._end(instance)

    def _boot(self, instance: Instance) -> None:
        machine = self._machines.get(instance.id) or self._start(instance)
        if self._pace.now() >= machine.started + self._boot_seconds:
            set_state(instance, "running")

    def _start(self, instance: Instance) -> _Machine:
        # One that was stopped has its address, and its disk, again.
        host = self._hosts.get(instance.id) or self._addresses.new()
        machine = _Machine(host, self._folder / instance.id, self._pace.now())
        self._machines[instance.id] = machine
        self._hosts |= {instance.id: host, str(instance.private_ip): host}
        machine.folder.mkdir(exist_ok=True)
        (machine.folder / "output").touch()
        if instance.user_data:
            script = machine.folder / "user-data"
            script.write_text(instance.user_data.decode(), encoding="utf-8")
            environment = _environment(instance, machine)
            self._processes.start(instance.id, ["sh", str(script)], environment, machine.folder)
        return machine

    def _end(self, instance: Instance) -> None:
        machine = self._machines.get(instance.id)
        if machine is None or not self._processes.is_alive(instance.id):
            self._machines.pop(instance.id, None)
            set_state(instance, _AFTER[instance.state])
        elif machine.told_to_end is None:
            machine.told_to_end = self._pace.now()
            self._processes.send(instance.id, signal.SIGTERM)
        elif self._pace.now() > machine.told_to_end + self._stop_seconds and not machine.was_killed:
            machine.was_killed = True
            self._processes.send(instance.id, signal.SIGKILL)


def set_state(instance: Instance, name: str) -> None:
    """Makes EC2 say so."""
    instance._state.name, instance._state.code = name, _CODES[name]


def _environment(instance: Instance, machine: _Machine) -> dict[str, str]:
    # The interpreter of the tests first: what user data runs needs packages of the tests.
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}:/usr/local/bin",
        "HOME": str(machine.folder),
        "LANG": "C.UTF-8",
        "BLUEGREEN_TEST_HOST": machine.host,
        "BLUEGREEN_TEST_INSTANCE": instance.id,
    }
