"""The report for a terminal."""

from collections.abc import Iterator, Sequence

from bluegreen.preview.report import StackReport
from bluegreen.preview.rows import COLUMNS, color_rows, gate_lines

__all__ = ["as_text"]


def as_text(reports: Sequence[StackReport]) -> str:
    """Each stack's headline first, then its colors, warnings, resources and what was said."""
    return "\n\n".join("\n".join(_lines(report)) for report in reports) + "\n"


def _lines(report: StackReport) -> Iterator[str]:
    yield report.headline
    yield f"  {', '.join(report.verdicts) or 'unknown'}"
    for service in report.services:
        if rows := color_rows(service):
            yield ""
            yield from _table([COLUMNS, *rows])
        for line in gate_lines(service):
            yield f"  gate {line}"
    yield from _messages("error", report.errors)
    yield from _messages("warning", report.warnings)
    yield from _resources(report)
    for severity, count in sorted(report.hidden.items()):
        yield f"  {count} messages ({severity}) are only in the output of `pulumi preview`"


def _messages(kind: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield "  " + f"{kind}: {text}".replace("\n", "\n    ")


def _resources(report: StackReport) -> Iterator[str]:
    for each in report.resources:
        properties = f" ({', '.join(each.properties)})" if each.properties else ""
        yield f"  {each.op} {each.kind} {each.name}{properties}"
    if report.resources_left_out:
        yield f"  and {report.resources_left_out} more resources"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
