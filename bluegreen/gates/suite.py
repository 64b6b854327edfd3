"""Does the rising color do its work? Requests that build on each other, one after the other."""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from pydantic import JsonValue

from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.expectations import field_problem, status_problem
from bluegreen.gates.gate import Deadline, Endpoint, Subject, Verdict, WrittenGate
from bluegreen.gates.masking import Mask
from bluegreen.gates.wording import one_line, seconds
from bluegreen.settings.placeholders import filled, filled_json
from bluegreen.settings.suite import SuiteStepSettings

__all__ = ["SuiteGate"]

_MASKED_FROM = 8
"""Taken texts of so many characters are masked: a token is longer, and `1` is in every status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteGate(WrittenGate):
    """Passes when every step is answered as it should be; runs once, because steps change things.

    No secret, and nothing that was taken from an answer, is in what it says.
    """

    steps: tuple[SuiteStepSettings, ...]
    secret_env: Mapping[str, str] = field(default_factory=dict)
    """Names of secrets, and the environment variables that hold them."""

    timeout_seconds: float = 60
    request_timeout_seconds: float = 5

    @property
    def lacks(self) -> str:
        """The variables of secrets that are not there."""
        missing = [name for name in self.secret_env.values() if not os.environ.get(name)]
        return f"no variable {', '.join(missing)}; set it where `pulumi up` runs" if missing else ""

    @property
    def runs_in_preview(self) -> bool:
        """Never: nobody expects a preview to log in and place orders."""
        return False

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Runs the steps, at most until the deadline."""
        secrets = {name: os.environ[variable] for name, variable in self.secret_env.items()}
        visit = _Visit(subject, secrets, self.request_timeout_seconds)
        problem, done = "", 0
        for step in self.steps:
            problem = visit.do(step, deadline)
            if problem:
                break
            done += 1
        total = len(self.steps)
        failed = self.steps[min(done, total - 1)].name
        return Verdict(
            gate=self.name,
            passed=not problem,
            reason=f"step {done + 1} of {total}, {failed}: {problem}"
            if problem
            else f"all {total} steps were answered as they should be",
            value=f"{done} of {total} steps",
            limit=f"{total} of {total} steps",
            detail="\n".join(visit.done) or None,
        )


class _Visit:
    """One client of the color, with what it has learnt so far."""

    def __init__(
        self, subject: Subject, secrets: Mapping[str, str], request_timeout_seconds: float
    ) -> None:
        self._endpoint = subject.endpoint
        self._secrets = list(secrets.values())
        self._values: dict[str, JsonValue] = {**subject.names, **secrets}
        self._mask = Mask(self._secrets)
        self._request_timeout_seconds = request_timeout_seconds
        self.done: list[str] = []
        """What each step gave, for people."""

    def do(self, step: SuiteStepSettings, deadline: Deadline) -> str:
        """What is wrong with the step's answer; empty when nothing."""
        request = f"{step.method} {step.path}"
        if deadline.remaining_seconds <= 0:
            return f"{request}: was not asked, the time was over before"
        started, answer = time.monotonic(), None
        try:
            answer = self._ask(step, deadline)
            problem = self._judge(step, answer)
        except UnusableAnswerError as error:
            problem = self._mask.text(str(error))
        gave = f"gave {answer.status}" if answer else "gave no answer"
        self.done.append(f"{step.name}: {request} {gave}, {seconds(time.monotonic() - started)}")
        return f"{request}: {one_line(problem, 500)}" if problem else ""

    def _ask(self, step: SuiteStepSettings, deadline: Deadline) -> Answer:
        """The answer; raises `UnusableAnswerError` without one."""
        body = None
        headers = {name: filled(text, self._values) for name, text in step.headers.items()}
        if step.json_body is not None:
            body = json.dumps(filled_json(step.json_body, self._values)).encode()
            headers = {"content-type": "application/json"} | headers
        if problem := _header_problem(headers, self._endpoint):
            raise UnusableAnswerError(problem)
        path = filled(step.path, self._values, lambda text: quote(text, safe=""))
        limit = max(0.01, min(self._request_timeout_seconds, deadline.remaining_seconds))
        return ask(self._endpoint, step.method, path, limit, headers=headers, body=body)

    def _judge(self, step: SuiteStepSettings, answer: Answer) -> str:
        # Taken first: what is quoted of this very answer must not show what is taken from it.
        taken = _taken(step, answer)
        self._hide(taken)
        answer = replace(answer, mask=self._mask.text)
        if problem := status_problem(answer, step.status):
            return problem
        wanted: dict[str, JsonValue] = {
            **dict.fromkeys(step.json_fields),
            **{name: filled_json(text, self._values) for name, text in step.json_equals.items()},
        }
        problems = [field_problem(answer, name, value) for name, value in wanted.items()]
        problems += [
            f"{where}, taken as {name}, is {answer.quoted(answer.field(where))}, not one value"
            for name, where in step.take.items()
            if name not in taken
        ]
        self._values |= taken
        return "; ".join(filter(None, problems))

    def _hide(self, taken: Mapping[str, JsonValue]) -> None:
        texts = [each for each in taken.values() if isinstance(each, str)]
        self._secrets += [text for text in texts if len(text) >= _MASKED_FROM]
        self._mask = Mask(self._secrets)


def _taken(step: SuiteStepSettings, answer: Answer) -> dict[str, JsonValue]:
    """What can be taken from an answer: texts, numbers, true and false."""
    taken: dict[str, JsonValue] = {}
    for name, where in step.take.items():
        with contextlib.suppress(UnusableAnswerError):
            value = answer.field(where)
            if isinstance(value, str | int | float):
                taken[name] = value
    return taken


def _header_problem(headers: Mapping[str, str], endpoint: Endpoint) -> str:
    """Why headers cannot be sent, without their values; empty when they can."""
    pinned = {name.lower() for name in endpoint.headers}
    for name, value in headers.items():
        if name.lower() in pinned:
            return f"was not sent: the header {name} is what leads to the color"
        if not (value.isascii() and value.isprintable()):
            return f"was not sent: a header takes plain ASCII on one line, and {name} is not that"
    return ""
