"""Names the moments of an update, and kills the engine at one of them.

A moment is a *point*: just before or after a named function of the program or of the provider of
dynamic resources. Functions are wrapped once their module has been imported; one that is not there
any more is an error in the process, and so a failed update, not a kill that never happens.

What a point is called does not say which color it is about but which role that one has: `new` or
`old`. So the list of points is the same whichever way a service is switched.

BLUEGREEN_KILL_TRACE   file that every point passed is appended to, one line each
BLUEGREEN_KILL_ROLES   `green=new,blue=old`
BLUEGREEN_KILL_RUN     the service's run directory: only files in it are points
BLUEGREEN_KILL_AT      the point to kill at, the first time it is passed; absent: only record
BLUEGREEN_KILL_ALSO    `process`: the process that passes the point is killed in the same moment
BLUEGREEN_KILL_SEEN    file that the point is written to before the kill
"""

import atexit
import functools
import importlib.abc
import importlib.machinery
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["install"]

_DIGEST = re.compile(r"\.[0-9a-f]{16}(?=\.json)")
# `mkstemp` puts eight characters behind the name.
_TEMPORARY = re.compile(r"^\.(.+)\.[a-z0-9_]{8}\.bluegreen-unfinished$")
_LOCK = threading.Lock()
_PASSED: set[str] = set()


def install() -> None:
    """Watches for the modules with the functions that are points."""
    sys.meta_path.insert(0, _Finder())
    if any(word.endswith("language_host.py") for word in sys.orig_argv):
        _point("language host: starts")


def _point(name: str) -> None:
    phase = "preview: " if "--dry_run" in sys.orig_argv else ""
    name = phase + _in_roles(name)
    with _LOCK:
        with Path(os.environ["BLUEGREEN_KILL_TRACE"]).open("a") as trace:
            trace.write(f"{name}\n")
        if name == os.environ.get("BLUEGREEN_KILL_AT") and name not in _PASSED:
            _kill(name)
        _PASSED.add(name)


def _in_roles(name: str) -> str:
    for pair in os.environ["BLUEGREEN_KILL_ROLES"].split(","):
        color, _, role = pair.partition("=")
        name = re.sub(rf"\b{color}\b", role, name)
    return name


def _kill(name: str) -> None:
    engine = _engine()
    Path(os.environ["BLUEGREEN_KILL_SEEN"]).write_text(name)
    os.kill(engine, signal.SIGKILL)
    if os.environ.get("BLUEGREEN_KILL_ALSO") == "process":
        os.kill(os.getpid(), signal.SIGKILL)
    # What follows a point must not happen while the engine still lives.
    while _status(engine, "State").startswith(("R", "S", "D", "T", "t")):
        time.sleep(0.001)


def _engine() -> int:
    process = os.getppid()
    while _status(process, "Name") != "pulumi":
        process = int(_status(process, "PPid"))
    return process


def _status(process: int, key: str) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{key}:"))
    return ""


def _around(
    function: Callable[..., Any],
    name: Callable[..., str | None],
    before: str = "before",
    after: str = "after",
) -> Callable[..., Any]:
    """The function with a point on each side; none where `name` of its arguments says None."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        what = name(*args, **kwargs)
        if what is not None and before:
            _point(f"{what}: {before}")
        result = function(*args, **kwargs)
        if what is not None and after:
            _point(f"{what}: {after}")
        return result

    return wrapped


def _wrap(owner: Any, attribute: str, name: Callable[..., str | None], *sides: str) -> None:
    setattr(owner, attribute, _around(getattr(owner, attribute), name, *sides))


def _in_run_directory(path: str | os.PathLike[str]) -> str | None:
    """What a file of the service is called, without what is different each time."""
    run = Path(os.environ["BLUEGREEN_KILL_RUN"])
    path = Path(path)
    if not path.is_relative_to(run):
        return None
    temporary = _TEMPORARY.match(path.name)
    relative = path.relative_to(run).with_name(temporary[1] if temporary else path.name)
    return _DIGEST.sub("", str(relative))


def _file(verb: str, which: int = 0) -> Callable[..., str | None]:
    def name(*args: Any, **_: Any) -> str | None:
        called = _in_run_directory(args[which])
        return called and f"{verb} {called}"

    return name


# One function per module that has points; called once the module has been imported.


def _files(_: ModuleType) -> None:
    """What every file of the run directory goes through."""
    _wrap(Path, "rename", _file("write", 1), "before it gets its name", "after it got its name")
    _wrap(Path, "replace", _file("write", 1), "before it gets its name", "after it got its name")
    _wrap(Path, "unlink", _file("delete"), "before", "after")
    make = tempfile.mkstemp

    @functools.wraps(make)
    def mkstemp(*args: Any, **kwargs: Any) -> Any:
        result = make(*args, **kwargs)
        called = _in_run_directory(result[1])
        if called is not None:
            _point(f"write {called}: the temporary file is made")
        return result

    tempfile.mkstemp = mkstemp


def _supervisord_client(module: ModuleType) -> None:
    def name(_: Any, method: str, *__: Any, about: str = "", **___: Any) -> str | None:
        is_question = method.startswith("get")
        return None if is_question else f"supervisord {method} {about}".strip()

    _wrap(module.SupervisordClient, "call", name)


def _supervisord(module: ModuleType) -> None:
    _wrap(module.Supervisord, "_launch", lambda _: "supervisord launch")


def _runtime(module: ModuleType) -> None:
    _wrap(module.HaproxyRuntime, "set_map", lambda *_: "proxy set map")
    _wrap(module.HaproxyRuntime, "settle_map", lambda *_: "proxy settle map", "", "after")


def _journal(module: ModuleType) -> None:
    _wrap(module.FileJournal, "record", lambda _, event: f"journal {event.kind}")


def _config(module: ModuleType) -> None:
    def name(*_: Any) -> str:
        atexit.register(_point, "program: ends")
        return "program: starts"

    load = module.ServiceConfig.load.__func__
    module.ServiceConfig.load = classmethod(_around(load, name, "its config is read", ""))


def _hooks(module: ModuleType) -> None:
    make = module.resource_hook

    @functools.wraps(make)
    def resource_hook(name: str, judge: Callable[[Any], None], **options: Any) -> Any:
        return make(name, _around(judge, lambda _: f"hook {name}"), **options)

    module.resource_hook = resource_hook


def _monitor(module: ModuleType) -> None:
    """What the program asks of the engine; the answer comes once the state is written."""
    start = module.ResourceMonitorStub.__init__

    def registered(request: Any, *_: Any, **__: Any) -> str:
        return f"register {request.type.split(':')[-1]} {request.name}"

    def put_out(request: Any, *_: Any, **__: Any) -> str:
        _, _, types, name = request.urn.split("::")
        return f"outputs of {types.split(':')[-1]} {name}"

    @functools.wraps(start)
    def wrapped(self: Any, channel: Any) -> None:
        start(self, channel)
        self.RegisterResource = _around(
            self.RegisterResource, registered, "before", "after (its state is written)"
        )
        self.RegisterResourceOutputs = _around(self.RegisterResourceOutputs, put_out)

    module.ResourceMonitorStub.__init__ = wrapped


def _provider(module: ModuleType) -> None:
    """What the engine asks of the provider: it has noted that as pending; what it is told is not
    in the state yet."""
    add = module.add_ResourceProviderServicer_to_server

    def asked(verb: str) -> Callable[..., str]:
        def name(request: Any, _: Any) -> str:
            # One that other people wrote is asked by the preview, too.
            phase = "preview: " if getattr(request, "preview", False) else ""
            return f"{phase}{verb} {request.urn.split('::')[-1]}"

        return name

    @functools.wraps(add)
    def wrapped(servicer: Any, server: Any) -> None:
        for method in ("Create", "Update", "Delete"):
            _wrap(servicer, method, asked(method.lower()), "is pending", "is done, not answered")
        add(servicer, server)

    module.add_ResourceProviderServicer_to_server = wrapped


def _cluster(module: ModuleType) -> None:
    """What the hooks write themselves; the rest is the provider's."""

    def name(_: Any, path: str, *__: Any, **___: Any) -> str:
        return f"apply {path.split('/')[-2]}"

    _wrap(module.Cluster, "apply", name)


def _event_journal(module: ModuleType) -> None:
    _wrap(module.EventJournal, "record", lambda _, event: f"journal {event.kind}")


_PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "bluegreen.aws.event_journal": _event_journal,
    "bluegreen.gate_hooks.hook": _hooks,
    "bluegreen.kubernetes.cluster": _cluster,
    "bluegreen.kubernetes.event_journal": _event_journal,
    "bluegreen.onprem.haproxy_runtime": _runtime,
    "bluegreen.onprem.journal": _journal,
    "bluegreen.onprem.private_files": _files,
    "bluegreen.onprem.supervisord": _supervisord,
    "bluegreen.onprem.supervisord_client": _supervisord_client,
    "bluegreen.settings.config": _config,
    "pulumi.runtime.proto.provider_pb2_grpc": _provider,
    "pulumi.runtime.proto.resource_pb2_grpc": _monitor,
}


class _Finder(importlib.abc.MetaPathFinder):
    """Finds those modules as Python does, and wraps their functions after their import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        patch = _PATCHES.get(fullname)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path) if patch else None
        if patch is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            patch(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
