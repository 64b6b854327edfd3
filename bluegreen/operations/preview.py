"""What an update would mean for production traffic; nothing is changed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.operations.pulumi_command import StackLockedError
from bluegreen.operations.stack import Stack
from bluegreen.preview import (
    StackReport,
    UnreadableDocumentError,
    VerdictClass,
    failed_report,
    is_event,
    read_document,
    report_on,
)

__all__ = ["check_verdicts", "preview_of_file", "preview_of_stack"]


def preview_of_stack(stack: Stack, tell: Callable[[str], None] = lambda _: None) -> StackReport:
    """Runs `pulumi preview --json`; one that fails, or does not come about, has a report too.

    Args:
        stack: Whose.
        tell: Is given the engine's own words, which are not for everybody, where it said no more.

    Raises:
        UsageError: There is no such stack, or no engine.
    """
    name = f"{stack.project.name}/{stack.name.rsplit('/', 1)[-1]}"
    try:
        text, has_succeeded = stack.preview_document()
    except StackLockedError as error:
        tell(str(error))
        return failed_report(name, "another update of the stack is under way, or left its lock")
    except RefusedError as error:
        tell(str(error))
        return failed_report(name, "`pulumi preview` printed no document; its log says why")
    report = _report(text, name)
    if has_succeeded or report.has_failed:
        return report
    return replace(report, has_failed=True, errors=(*report.errors, _SILENT))


_SILENT = (
    "`pulumi preview` failed and its document does not say why, as when a mandatory policy is "
    "violated; `pulumi preview` shows it"
)


def preview_of_file(path: Path) -> StackReport:
    """The same of what was printed before, for example by another step of a pipeline.

    Raises:
        UsageError: The file is not there, or is no such document.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            first = lines.readline()
            # Of events only one is kept at a time, however many there are.
            text = chain([first], lines) if is_event(first) else first + lines.read()
            return _report(text, None)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}; nothing was done"
        raise UsageError(msg) from error


def _report(text: str | Iterable[str], name: str | None) -> StackReport:
    try:
        return report_on(read_document(text), name=name)
    except UnreadableDocumentError as error:
        raise UsageError(str(error)) from error


def check_verdicts(reports: Iterable[StackReport], refused: Sequence[VerdictClass]) -> None:
    """What makes a pipeline stop.

    Raises:
        RefusedError: A preview failed, or one is of a class that was named.
    """
    problems = []
    for report in reports:
        if report.has_failed:
            problems.append(f"{report.place}: the preview failed")
        if found := [verdict for verdict in report.verdicts if verdict in refused]:
            problems.append(f"{report.place}: {', '.join(found)} (--fail-on)")
    if problems:
        msg = f"{'; '.join(problems)}; nothing was changed"
        raise RefusedError(msg)
