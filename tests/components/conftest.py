"""A Pulumi engine that records what a program registers and creates nothing.

As strict as the real one, where Pulumi's own mocks are not: it refuses two resources with the same
URN, two hooks with the same name, hooks, parents and dependencies it has not seen, outputs that are
registered twice, and every lookup. No provider runs, and no gRPC server is started for the hooks:
several of those in one process have crashed the interpreter.

`MockMonitor` is not documented by Pulumi. This is the only file that knows it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi
import pytest
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.stack import run_in_stack

STACK = "pulumi:pulumi:Stack"
PROGRAM_SECONDS = 20.0
"""Resources that wait for each other never get registered: a program in a circle would hang."""

HOOK_KINDS = (
    "before_create",
    "after_create",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
    "on_error",
)

COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "pulumi-python:dynamic/onprem:LocalHaproxy": {
        "stats_socket": "/run/shop/haproxy.sock",
        "map_path": "/run/shop/traffic.map",
        "production_url": "http://127.0.0.1:18080",
        "test_url": "http://127.0.0.1:18443",
    },
    "pulumi-python:dynamic/onprem:Members": {"endpoints": ["http://127.0.0.1:18100"]},
    "pulumi-python:dynamic/onprem:HaproxyRoute": {
        "guarantee": "single write",
        "write_ms": 0.5,
        "durable_write_ms": 2.5,
        "written_at": "2026-01-01T00:00:00.000+00:00",
    },
    "pulumi-python:dynamic/onprem:ActiveFlag": {"since": "2026-01-01T00:00:00.000+00:00"},
    "aws:lb/targetGroup:TargetGroup": {
        "arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1",
        "arnSuffix": "targetgroup/{name}/1",
    },
    "aws:lb/listener:Listener": {
        "arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/front/1/{name}"
    },
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:autoscaling/group:Group": {"name": "{name}-0a1b2c3"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name": "{name}-0a1b2c3"},
    "aws:ssm/parameter:Parameter": {"version": 1},
}
"""What the providers would add to the inputs, by type; `{name}` is the resource's own."""

LOOKUPS: Mapping[str, Mapping[str, Any]] = {
    "aws:lb/getLoadBalancer:getLoadBalancer": {"dnsName": "front-1.elb.amazonaws.com"},
}
"""What the providers would answer, beside what was asked; every other lookup is refused."""


def _computed(type_: str, name: str) -> dict[str, Any]:
    return {
        key: value.format(name=name) if isinstance(value, str) else value
        for key, value in COMPUTED.get(type_, {}).items()
    }


@dataclass(frozen=True)
class Registered:
    """One registration, as it was sent."""

    urn: str
    type: str
    name: str
    parent: str
    is_component: bool
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    """The inputs that Pulumi encrypts."""

    dependencies: frozenset[str]
    """URNs."""

    property_dependencies: Mapping[str, frozenset[str]]
    hooks: Mapping[str, tuple[str, ...]]
    """Names of the hooks, by kind; only the kinds that have some."""


@dataclass
class Recording:
    """All that a program registered."""

    by_urn: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was registered as outputs, by URN."""

    hooks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def resources(self) -> list[Registered]:
        """Everything but the stack itself, in the order of registration."""
        return [each for each in self.by_urn.values() if each.type != STACK]

    @property
    def by_name(self) -> dict[str, Registered]:
        """What a provider manages; components may share a name."""
        return {each.name: each for each in self.resources if not each.is_component}

    def component(self, token: str) -> Registered:
        (found,) = [each for each in self.resources if each.type == token]
        return found

    def outputs_of(self, token: str) -> dict[str, Any]:
        return self.outputs[self.component(token).urn]

    @property
    def stack_outputs(self) -> dict[str, Any]:
        (stack,) = [each for each in self.by_urn.values() if each.type == STACK]
        return self.outputs[stack.urn]

    def dependencies(self, name: str) -> set[str]:
        """The names of what the resource `name` waits for."""
        return {self.by_urn[urn].name for urn in self.by_name[name].dependencies}

    def ancestors(self, resource: Registered) -> Iterator[Registered]:
        while resource.parent:
            resource = self.by_urn[resource.parent]
            yield resource


class RecordingEngine(mocks.MockMonitor):
    """Both ends the SDK talks to: the monitor that registers, and the engine that logs."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.recording = Recording()
        self._answers = answers

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        inherited = parent.split("::")[2] if parent else STACK
        path = type_ if inherited == STACK else f"{inherited}${type_}"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{path}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        registered = self._read(request)
        self._check(registered)
        self.recording.by_urn[registered.urn] = registered
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        outputs.update(_computed(request.type, request.name))
        outputs.update(self._answers.get(request.name, {}))
        return resource_pb2.RegisterResourceResponse(
            urn=registered.urn, id=f"{request.name}-id" if request.custom else "", object=outputs
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        outputs = self.recording.outputs
        if request.urn not in self.recording.by_urn or request.urn in outputs:
            raise AssertionError(f"outputs of something unknown, or twice: {request.urn}")
        outputs[request.urn] = rpc.deserialize_properties(request.outputs)
        return empty_pb2.Empty()

    def register_resource_hook(self, hook: pulumi.ResourceHook | pulumi.ErrorHook) -> None:
        """Called by the SDK in the place of its callback server."""
        if hook.name in self.recording.hooks:
            raise AssertionError(f"a hook of this name is there already: {hook.name}")
        self.recording.hooks.append(hook.name)

    # Both kinds of hook share one space of names.
    register_error_hook = register_resource_hook

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        if request.tok not in LOOKUPS:
            raise AssertionError(f"unexpected lookup: {request.tok}")
        answer = struct_pb2.Struct()
        answer.CopyFrom(request.args)
        answer.update(LOOKUPS[request.tok])
        return resource_pb2.ResourceInvokeResponse(**{"return": answer})

    def Call(self, request: Any) -> Any:  # noqa: N802
        raise AssertionError(f"unexpected call: {request.tok}")

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        raise AssertionError(f"unexpected read: {request.type} {request.id}")

    def Log(self, request: Any) -> None:  # noqa: N802
        if request.severity >= engine_pb2.WARNING:
            self.recording.warnings.append(request.message)

    def _read(self, request: Any) -> Registered:
        raw = rpc.deserialize_properties(request.object)
        return Registered(
            urn=self.make_urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            parent=request.parent,
            is_component=not request.custom,
            inputs={
                key: rpc.unwrap_rpc_secret(value) if rpc.is_rpc_secret(value) else value
                for key, value in raw.items()
            },
            secrets=frozenset(key for key, value in raw.items() if rpc.is_rpc_secret(value)),
            dependencies=frozenset(request.dependencies),
            property_dependencies={
                key: frozenset(each.urns) for key, each in request.propertyDependencies.items()
            },
            hooks={
                kind: tuple(names) for kind in HOOK_KINDS if (names := getattr(request.hooks, kind))
            },
        )

    def _check(self, registered: Registered) -> None:
        seen = self.recording.by_urn
        if registered.urn in seen:
            raise AssertionError(f"duplicate URN, which the real engine rejects: {registered.urn}")
        awaited = {*registered.dependencies, *filter(None, [registered.parent])}
        if unknown := awaited - seen.keys():
            raise AssertionError(f"{registered.urn} refers to what is not there: {unknown}")
        hooks = {name for names in registered.hooks.values() for name in names}
        if unknown := hooks - set(self.recording.hooks):
            raise AssertionError(f"{registered.urn} has hooks nobody registered: {unknown}")


class Deploy(Protocol):
    def __call__(
        self,
        program: Callable[[], Any],
        *,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        project: str = "shop",
    ) -> Recording: ...


def record(
    program: Callable[[], Any],
    *,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    project: str = "shop",
    seconds: float = PROGRAM_SECONDS,
) -> Recording:
    """Runs a program to its end; `answers` are outputs by resource name, instead of the inputs."""
    engine = RecordingEngine(answers or {})
    # Without a preview: else `apply` is skipped on what is not known yet, with its assertions.
    run_program(engine, program, project=project, seconds=seconds)
    return engine.recording


def run_program(
    engine: RecordingEngine,
    program: Callable[[], Any],
    *,
    project: str = "shop",
    root: str = "/project",
    is_preview: bool = False,
    seconds: float = PROGRAM_SECONDS,
) -> None:
    """Runs a program to its end; the first failure is raised."""

    def run() -> None:
        # A coroutine returned by mistake would be awaited; a component is simply made.
        program()

    async def under_pulumi() -> None:
        # One failure is raised; what waited for it fails with it, and would be logged whenever
        # the garbage collector finds it, in the middle of some other test.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        configured = settings.Settings(
            project=project,
            stack="test",
            monitor=engine,
            engine=engine,
            dry_run=is_preview,
            organization="organization",
            root_directory=root,
        )
        configured.callbacks = engine
        settings.configure(configured)
        settings.set_root_resource(None)  # type: ignore[arg-type]
        await asyncio.wait_for(run_in_stack(run), seconds)

    # The settings are context variables: they end with the loop's first task.
    asyncio.run(under_pulumi())


@pytest.fixture(autouse=True)
def _no_region_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program says of a region does not depend on who runs the tests."""
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def deploy() -> Deploy:
    return record
