"""Do the rising color's answers keep to a JSON schema?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pydantic import JsonValue

from bluegreen.gates.answers import Answer
from bluegreen.gates.expectations import status_problem
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.probe import Finding, Probe
from bluegreen.gates.wording import error_text, one_line

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["JsonSchemaGate"]

_TOLD = 5
"""That many violations are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaGate(WrittenGate):
    """Passes when enough answers in a row fit the schema."""

    probe: Probe
    schema: Mapping[str, JsonValue] = field(repr=False)
    status: int = 200

    @property
    def lacks(self) -> str:
        """The package that knows schemas, or a schema that is one."""
        if find_spec("jsonschema") is None:
            return "no package jsonschema; `pip install 'bluegreen-pulumi[gates]'`"
        return _schema_problem(self.schema)

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks until enough good answers came in a row, or until the deadline."""
        validator = _validator(self.schema)
        series = self.probe.run(
            subject.endpoint, deadline, lambda answer: self._judge(answer, validator)
        )
        passed = not series.problem
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=f"GET {self.probe.path} fits the schema, {self.probe.consecutive} times in a row"
            if passed
            else series.problem,
            value=series.value,
            limit="0 violations",
        )

    def _judge(self, answer: Answer, validator: "Validator") -> Finding:
        request = f"GET {self.probe.path}"
        if problem := status_problem(answer, self.status):
            return Finding(str(answer.status), f"{request}: {problem}")
        violations = _violations(answer, validator)
        listed = "; ".join(violations[:_TOLD])
        more = f"; and {len(violations) - _TOLD} more" if len(violations) > _TOLD else ""
        problem = f"{request} does not fit the schema: {listed}{more}" if violations else ""
        return Finding(f"{len(violations)} violations", problem)


def _validator(schema: Mapping[str, JsonValue]) -> "Validator":
    # Not a requirement of the library: only who writes such a gate needs it.
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    chosen = validator_for(dict(schema), default=Draft202012Validator)
    # An empty registry: the package's own one fetches what a `$ref` leads to.
    validator: Validator = chosen(dict(schema), registry=Registry())
    return validator


def _schema_problem(schema: Mapping[str, JsonValue]) -> str:
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        _validator(schema).check_schema(dict(schema))
    except SchemaError as error:
        return f"json_schema is no schema: {error.json_path}: {one_line(error.message)}"
    return ""


def _violations(answer: Answer, validator: "Validator") -> list[str]:
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        return sorted(
            f"{error.json_path}: {one_line(error.message)}"
            for error in validator.iter_errors(answer.json())
        )
    except Unresolvable as error:
        return [f"the schema leads nowhere: {error_text(error)}"]
