"""At which moments an update is killed: the points, named as `kill_points` records them.

Killed at its side effects an update may leave a half of each; killed at a hook, at what the engine
asks of a provider and at its answer it leaves a state that is behind what is live. Points at which
there is nothing new to be found are left out: a component has nothing but its children.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.engine.pulumi_stack import ENGINE

__all__ = ["DOZEN", "FIRST", "MATRIX", "PROXY", "REMOVAL", "Kill", "is_side_effect"]


@dataclass(frozen=True)
class Kill:
    """One kill -9 of the engine."""

    point: str
    with_process: bool = True
    """The process that passes the point is killed in the same moment: exactly there nothing more
    happens. Else it goes on until it notices that the engine is gone."""

    def __str__(self) -> str:
        return f"{self.point}{'' if self.with_process else ' (engine only)'}"


def _around(*names: str) -> Iterator[str]:
    for name in names:
        yield from (f"{name}: before", f"{name}: after")


def _write(*files: str) -> Iterator[str]:
    for file in files:
        yield f"write {file}: the temporary file is made"
        yield f"write {file}: before it gets its name"
        yield f"write {file}: after it got its name"


def _provider(name: str, *inside: str, verb: str = "update") -> Iterator[str]:
    yield f"{verb} {name}: is pending"
    yield from inside
    yield f"{verb} {name}: is done, not answered"


# The stack is locked after that. An official language host is no Python, and passes no point.
_UNLOCKED = ["language host: starts"] if (ENGINE / "pulumi-language-python").exists() else []

_PREVIEW = (
    "preview: program: starts: its config is read",
    *_around("preview: hook shop-new-guard", "preview: hook shop-router-gate"),
    *_around("preview: hook shop-old-guard"),
    "preview: outputs of Stack shop-test: after",
    "preview: program: ends",
)

_ANCHORS = (
    "program: starts: its config is read",
    "register Stack shop-test: after (its state is written)",
    "register Supervisor shop-supervisor: before",
    "register Supervisor shop-supervisor: after (its state is written)",
    "register LocalHaproxy shop-haproxy: before",
    "register LocalHaproxy shop-haproxy: after (its state is written)",
)

_DEPLOY = (
    "register Members shop-new-members: before",
    *_around("hook shop-new-guard"),
    *_provider(
        "shop-new-members",
        *_write("launch.py"),
        *_write("programs/new-0.json", "programs/new-0.conf"),
        *_write("programs/new-1.json", "programs/new-1.conf"),
        *_around("delete processes/new-0.first", "delete processes/new-1.first"),
        *_around("supervisord reloadConfig"),
        *_around("supervisord addProcessGroup new-0", "supervisord startProcess new-0"),
        *_around("supervisord addProcessGroup new-1", "supervisord startProcess new-1"),
    ),
    "register Members shop-new-members: after (its state is written)",
)

_SWITCH = (
    "register HaproxyRoute shop-route: before",
    *_around("hook shop-router-gate"),
    *_provider(
        "shop-route",
        *_write("traffic.map"),
        *_around("proxy set map"),
        "proxy settle map: after",
    ),
    *_around("hook shop-router-follow"),
    "register HaproxyRoute shop-route: after (its state is written)",
    "register ActiveFlag shop-flag: before",
    *_around("hook shop-flag-follow"),
    *_provider("shop-flag", *_write("active.json")),
    "hook shop-flag-record: before",
    *_around("journal switch"),
    "hook shop-flag-record: after",
    "register ActiveFlag shop-flag: after (its state is written)",
)

_RETIRE = (
    "register Members shop-old-members: before",
    *_around("hook shop-old-guard"),
    *_provider(
        "shop-old-members",
        *_around("delete programs/old-1.conf", "delete programs/old-0.conf"),
        *_around("supervisord stopProcess old-1", "supervisord stopProcess old-0"),
        *_around("supervisord removeProcessGroup old-1", "supervisord removeProcessGroup old-0"),
        *_around("delete programs/old-1.json", "delete processes/old-1.json"),
        *_around("delete programs/old-0.json", "delete processes/old-0.json"),
    ),
    "register Members shop-old-members: after (its state is written)",
    *_around("outputs of Stack shop-test"),
    "program: ends",
)

_ENGINE_ONLY = (
    "program: starts: its config is read",
    "hook shop-new-guard: after",
    "update shop-new-members: is pending",
    "write programs/new-0.conf: before it gets its name",
    "supervisord addProcessGroup new-0: before",
    "supervisord startProcess new-1: after",
    "update shop-new-members: is done, not answered",
    "hook shop-router-gate: before",
    "hook shop-router-gate: after",
    "update shop-route: is pending",
    "write traffic.map: before it gets its name",
    "proxy set map: before",
    "update shop-route: is done, not answered",
    "hook shop-router-follow: before",
    "hook shop-flag-follow: before",
    "update shop-flag: is pending",
    "hook shop-flag-record: before",
    "hook shop-old-guard: before",
    "update shop-old-members: is pending",
    "supervisord stopProcess old-1: before",
    "update shop-old-members: is done, not answered",
    "outputs of Stack shop-test: after",
)

MATRIX = (
    *(Kill(point) for point in (*_UNLOCKED, *_PREVIEW, *_ANCHORS, *_DEPLOY, *_SWITCH, *_RETIRE)),
    *(Kill(point, with_process=False) for point in _ENGINE_ONLY),
)
"""One update that deploys, switches and retires."""

DOZEN = frozenset(
    {
        Kill("preview: hook shop-router-gate: before"),
        Kill("write programs/new-1.json: before it gets its name"),
        Kill("supervisord addProcessGroup new-0: before", with_process=False),
        Kill("supervisord startProcess new-1: after"),
        Kill("update shop-new-members: is done, not answered"),
        Kill("write traffic.map: before it gets its name"),
        Kill("proxy set map: before"),
        Kill("update shop-route: is done, not answered"),
        Kill("hook shop-router-follow: before", with_process=False),
        Kill("write active.json: after it got its name"),
        Kill("journal switch: before"),
        Kill("supervisord stopProcess old-0: before"),
    }
)
"""Those that every run of the tests does."""

FIRST = (
    Kill("supervisord launch: after"),
    Kill("create shop-supervisor: is pending"),
    Kill("write supervisord.conf: before it gets its name"),
    Kill("create shop-supervisor: is done, not answered"),
    Kill("write haproxy.cfg: before it gets its name"),
    Kill("supervisord addProcessGroup haproxy: after"),
    Kill("create shop-haproxy: is done, not answered"),
    Kill("supervisord startProcess new-0: after", with_process=False),
    Kill("write programs/new-1.json: before it gets its name"),
    Kill("create shop-new-members: is done, not answered"),
    Kill("proxy set map: before"),
    Kill("create shop-route: is done, not answered"),
    Kill("write active.json: before it gets its name"),
    Kill("journal switch: after"),
)
"""The first update of a stack."""

REMOVAL = (
    Kill("delete shop-old-members: is pending"),
    Kill("delete programs/old-1.conf: after"),
    Kill("supervisord stopProcess old-1: after"),
    Kill("supervisord removeProcessGroup old-1: before", with_process=False),
    Kill("delete processes/old-1.json: before"),
    Kill("delete shop-old-members: is done, not answered"),
)
"""The update that removes the idle color."""

PROXY = (
    Kill("hook shop-anchor-guard: after"),
    Kill("update shop-haproxy: is pending", with_process=False),
    Kill("write haproxy.cfg: before it gets its name"),
    Kill("write haproxy.cfg: after it got its name"),
    Kill("supervisord signalProcess haproxy: after"),
    Kill("update shop-haproxy: is done, not answered"),
)
"""The update that lets the proxy take over another config."""


def is_side_effect(point: str) -> bool:
    """Whether it is about something that is really done, or asked before that."""
    verbs = ("write", "delete", "supervisord", "proxy", "journal", "hook", "update", "create")
    return point.startswith(verbs)
