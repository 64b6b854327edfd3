"""Asks a running Terraform provider for AWS."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from tests.standins.aws.process import ProviderProcess
from tests.standins.aws.proposal import proposed
from tests.standins.aws.protocol import Protocol
from tests.standins.aws.shapes import Shape
from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["Found", "Plan", "Problem", "ProblemError", "Terraform"]

TERRAFORM_VERSION = "1.11.4"
ERROR = 1

Values = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """What the provider has to say against something."""

    text: str
    path: Path
    """Where, in Terraform's names; empty if nowhere in particular."""


class ProblemError(Exception):
    """The provider refused, or failed."""

    def __init__(self, problems: Sequence[Problem], left: "Found | None" = None) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = tuple(problems)
        self.left = left
        """What is there nevertheless."""


@dataclass(frozen=True)
class Found:
    """A resource as it is."""

    state: Values | None
    private: bytes = b""
    """What the provider wants to be told again."""


@dataclass(frozen=True)
class Plan:
    """What the provider would do to get from one state to another."""

    state: Values
    replaces: tuple[Path, ...]
    """What cannot be changed in place."""

    private: bytes
    encoded: Any = None


class Terraform:
    """One provider process; it can be configured once."""

    def __init__(self, process: ProviderProcess) -> None:
        self._process = process
        self._protocol = Protocol(process.channel)

    def close(self) -> None:
        """Ends the process."""
        self._process.close()

    def schema(self) -> Any:
        """All that the provider can do."""
        return self._protocol.call("GetSchema")

    def configure(self, values: Values) -> None:
        """Tells it where AWS is and who asks.

        Raises:
            ProblemError: it cannot work with that.
        """
        answer = self._protocol.call("PrepareProviderConfig", config=self._encoded(values))
        _check(answer.diagnostics)
        answer = self._protocol.call(
            "Configure", terraform_version=TERRAFORM_VERSION, config=self._encoded(values)
        )
        _check(answer.diagnostics)

    def validate(self, kind: str, wanted: Values) -> tuple[Problem, ...]:
        """What is wrong with a resource that can be told without AWS."""
        answer = self._protocol.call(
            "ValidateResourceTypeConfig", type_name=kind, config=self._encoded(wanted)
        )
        return tuple(_errors(answer.diagnostics))

    def plan(self, shape: Shape, prior: Found, wanted: Values | None) -> Plan:
        """From `prior` to `wanted`; None is the end of the resource.

        Raises:
            ProblemError: the provider cannot do that.
        """
        goal = None if wanted is None else proposed(shape, prior.state, wanted)
        answer = self._protocol.call(
            "PlanResourceChange",
            type_name=shape.type,
            prior_state=self._encoded(prior.state),
            proposed_new_state=self._encoded(goal),
            config=self._encoded(wanted),
            prior_private=prior.private,
        )
        _check(answer.diagnostics)
        state = _decoded(answer.planned_state)
        replaces = tuple(_path(path) for path in answer.requires_replace)
        return Plan(state, replaces, answer.planned_private, answer.planned_state)

    def apply(self, shape: Shape, prior: Found, wanted: Values | None, plan: Plan) -> Found:
        """Does what was planned.

        Raises:
            ProblemError: it failed; with what is there nevertheless.
        """
        answer = self._protocol.call(
            "ApplyResourceChange",
            type_name=shape.type,
            prior_state=self._encoded(prior.state),
            planned_state=plan.encoded,
            config=self._encoded(wanted),
            planned_private=plan.private,
        )
        found = Found(_decoded(answer.new_state), answer.private)
        _check(answer.diagnostics, found)
        return found

    def read(self, kind: str, known: Found) -> Found:
        """The resource as it is now; its state is None when it is gone.

        Raises:
            ProblemError: AWS does not say.
        """
        answer = self._protocol.call(
            "ReadResource",
            type_name=kind,
            current_state=self._encoded(known.state),
            private=known.private,
        )
        _check(answer.diagnostics)
        return Found(_decoded(answer.new_state), answer.private or known.private)

    def imported(self, kind: str, identity: str) -> Found:
        """What has to be known of a resource before it can be read.

        Raises:
            ProblemError: that can be no resource of the type.
        """
        answer = self._protocol.call("ImportResourceState", type_name=kind, id=identity)
        _check(answer.diagnostics)
        own = next(each for each in answer.imported_resources if each.type_name == kind)
        return Found(_decoded(own.state), own.private)

    def ask(self, kind: str, arguments: Values) -> Values:
        """The answer of a data source.

        Raises:
            ProblemError: there is none.
        """
        answer = self._protocol.call(
            "ReadDataSource", type_name=kind, config=self._encoded(arguments)
        )
        _check(answer.diagnostics)
        return _decoded(answer.state) or {}

    def _encoded(self, value: Any) -> Any:
        packed = msgpack.packb(value, default=_extended)
        return self._protocol.message("DynamicValue", msgpack=packed)


def _extended(value: Any) -> msgpack.ExtType:
    if value is not UNKNOWN:
        raise TypeError(repr(value))
    return msgpack.ExtType(0, b"\x00")


def _decoded(value: Any) -> Any:
    if value.msgpack:
        # Of what is not known, the provider may say what it is not; nobody here needs that.
        return msgpack.unpackb(value.msgpack, ext_hook=lambda _code, _data: UNKNOWN)
    return json.loads(value.json) if value.json else None


def _check(diagnostics: Any, left: Found | None = None) -> None:
    if problems := tuple(_errors(diagnostics)):
        raise ProblemError(problems, left)


def _errors(diagnostics: Any) -> Iterator[Problem]:
    for each in diagnostics:
        if each.severity == ERROR:
            text = f"{each.summary}: {each.detail}" if each.detail else each.summary
            yield Problem(text, _path(each.attribute))


def _path(path: Any) -> Path:
    return tuple(getattr(step, step.WhichOneof("selector")) for step in path.steps)
