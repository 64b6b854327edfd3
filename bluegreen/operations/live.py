"""What is live: asked of production over HTTP, or of the program, which asks the data plane."""

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.contract import RequestVariable
from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.gate import Endpoint
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.outcome import RefusedError
from bluegreen.operations.stack import Stack
from bluegreen.report import Report
from bluegreen.settings.following import ColorFromSettings

__all__ = ["HttpAnswers", "ask_program", "ask_url", "differs_from", "now", "who_answers"]

_ALL = 100


def now() -> str:
    """This moment in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class HttpAnswers:
    """What an address answered to a few requests, each on a connection of its own."""

    url: str
    at: str
    count: int
    colors: dict[str, int]
    """How many answers named which color; empty where no answer says it."""

    failed: int
    """Answers that were no 2xx, and requests without one."""

    median_ms: float | None
    problem: str = ""
    """What the last failure was."""


def ask_url(
    url: str, color_from: ColorFromSettings | None, *, count: int, path: str | None = None
) -> HttpAnswers:
    """Asks one address; stops after two failures in a row, of which each may take a second.

    Args:
        url: The address.
        color_from: Where an answer says which color gave it; None: nobody wants to know.
        count: How many requests.
        path: What to ask for; by default that of `color_from`, or `/`.
    """
    asked = path or (color_from.path if color_from else "/")
    colors: Counter[str] = Counter()
    times: list[float] = []
    failed, in_a_row, problem = 0, 0, ""
    for _ in range(count):
        started = time.monotonic()
        try:
            color = _color(url, asked, color_from)
        except UnusableAnswerError as error:
            failed, in_a_row, problem = failed + 1, in_a_row + 1, str(error)
            if in_a_row > 1:
                break
            continue
        in_a_row = 0
        times.append(time.monotonic() - started)
        if color is not None:
            colors[color] += 1
    return HttpAnswers(
        url=url,
        at=now(),
        count=len(times) + failed,
        colors=dict(sorted(colors.items())),
        failed=failed,
        median_ms=round(sorted(times)[len(times) // 2] * 1000, 1) if times else None,
        problem=problem,
    )


def _color(url: str, path: str, color_from: ColorFromSettings | None) -> str | None:
    answer = ask(Endpoint(url.rstrip("/")), "GET", path, 1.0)
    if not answer.is_success:
        msg = f"{url}{path} answers {answer.status}"
        raise UnusableAnswerError(msg)
    return None if color_from is None else _named_in(answer, color_from)


def _named_in(answer: Answer, color_from: ColorFromSettings) -> str | None:
    if color_from.header is not None:
        return answer.headers.get(color_from.header.lower())
    return str(answer.field(color_from.json_field or ""))


def who_answers(url: str, color_from: ColorFromSettings, *, count: int) -> set[str]:
    """The colors that a few answers name, also those that are errors; none where nobody says it."""
    found: set[str] = set()
    for _ in range(count):
        try:
            answer = ask(Endpoint(url.rstrip("/")), "GET", color_from.path, 1.0)
            found.add(_named_in(answer, color_from) or "")
        except UnusableAnswerError:
            break
    return found - {""}


def ask_program(
    stack: Stack,
    *,
    validate: Color | None = None,
    tell: Callable[[EngineMessage], None] = lambda _: None,
) -> Report:
    """Runs a preview in which the program asks the data plane; changes nothing, takes no lock.

    Raises:
        RefusedError: The program does not run, or does not keep to this part of the contract.
    """
    with _answer_file() as path:
        environment = {str(RequestVariable.REPORT): str(path)}
        if validate is not None:
            environment[RequestVariable.VALIDATE] = str(validate)
        failure = ""
        try:
            stack.preview(environment=environment, tell=tell)
        except RefusedError:
            raise
        except Exception as error:
            failure = str(error)
            if not path.exists():
                msg = f"the program could not be asked: {failure}; nothing was changed"
                raise RefusedError(msg) from error
        if not path.exists():
            msg = (
                "the program does not say what is live; nothing was changed; it needs "
                "bluegreen.service_component of this version or newer"
            )
            raise RefusedError(msg)
        try:
            return Report.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            msg = f"{error}; nothing was changed; is the program's bluegreen another version?"
            raise RefusedError(msg) from error


def differs_from(report: Report, recorded: Color, canary_percent: int) -> str | None:
    """How what is live differs from what is recorded; None when it does not.

    Args:
        report: What is live.
        recorded: The color that the last update left with production.
        canary_percent: What the other color is to have beside it.
    """
    share = report.colors[str(recorded)].share
    if report.active == str(recorded) and share == _ALL - canary_percent:
        return None
    if share is None:
        told = report.problem or "nobody has production traffic"
    else:
        shares = [f"{each.share} % to {color}" for color, each in sorted(report.colors.items())]
        told = f"production traffic goes {', '.join(shares)}"
    beside = f" with {canary_percent} % for {recorded.other}" if canary_percent else ""
    return f"{told}; the last update left it at {recorded}{beside}"


@contextlib.contextmanager
def _answer_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bluegreen-") as folder:
        yield Path(folder, "report.json")
