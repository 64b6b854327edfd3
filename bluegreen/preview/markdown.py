"""The report as a comment of a pull request."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bluegreen.preview.report import ResourceLine, ServiceReport, StackReport
from bluegreen.preview.rows import COLUMNS, color_rows, gate_lines

__all__ = ["LIMIT", "as_markdown", "marker"]

LIMIT = 65_000
"""Characters: a comment on GitHub may have 65,536."""

_SPECIAL = re.compile(r"([\\`*~<>|\[\]#@])")
_NOT_IN_A_MARKER = re.compile(r"[^\w./]+")


@dataclass(frozen=True, slots=True)
class _Detail:
    """How much is told about each stack; less of it where all together would be too long."""

    resources: int
    messages: int
    has_tables: bool = True


_DETAILS = (
    _Detail(resources=200, messages=30),
    _Detail(resources=40, messages=30),
    _Detail(resources=10, messages=5),
    _Detail(resources=0, messages=2),
    _Detail(resources=0, messages=0, has_tables=False),
)


def marker(repository: str, project: str) -> str:
    """What finds the comment again: invisible, one for each repository and project."""
    repository, project = (_NOT_IN_A_MARKER.sub("_", each) for each in (repository, project))
    return f"<!-- bluegreen-preview {repository} {project} -->"


def as_markdown(
    reports: Sequence[StackReport], *, mark: str | None = None, limit: int = LIMIT
) -> str:
    """One comment about any number of stacks, never longer than the limit.

    Args:
        reports: The stacks, in the order in which they are shown.
        mark: What `marker` made; comes last, whatever had to be left out.
        limit: Characters.
    """
    end = f"\n{mark}\n" if mark else ""
    for detail in _DETAILS:
        text = "\n\n---\n\n".join(_stack(report, detail) for report in reports) + "\n"
        if len(text) + len(end) <= limit:
            return text + end
    return _headlines(reports, limit - len(end)) + end


def _headlines(reports: Sequence[StackReport], limit: int) -> str:
    """As many first lines as there is room for, and how many are left out."""
    lines: list[str] = []
    room = limit - 100
    for report in reports:
        line = f"{_headline(report)}\n\n"
        if len(line) > room:
            break
        lines.append(line)
        room -= len(line)
    left = len(reports) - len(lines)
    return "".join(lines) + (
        f"and {left} more stacks; see the output of the pipeline\n" if left else ""
    )


def _headline(report: StackReport) -> str:
    text = report.headline
    most = 1500
    return f"**{_plain(text if len(text) <= most else text[: most - 1] + '…')}**"


def _stack(report: StackReport, detail: _Detail) -> str:
    return "\n\n".join(filter(None, _parts(report, detail)))


def _parts(report: StackReport, detail: _Detail) -> Iterator[str]:
    yield _headline(report)
    yield f"Verdict: {', '.join(f'`{each}`' for each in report.verdicts) or 'unknown'}"
    for service in report.services if detail.has_tables else ():
        yield _service(report, service)
    yield _messages("error", report.errors, detail)
    yield _messages("warning", report.warnings, detail)
    yield _resources(report, detail)
    if report.hidden:
        yield _hidden(report)


def _service(report: StackReport, service: ServiceReport) -> str:
    parts = []
    if len(report.services) > 1:
        parts.append(f"`{service.name}`: {', '.join(service.verdicts)}")
    if rows := color_rows(service):
        parts.append("\n".join(map(_row, [COLUMNS, ("---",) * len(COLUMNS), *rows])))
    if lines := gate_lines(service):
        parts.append(_folded(f"{len(lines)} gates", [f"- {_plain(line)}" for line in lines]))
    return "\n\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _messages(kind: str, texts: Sequence[str], detail: _Detail) -> str:
    shown = [
        f"- **{kind}**: {_plain(text[:1000])}".replace("\n", "<br>")
        for text in texts[: detail.messages]
    ]
    if left := len(texts) - len(shown):
        shown.append(f"- and {left} more {kind}s")
    return "\n".join(shown)


def _resources(report: StackReport, detail: _Detail) -> str:
    if not report.operations:
        return ""
    shown = report.resources[: detail.resources]
    left = len(report.resources) - len(shown) + report.resources_left_out
    lines = [_resource(each) for each in shown]
    if left:
        lines.append(f"- and {left} more" if lines else f"- {left} resources")
    return _folded(report.counted, lines)


def _resource(each: ResourceLine) -> str:
    properties = (
        f": {', '.join(f'`{name}`' for name in each.properties)}" if each.properties else ""
    )
    return f"- {each.op} {each.kind} `{each.name}`{properties}"


def _hidden(report: StackReport) -> str:
    lines = [
        f"- {count} of severity {severity}" for severity, count in sorted(report.hidden.items())
    ]
    total = sum(report.hidden.values())
    title = f"{total} {'message' if total == 1 else 'messages'} not shown"
    return _folded(
        title, [*lines, "", "Their texts may hold anything; `pulumi preview` shows them."]
    )


def _folded(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"<details><summary>{title}</summary>", "", *lines, "", "</details>"])


def _plain(text: str) -> str:
    """The text with nothing in it that would be a format or mention somebody.

    Commands keep their back quotes: what is between them is shown as it is.
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _SPECIAL.sub(r"\\\1", text)
    return "`".join(
        part if index % 2 else _SPECIAL.sub(r"\\\1", part) for index, part in enumerate(parts)
    )
