"""What is live, beside what is recorded."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bluegreen.colors import Color
from bluegreen.operations.live import HttpAnswers, differs_from, who_answers
from bluegreen.operations.status import Status, problems_of
from bluegreen.report import ColorReport, Report
from bluegreen.settings.following import ColorFromSettings

BY_HEADER = ColorFromSettings(header="X-Color")


def a_report(active: str | None, *, blue: int | None = 100, problem: str = "") -> Report:
    green = None if blue is None else 100 - blue
    shares = {"blue": ColorReport(share=blue), "green": ColorReport(share=green)}
    return Report("shop", "now", active, "blue", shares, problem=problem)


def a_status(**changes: object) -> Status:
    """Blue is active, and nothing was asked."""
    nothing = Status(
        stack="test",
        active_color="blue",
        wanted_color="blue",
        wanted_canary_percent=0,
        releases={"blue": "1.0", "green": "1.1"},
        replicas={"blue": 1, "green": 1},
        production_url="http://shop",
        test_url=None,
        guarantee=None,
        last_update=None,
        last_switch=None,
        retention_until=None,
        production=None,
        test=None,
        report=None,
    )
    return replace(nothing, **changes)  # type: ignore[arg-type]


def answers_by(*colors: str) -> HttpAnswers:
    return HttpAnswers("http://shop", "now", 10, dict.fromkeys(colors, 5), 0, 1.0)


@pytest.mark.parametrize(("blue", "canary_percent"), [(100, 0), (90, 10)])
def test_what_is_live_as_it_was_left_is_no_difference(blue: int, canary_percent: int):
    assert differs_from(a_report("blue", blue=blue), Color.BLUE, canary_percent) is None


@pytest.mark.parametrize(
    ("report", "canary_percent", "told"),
    [
        (a_report("green", blue=0), 0, "0 % to blue, 100 % to green; the last update left it at b"),
        (a_report("blue", blue=60), 0, "60 % to blue, 40 % to green"),
        (
            a_report("blue"),
            10,
            "100 % to blue, 0 % to green; the last update left it at blue with ",
        ),
        (a_report(None, blue=None, problem="the map says purple"), 0, "the map says purple"),
        (a_report(None, blue=None), 0, "nobody has production traffic"),
    ],
)
def test_what_is_live_otherwise_is_told_in_shares(report: Report, canary_percent: int, told: str):
    assert told in str(differs_from(report, Color.BLUE, canary_percent))


@pytest.mark.parametrize(
    "changes",
    [
        {"report": a_report("green", blue=0)},
        {"report": a_report("blue", blue=60)},
        {"production": answers_by("green")},
        {"production": answers_by("blue", "green")},
    ],
)
def test_status_names_production_that_is_not_where_it_was_left(changes: dict[str, object]):
    (problem,) = problems_of(a_status(**changes))

    assert "the last update left" in problem
    assert "`bluegreen switch --to blue` moves it back" in problem


@pytest.mark.parametrize(
    "changes",
    [
        {"report": a_report("blue")},
        {"production": answers_by("blue")},
        {"production": answers_by()},
        {"production": answers_by("blue", "green"), "wanted_canary_percent": 10},
        {"report": a_report("blue", blue=90), "wanted_canary_percent": 10},
    ],
)
def test_status_has_nothing_to_say_about_production_that_is_where_it_was_left(
    changes: dict[str, object],
):
    assert problems_of(a_status(**changes)) == ()


@pytest.fixture
def failing() -> Iterator[str]:
    """Answers 500 and says that it is green."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500)
            self.send_header("X-Color", "green")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_error_says_too_which_color_gave_it(failing: str):
    assert who_answers(failing, BY_HEADER, count=3) == {"green"}


def test_nobody_is_named_where_nobody_answers():
    assert who_answers("http://127.0.0.1:1", BY_HEADER, count=3) == set()
