"""Where a service keeps what it needs at run time."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["RunDirectory"]


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The files of one service; the directory is made and removed by its `Supervisor`."""

    path: Path

    @property
    def stats_socket(self) -> Path:
        """HAProxy's runtime API."""
        return self.path / "haproxy.sock"

    @property
    def master_socket(self) -> Path:
        """Tells which workers HAProxy has, and what those from before a reload still hold."""
        return self.path / "master.sock"

    @property
    def haproxy_config(self) -> Path:
        """What the embedded HAProxy was started with."""
        return self.path / "haproxy.cfg"

    @property
    def traffic_map(self) -> Path:
        """Who is live, kept for a restart of the proxy."""
        return self.path / "traffic.map"

    @property
    def active_flag(self) -> Path:
        """Who is active, for other programs to read."""
        return self.path / "active.json"

    @property
    def journal(self) -> Path:
        """The audit trail, one JSON object a line."""
        return self.path / "events.jsonl"
