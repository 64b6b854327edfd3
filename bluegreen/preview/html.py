"""The report as one page that needs nothing else: no script, no font, no network."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from bluegreen.preview.report import ColorRow, ServiceReport, StackReport
from bluegreen.preview.rows import COLUMNS, color_rows, gate_lines

__all__ = ["as_html"]


def as_html(reports: Sequence[StackReport]) -> str:
    """A page for phones and screens, light or dark as the reader has it."""
    style = files("bluegreen.preview").joinpath("page.css").read_text(encoding="utf-8")
    title = escape(", ".join(report.place for report in reports[:5]))
    # Not inside of an f-string: Python 3.11 takes no backslash there.
    sections = ["\n".join(_parts(report)) for report in reports]
    body = "\n".join(f"<section>\n{section}\n</section>" for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}: what moves</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _parts(report: StackReport) -> Iterator[str]:
    yield f"<h1>{escape(report.headline)}</h1>"
    verdicts = "".join(f"<span>{escape(each)}</span>" for each in report.verdicts or ["unknown"])
    yield f'<p class="verdicts">{verdicts}</p>'
    for service in report.services:
        yield from _service(report, service)
    messages = [("error", each) for each in report.errors]
    messages += [("warning", each) for each in report.warnings]
    if messages:
        lines = (f'<li class="{kind}">{kind}: {escape(text)}</li>' for kind, text in messages)
        yield f"<ul>{''.join(lines)}</ul>"
    if report.operations:
        yield _folded(report.counted, _resources(report))
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
    yield _table(service)
    if lines := gate_lines(service):
        yield _folded(f"{len(lines)} gates", lines)


def _bar(when: str, service: ServiceReport, index: int) -> str:
    parts = "".join(_part(row, index) for row in service.colors if row.share[index])
    return f'<p>{when}</p><div class="bar">{parts}</div>'


def _part(row: ColorRow, index: int) -> str:
    share = row.share[index]
    text = escape(f"{row.color} {row.release[index] or ''} {share} %")
    return f'<div class="{row.color}" style="width: {share}%" title="{text}">{text}</div>'


def _table(service: ServiceReport) -> str:
    head = "".join(f"<th>{column}</th>" for column in COLUMNS)
    rows = "".join(
        f'<tr><td class="{cells[0]}">{cells[0]}</td>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
        + "</tr>"
        for cells in color_rows(service)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _resources(report: StackReport) -> list[str]:
    lines = []
    for each in report.resources:
        properties = f": {', '.join(each.properties)}" if each.properties else ""
        lines.append(f"{each.op} {each.kind} {each.name}{properties}")
    if report.resources_left_out:
        lines.append(f"and {report.resources_left_out} more")
    return lines


def _folded(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>"
