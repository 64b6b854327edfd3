"""`bluegreen preview`."""

import os
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bluegreen.cli.options import Cwd
from bluegreen.cli.output import Output, ending
from bluegreen.operations import Stack
from bluegreen.operations.page_file import write_page
from bluegreen.operations.preview import check_verdicts, preview_of_file, preview_of_stack
from bluegreen.preview import (
    StackReport,
    VerdictClass,
    as_html,
    as_json,
    as_markdown,
    as_text,
    marker,
)

__all__ = ["preview"]


class _Format(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class _Host(StrEnum):
    """Where a comment is posted."""

    GITHUB = "github"
    GITLAB = "gitlab"


_WRITERS = {_Format.TEXT: as_text, _Format.MARKDOWN: as_markdown, _Format.JSON: as_json}


def preview(
    cwd: Cwd = Path(),
    stack: Annotated[
        list[str] | None,
        typer.Option(
            *("--stack", "-s"),
            help="A stack; may be given several times.",
            show_default="the selected one",
        ),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--from", help="What `pulumi preview --json --show-sames` printed before."),
    ] = None,
    shown: Annotated[_Format, typer.Option("--format", help="How it is printed.")] = _Format.TEXT,
    fail_on: Annotated[
        list[VerdictClass] | None,
        typer.Option(help="End with status 1 for previews of this class; several times for more."),
    ] = None,
    post: Annotated[
        _Host | None,
        typer.Option(help="Write it on the pull request that this pipeline runs for."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write it as a page for a browser to this file, too.")
    ] = None,
) -> None:
    """Show what an update would mean for production traffic. Changes nothing.

    Runs `pulumi preview` and reads what it says. Names, colors, releases, shares and numbers of
    members are shown; values of the config, of inputs and of outputs never are, nor are messages
    that may contain some.

    Examples:
    bluegreen preview --stack prod

    bluegreen preview --stack dev --stack prod --format markdown

    bluegreen preview --stack prod --post github

    bluegreen preview --fail-on "changes the live release" --fail-on "replaces the router"
    """
    output = Output(as_json=False)
    with ending(output):
        reports = _reports(cwd, stack or [], file or [], output.problem)
        sys.stdout.write(_WRITERS[shown](reports))
        sys.stdout.flush()
        if html is not None:
            write_page(html, as_html(reports))
        if post is not None:
            _post(post, reports, output)
        check_verdicts(reports, fail_on or [])


def _reports(
    cwd: Path, stacks: Sequence[str], files: Sequence[Path], tell: Callable[[str], None]
) -> list[StackReport]:
    reports = [preview_of_file(path) for path in files]
    if stacks:
        opened = [Stack.open(cwd, name) for name in stacks]
        return [*reports, *(preview_of_stack(each, tell) for each in opened)]
    return reports or [preview_of_stack(Stack.open(cwd), tell)]


def _post(host: _Host, reports: Sequence[StackReport], output: Output) -> None:
    """One comment about all of them; a pull request from a fork gets none, and goes on."""
    # Here and not above: its HTTP client takes longer to import than a preview takes to read.
    from bluegreen.operations.comments import GitHub, GitLab, NoTokenError  # noqa: PLC0415

    hosts: dict[_Host, type[GitHub] | type[GitLab]] = {_Host.GITHUB: GitHub, _Host.GITLAB: GitLab}
    try:
        comments = hosts[host](os.environ)
        projects = "+".join(sorted({report.project for report in reports}))
        mark = marker(comments.repository, projects)
        posted = comments.post(as_markdown(reports, mark=mark), mark)
    except NoTokenError as error:
        output.problem(str(error))
    else:
        output.problem(f"the comment was {posted}")
