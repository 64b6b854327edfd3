"""A service whose updates are killed: what every platform's does alike."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad
from bluegreen.traffic import TrafficSplit
from tests.engine.kill_matrix import Kill
from tests.engine.pulumi_stack import Result
from tests.engine.stack_driver import StackDriver

__all__ = ["MEMBERS", "KilledUpdate", "Process", "TurningStage"]

MEMBERS = 2
_POINTS = Path(__file__).with_name("kill_points")


@dataclass(frozen=True)
class Process:
    pid: int
    group: int
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid}: {self.command}"


@dataclass(frozen=True)
class KilledUpdate:
    """What a killed update left at that moment."""

    killed_at: str | None
    """The point, as the process that passed it wrote it down; None when none did."""

    result: Result
    locks: tuple[Path, ...]
    orphans: tuple[Process, ...] = ()

    def describe(self) -> None:
        """For whoever looks at a run with -s."""
        print(f"\nkilled at: {self.killed_at}")
        for lock in self.locks:
            print(f"  lock: {lock.name}")
        for orphan in self.orphans:
            print(f"  left behind: {orphan}")


class TurningStage:
    """One stack for many cases: each turns the roles of the colors round.

    One update deploys a new release to the idle color, switches to it, and retires the other.
    """

    driver: StackDriver

    def __init__(self, driver: StackDriver) -> None:
        self.driver = driver
        self.new, self.old = Color.BLUE, Color.GREEN
        self.releases = {Color.BLUE: "1.0", Color.GREEN: "0.9"}
        self._turns = 1
        self.is_clean = False
        self._trace = driver.stack.directory / "trace"

    def color_settings(self) -> dict[str, Any]:
        """What a color has in the config besides release and number of members."""
        return {}

    def want_all(self) -> None:
        """Configures both colors: the new one active, the old one retired."""
        for color in Color:
            settings = {"release": self.releases[color], "replicas": MEMBERS}
            self.driver.configure(color, settings | self.color_settings())
        self.driver.configure("active_color", str(self.new))
        retired = {"color": str(self.old), "release": self.releases[self.old]}
        self.driver.configure("retired", retired)

    def turn(self) -> None:
        """Configures the mirror image, with another new release."""
        self.is_clean = False
        self._turns += 1
        self.new, self.old = self.old, self.new
        self.releases[self.new] = f"{self._turns}.0"
        self.want_all()

    def recorded_up(self) -> tuple[Result, list[str]]:
        """An update that nobody kills, and the points that it passed."""
        self._trace.unlink(missing_ok=True)
        result = self.driver.up(**self.environment())
        return result, self._trace.read_text().splitlines()

    def killed_up(self, kill: Kill) -> KilledUpdate:
        """An update that is killed."""
        seen = self.driver.stack.directory / "killed-at"
        seen.unlink(missing_ok=True)
        also = {"BLUEGREEN_KILL_ALSO": "process"} if kill.with_process else {}
        # Its preview is only of interest where it is what is killed.
        options = [] if kill.point.startswith("preview: ") else ["--skip-preview"]
        result = self.driver.stack.up(
            *options,
            **self.environment(),
            **also,
            BLUEGREEN_KILL_AT=kill.point,
            BLUEGREEN_KILL_SEEN=str(seen),
        )
        return KilledUpdate(
            killed_at=seen.read_text() if seen.exists() else None,
            result=result,
            locks=tuple((self.driver.stack.state / ".pulumi" / "locks").rglob("*.json")),
            orphans=tuple(self.orphans()),
        )

    def cancel(self) -> Result:
        """What the message about the lock tells the user to type."""
        return self.driver.stack.run("cancel", "--yes")

    def pending_operations(self) -> list[dict[str, Any]]:
        """What the state says was under way when an update ended."""
        stack = self.driver.stack
        exported = stack.run("stack", "export", "--stack", stack.name)
        return json.loads(exported.stdout)["deployment"].get("pending_operations") or []

    def pending_kinds(self) -> set[str]:
        return {operation["type"] for operation in self.pending_operations()}

    def clear_pending_creates(self) -> Result:
        """The way out of them where nobody can be asked."""
        return self.driver.stack.run("refresh", "--yes", "--clear-pending-creates")

    def load(self) -> BackgroundLoad:
        """Steady; notes in which condition each member was that answered."""
        raise NotImplementedError

    def surprises(self) -> Iterable[str]:
        """What state, data plane and config do not agree in."""
        for what, (found, expected) in self.facts().items():
            if found != expected:
                yield f"{what}: {found}, not {expected}"

    def facts(self) -> dict[str, tuple[Any, Any]]:
        """Each thing that has to be as the config says: as it was found, and as expected."""
        outputs = self.driver.outputs()
        return {
            "split": (self.driver.live(), TrafficSplit.all_to(self.new)),
            "active_color": (outputs.get("active_color"), str(self.new)),
            "releases": (outputs.get("releases"), self.wanted_releases()),
        }

    def wanted_releases(self) -> dict[str, str]:
        """What every color is to hold."""
        return {str(color): release for color, release in self.releases.items()}

    def orphans(self) -> Iterator[Process]:
        """What a killed update has left behind, where that can be told."""
        return iter(())

    def environment(self) -> dict[str, str]:
        """With which an update passes points."""
        return {
            "PYTHONPATH": str(_POINTS),
            "BLUEGREEN_KILL_TRACE": str(self._trace),
            "BLUEGREEN_KILL_ROLES": f"{self.new}=new,{self.old}=old",
            "BLUEGREEN_KILL_RUN": str(self.driver.stack.directory / "no-such-folder"),
        }
