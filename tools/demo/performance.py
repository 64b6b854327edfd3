"""One demo from the first look at the machine to the last: story, figures, and what is left."""

import shutil
import time
from collections.abc import Iterator

from bluegreen.errors import BlueGreenError
from bluegreen.onprem.haproxy_config import DEFAULT_PIN_HEADER
from tools.demo.errors import DemoError, Interrupted
from tools.demo.plan import DemoPlan
from tools.demo.report import Observations, Report, make_report
from tools.demo.screen import Screen
from tools.demo.stage import Stage
from tools.demo.story import FIRST_RELEASE, Story

__all__ = ["EXPECTED_ERRORS", "perform"]

EXPECTED_ERRORS = (DemoError, BlueGreenError, OSError)
"""What ends a demo with one line instead of a traceback."""


def perform(plan: DemoPlan, screen: Screen) -> int:
    """Gives the demo and returns the exit status."""
    stage = Stage(plan, screen)
    with stage.reserved():
        _introduce(plan, screen)
        stage.make_room()
        try:
            return _perform(stage)
        except EXPECTED_ERRORS as error:
            screen.bad(str(error))
            exit_code = 1
        except Interrupted as interruption:
            screen.bad(str(interruption))
            exit_code = interruption.exit_code
        _clear_up(stage)
        return exit_code


def _perform(stage: Stage) -> int:
    plan, screen = stage.plan, stage.screen
    started = time.monotonic()
    story = Story(stage)
    seen = story.tell()
    with screen.waiting("counting"):
        report = make_report(seen)
    left_over = None
    if plan.keep:
        story.bring_back_retired()
    else:
        left_over = _take_down(stage)
    report = report.finished(seconds=time.monotonic() - started, left_over=left_over)
    with screen.waiting("drawing"):
        _write(plan, seen, report)
    screen.figures(report)
    for problem in report.problems:
        screen.bad(problem)
    screen.files(report=plan.report_file, picture=plan.picture_file, logs=plan.logs)
    screen.note(f"The demo took {report.seconds:.0f} s.")
    if plan.keep:
        screen.to_try("what to try", _things_to_try(plan))
    return 1 if report.problems else 0


def _introduce(plan: DemoPlan, screen: Screen) -> None:
    screen.title(
        "bluegreen: production traffic moves under load",
        "A small web shop runs on this machine in two colors, blue and green; one of them has the "
        "production traffic. You see each command that changes something before it runs, and "
        "what matters of what it prints; all of that is in the logs.",
        "",
        f"production     {plan.production_url}",
        f"test endpoint  {plan.test_url}  reaches the color without traffic",
        f"stack          {plan.stack}, named once for all: export PULUMI_STACK={plan.stack}",
    )


def _take_down(stage: Stage) -> list[str]:
    stage.begin("Everything is taken down", "And then the demo looks for what is left over.")
    stage.take_down()
    left_over = stage.left_over()
    if not left_over:
        stage.screen.good(f"no process, no file and none of {len(stage.plan.ports)} ports is left")
    return left_over


def _clear_up(stage: Stage) -> None:
    """After a failure or Ctrl-C."""
    plan, screen = stage.plan, stage.screen
    if plan.keep:
        screen.note("Left as it is, because of KEEP=1.")
        screen.to_try("how to end it", _how_to_end(plan))
    else:
        screen.note("Taking down what was made; press Ctrl-C again to leave it.")
        try:
            stage.take_down()
        except EXPECTED_ERRORS as error:
            screen.bad(str(error))
            screen.to_try("how to end it", _how_to_end(plan))
        except Interrupted:
            screen.bad("Left as it is; the next demo takes it down first, or you do.")
            screen.to_try("how to end it", _how_to_end(plan))
    screen.files(logs=plan.logs)


def _write(plan: DemoPlan, seen: Observations, report: Report) -> None:
    # Late, because it takes a second of processor time that the load would miss.
    from tools.demo.timeline import make_timeline, save  # noqa: PLC0415

    plan.report_file.write_text(report.to_json(), encoding="utf-8")
    save(make_timeline(seen, report, FIRST_RELEASE), plan.picture_file)
    if plan.picture_copy:
        plan.picture_copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(plan.picture_file, plan.picture_copy)


def _things_to_try(plan: DemoPlan) -> Iterator[tuple[str, str]]:
    yield ". .bluegreen/env && cd stacks", "once in each shell, from the repository"
    yield f"pulumi stack select {plan.stack}", "so that you need not name it each time"
    yield f"curl -i {plan.production_url}/", "who has production traffic? see X-Bluegreen-Color"
    yield f"curl -i {plan.test_url}/", "the color without production traffic"
    yield (
        f"curl -i -H '{DEFAULT_PIN_HEADER}: green' {plan.test_url}/version",
        "one color, whichever role it has",
    )
    yield "pulumi config set active_color green && pulumi up", "move the traffic to green"
    yield from _how_to_end(plan)


def _how_to_end(plan: DemoPlan) -> Iterator[tuple[str, str]]:
    yield (
        f"pulumi destroy --stack {plan.stack} && pulumi stack rm {plan.stack}",
        "end it all (in stacks/, after `. .bluegreen/env`); the next `make demo` does it, too",
    )
