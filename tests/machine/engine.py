"""A Pulumi engine in memory: runs a real program with its real hooks, one step after the other.

What it models is said in `docs/architecture.md` and was seen on the real engine: a preview first;
the order of the new program; a before hook that refuses leaves its resource as it was and starts
nothing further; the state is written after each step; what is not in the program any more is
deleted last, dependents first; a kill leaves a lock. Steps that could run side by side run one
after the other here.
"""

import asyncio
import concurrent.futures
import contextvars
import graphlib
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.dynamic import ResourceProvider
from pulumi.runtime.proto import engine_pb2, resource_pb2

from bluegreen.errors import BlueGreenError
from tests.components.conftest import STACK, RecordingEngine, Registered, run_program
from tests.engine.pulumi_stack import Result, Step

HOOK_SECONDS = 30.0
OUTPUTS_SECONDS = 5.0

__all__ = ["Killed", "MemoryStack", "Surroundings"]


class Killed(BaseException):
    """The update was killed here; nothing of it may happen any more."""


class StoppedError(Exception):
    """The engine starts no further step."""


class Surroundings(Protocol):
    """What lives outside of the engine."""

    def provider(self, registered: Registered) -> ResourceProvider:
        """Who manages a resource."""

    def instant(self, what: str) -> None:
        """Called between any two things that last; raises `Killed` when the update ends here."""

    def sends_outputs(self, engine: "MemoryEngine") -> bool:
        """Whether the program can know its outputs when an update is stopped."""


@dataclass
class Stored:
    """A resource in the state."""

    type: str
    name: str
    id: str
    outputs: dict[str, Any]
    dependencies: frozenset[str]


@dataclass
class MemoryStack:
    """The state of one stack, and the commands that use it."""

    surroundings: Surroundings
    root: str
    resources: dict[str, Stored] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    is_locked: bool = False
    failed: list[Step] = field(default_factory=list)
    """What the last update has begun and not finished."""

    def preview(self, program: Callable[[], Any]) -> Result:
        engine = MemoryEngine(self, is_preview=True)
        problems = engine.run(program)
        return _result(problems, engine, planned=engine.steps)

    def up(self, program: Callable[[], Any]) -> Result:
        """Raises `Killed` when the surroundings end it; then the lock stays."""
        if self.is_locked:
            return Result(255, "", "the stack is currently locked by 1 lock(s)", 0.0)
        preview = self.preview(program)
        if not preview.ok:
            return preview
        engine = MemoryEngine(self, is_preview=False)
        self.failed.clear()
        self.is_locked = True
        problems = engine.run(program)
        self.is_locked = False
        return _result(problems, engine, planned=preview.planned, before=preview)

    def refresh(self) -> Result:
        if self.is_locked:
            return Result(255, "", "the stack is currently locked by 1 lock(s)", 0.0)
        for urn, stored in list(self.resources.items()):
            provider = self.surroundings.provider(stored)
            found = provider.read(stored.id, dict(stored.outputs))
            if found.id:
                stored.outputs = _kept(found.outs or {}, stored.outputs)
            else:
                del self.resources[urn]
        return Result(0, "", "", 0.0)

    def cancel(self) -> None:
        self.is_locked = False


def _result(
    problems: list[str],
    engine: "MemoryEngine",
    *,
    planned: Any,
    before: Result | None = None,
) -> Result:
    said = [*([before.stdout] if before else []), *engine.said]
    return Result(
        exit_code=1 if problems else 0,
        stdout="\n".join(said),
        stderr="\n".join(problems),
        seconds=0.0,
        steps=() if engine.is_preview else tuple(engine.steps),
        planned=tuple(planned),
    )


def _kept(outputs: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider returns, with the reference to the provider itself."""
    return {**outputs, "__provider": before["__provider"]}


class InOrder(concurrent.futures.ThreadPoolExecutor):
    """Registrations come in the order in which they were sent, so that a run can be repeated.

    A registration waits for its hooks; the outputs must get through meanwhile.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._outputs = concurrent.futures.ThreadPoolExecutor(1)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if _sends_outputs(fn):
            return self._outputs.submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, **options: bool) -> None:  # noqa: FBT001, FBT002  # as the SDK calls it
        self._outputs.shutdown(wait, **options)
        super().shutdown(wait, **options)


def _sends_outputs(call: Any) -> bool:
    """The SDK wraps its calls, so that their names are in what the wrapper holds."""
    held = [cell.cell_contents for cell in call.__closure__ or ()]
    names = [getattr(each, "__qualname__", "") for each in [call, *held]]
    return any("register_resource_outputs" in name for name in names)


class MemoryEngine(RecordingEngine):
    """One preview, or one update."""

    def __init__(self, stack: MemoryStack, *, is_preview: bool) -> None:
        super().__init__({})
        self.is_preview = is_preview
        self.steps: list[Step] = []
        self.said: list[str] = []
        self._stack = stack
        self._problems: list[str] = []
        self._killed: Killed | None = None
        self._turn = threading.RLock()
        self._has_outputs = threading.Event()
        self._hooks: dict[str, tuple[Any, contextvars.Context]] = {}
        self._loop: asyncio.AbstractEventLoop

    def run(self, program: Callable[[], Any]) -> list[str]:
        """Runs the program; returns what went wrong."""

        def started() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.set_default_executor(InOrder())
            program()

        try:
            run_program(self, started, root=self._stack.root, is_preview=self.is_preview)
        except BlueGreenError as error:
            self._problems.append(str(error))
        except StoppedError:
            assert self._problems or self._killed
        if self._killed is not None:
            raise self._killed
        if not self._problems:
            self._delete_the_rest()
        return self._problems

    def register_resource_hook(self, hook: Any) -> None:
        super().register_resource_hook(hook)
        # Pulumi keeps its settings in context variables.
        self._hooks[hook.name] = (hook, contextvars.copy_context())

    register_error_hook = register_resource_hook

    def Log(self, request: Any) -> None:  # noqa: N802
        if request.severity < engine_pb2.INFO:
            return
        word = {engine_pb2.WARNING: "warning: ", engine_pb2.ERROR: "error: "}
        self.said.append(word.get(request.severity, "") + request.message)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        with self._turn:
            if self._problems or self._killed:
                raise StoppedError
            registered = self._read(request)
            self._check(registered)
            self.recording.by_urn[registered.urn] = registered
            id_, properties = "", registered.inputs
            if request.custom:
                try:
                    id_, properties = self._step(registered)
                except Killed as killed:
                    self._killed = killed
                    raise StoppedError from killed
            found = struct_pb2.Struct()
            found.update({key: value for key, value in properties.items() if value is not None})
            return resource_pb2.RegisterResourceResponse(urn=registered.urn, id=id_, object=found)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResourceOutputs(request)
        if self.recording.by_urn[request.urn].type == STACK:
            if not self.is_preview and self._killed is None:
                self._stack.outputs = self.recording.stack_outputs
            self._has_outputs.set()
        return answer

    def _step(self, registered: Registered) -> tuple[str, Mapping[str, Any]]:
        stored = self._stack.resources.get(registered.urn)
        kind = self._kind(registered, stored)
        if kind == "same":
            assert stored is not None
            stored.dependencies = registered.dependencies
            return stored.id, stored.outputs
        if self.is_preview:
            self._ask(f"before_{kind}", registered, stored)
            self.steps.append(Step(registered.name, kind))
            computed = dict(stored.outputs) if stored else {}
            return f"{registered.name}-id", computed | dict(registered.inputs)
        return self._really(kind, registered, stored)

    def _kind(self, registered: Registered, stored: Stored | None) -> str:
        if stored is None:
            return "create"
        provider = self._stack.surroundings.provider(registered)
        found = provider.diff(stored.id, dict(stored.outputs), dict(registered.inputs))
        return "update" if found.changes else "same"

    def _really(
        self, kind: str, registered: Registered, stored: Stored | None
    ) -> tuple[str, Mapping[str, Any]]:
        instant, name = self._stack.surroundings.instant, registered.name
        instant(f"before the hooks of {name}")
        self._ask(f"before_{kind}", registered, stored)
        instant(f"before the {kind} of {name}")
        after = self._provide(kind, registered, stored)
        instant(f"after the {kind} of {name}, not in the state yet")
        # The hooks after a creation run before its state is written, those of an update as well;
        # what they say does not undo the step.
        failed: StoppedError | None = None
        try:
            self._ask(f"after_{kind}", registered, stored)
        except StoppedError as error:
            failed = error
        instant(f"after the hooks of {name}, not in the state yet")
        self._stack.resources.pop(registered.urn, None)
        self._stack.resources[registered.urn] = after
        self.steps.append(Step(name, kind))
        instant(f"after {name} is in the state")
        if failed is not None:
            raise failed
        return after.id, after.outputs

    def _provide(self, kind: str, registered: Registered, stored: Stored | None) -> Stored:
        provider = self._stack.surroundings.provider(registered)
        inputs = dict(registered.inputs)
        try:
            if kind == "create":
                created = provider.create(inputs)
                id_, outputs = created.id, created.outs
            else:
                assert stored is not None
                id_ = stored.id
                outputs = provider.update(id_, dict(stored.outputs), inputs).outs
        except BlueGreenError as error:
            self._stack.failed.append(Step(registered.name, kind))
            self._run_hooks("on_error", registered, stored)
            self._stop(str(error))
        return Stored(
            type=registered.type,
            name=registered.name,
            id=id_,
            outputs=_kept(outputs or {}, registered.inputs),
            dependencies=registered.dependencies,
        )

    def _ask(self, kind: str, registered: Registered, stored: Stored | None) -> None:
        problem = self._run_hooks(kind, registered, stored)
        if problem is not None:
            self._stop(problem)

    def _stop(self, problem: str) -> None:
        self._stack.surroundings.instant("after a refusal")
        self._problems.append(problem)
        if not self.is_preview and self._stack.surroundings.sends_outputs(self):
            # The engine stops the program only after it has heard what it had to say.
            assert self._has_outputs.wait(OUTPUTS_SECONDS), "the outputs were not sent"
        raise StoppedError

    def _run_hooks(self, kind: str, registered: Registered, stored: Stored | None) -> str | None:
        """What the first hook that refuses says."""
        for name in registered.hooks.get(kind, ()):
            hook, context = self._hooks[name]
            options = getattr(hook, "opts", None)
            if self.is_preview and not (options and options.on_dry_run):
                continue
            error = self._call(hook, context, _arguments(kind, registered, stored))
            self._stack.surroundings.instant(f"after the hook {name}")
            if error is None:
                continue
            # An exception without a text passes as success.
            if options is not None and options.ignore_errors:
                self.said.append(f"warning: {error}")
            elif str(error):
                return f"{kind} hook {name!r} failed: {error}"
        return None

    def _call(self, hook: Any, context: contextvars.Context, arguments: Any) -> Exception | None:
        answer: concurrent.futures.Future[Exception | None] = concurrent.futures.Future()

        async def call() -> None:
            try:
                found = hook(arguments)
                if inspect.isawaitable(found):
                    await found
            except Exception as error:  # noqa: BLE001  # as the SDK's callback server does
                answer.set_result(error)
            else:
                answer.set_result(None)

        tasks: list[asyncio.Task[None]] = []
        self._loop.call_soon_threadsafe(
            lambda: tasks.append(self._loop.create_task(call())), context=context
        )
        return answer.result(HOOK_SECONDS)

    def _delete_the_rest(self) -> None:
        resources = self._stack.resources
        gone = {urn for urn in resources if urn not in self.recording.by_urn}
        order = graphlib.TopologicalSorter(
            {urn: resources[urn].dependencies & gone for urn in gone}
        )
        for urn in reversed(list(order.static_order())):
            self._delete(urn, resources[urn])

    def _delete(self, urn: str, stored: Stored) -> None:
        self.steps.append(Step(stored.name, "delete"))
        if self.is_preview:
            return
        instant = self._stack.surroundings.instant
        instant(f"before the deletion of {stored.name}")
        try:
            self._stack.surroundings.provider(stored).delete(stored.id, dict(stored.outputs))
        except BlueGreenError as error:
            self.steps.pop()
            self._problems.append(str(error))
            return
        instant(f"after the deletion of {stored.name}, still in the state")
        del self._stack.resources[urn]
        instant(f"after the deletion of {stored.name}")


def _arguments(kind: str, registered: Registered, stored: Stored | None) -> Any:
    """The same for all kinds: `on_error` and `after` hooks of this library ask for none."""
    is_error = kind == "on_error"
    old = dict(stored.outputs) if stored else None
    return (pulumi.ErrorHookArgs if is_error else pulumi.ResourceHookArgs)(
        urn=registered.urn,
        id=stored.id if stored else "",
        name=registered.name,
        type=registered.type,
        new_inputs=dict(registered.inputs),
        old_inputs=old,
        old_outputs=old,
    )
