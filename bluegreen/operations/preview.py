"""What an update would mean for production traffic; nothing is changed."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bluegreen.operations.automation import Stack
from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.preview import (
    StackReport,
    UnreadableDocumentError,
    VerdictClass,
    read_document,
    report_on,
)

__all__ = ["check_verdicts", "preview_of_file", "preview_of_stack"]


def preview_of_stack(stack: Stack) -> StackReport:
    """Runs `pulumi preview --json`; a preview that fails is told of, too.

    Raises:
        OperationError: There is no such stack, it is locked, or the engine printed no document.
    """
    name = f"{stack.project.name}/{stack.name.rsplit('/', 1)[-1]}"
    return _report(stack.preview_document(), name)


def preview_of_file(path: Path) -> StackReport:
    """The same of what was printed before, for example by another step of a pipeline.

    Raises:
        UsageError: The file is not there, or is no such document.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}; nothing was done"
        raise UsageError(msg) from error
    return _report(text, None)


def _report(text: str | bytes, name: str | None) -> StackReport:
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
