"""The report as one page that needs nothing else: no script, no font, no network."""

from collections.abc import Iterator, Sequence
from html import escape

from bluegreen.page import Share, bar, chips, folded, page, table
from bluegreen.preview.report import ServiceReport, StackReport
from bluegreen.preview.rows import COLUMNS, color_rows, gate_lines

__all__ = ["as_html"]


def as_html(reports: Sequence[StackReport]) -> str:
    """A page for phones and screens, light or dark as the reader has it."""
    places = ", ".join(report.place for report in reports[:5])
    sections = ["\n".join(_parts(report)) for report in reports]
    return page(f"{places}: what moves", sections)


def _parts(report: StackReport) -> Iterator[str]:
    yield f"<h1>{escape(report.headline)}</h1>"
    yield chips(report.verdicts or ["unknown"])
    for service in report.services:
        yield from _service(report, service)
    messages = [("error", each) for each in report.errors]
    messages += [("warning", each) for each in report.warnings]
    if messages:
        lines = (f'<li class="{kind}">{kind}: {escape(text)}</li>' for kind, text in messages)
        yield f"<ul>{''.join(lines)}</ul>"
    if report.operations:
        yield folded(report.counted, _resources(report))
    if report.hidden:
        total = sum(report.hidden.values())
        where = "only in the output of <code>pulumi preview</code>"
        yield f'<p class="quiet">{total} messages are {where}</p>'


def _service(report: StackReport, service: ServiceReport) -> Iterator[str]:
    if len(report.services) > 1:
        yield f"<h2>{escape(service.name)}</h2>"
    if not service.colors:
        return
    yield f'<div class="traffic">{_bar("now", service, 0)}{_bar("after", service, 1)}</div>'
    yield table(COLUMNS, color_rows(service))
    if lines := gate_lines(service):
        yield folded(f"{len(lines)} gates", lines)


def _bar(when: str, service: ServiceReport, index: int) -> str:
    shares = [
        Share(row.color, f"{row.color} {row.release[index] or ''} {row.share[index]} %", percent)
        for row in service.colors
        if (percent := row.share[index])
    ]
    return f"<p>{when}</p>{bar(shares)}"


def _resources(report: StackReport) -> list[str]:
    lines = []
    for each in report.resources:
        properties = f": {', '.join(each.properties)}" if each.properties else ""
        lines.append(f"{each.op} {each.kind} {each.name}{properties}")
    if report.resources_left_out:
        lines.append(f"and {report.resources_left_out} more")
    return lines
