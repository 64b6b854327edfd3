import struct

from bluegreen.colors import Color
from bluegreen.load import Outcome
from tests.demo.builders import a_recording, observations
from tools.demo.report import make_report
from tools.demo.timeline import PIXELS, MarkKind, figure_of, make_timeline, save


def a_timeline(*changed):
    seen = observations(a_recording(*changed))
    return make_timeline(seen, make_report(seen), "1.0")


def texts_of(axes):
    return {text.get_text() for text in axes.texts}


def test_the_picture_is_a_png_of_the_promised_size(tmp_path):
    save(a_timeline(), tmp_path / "timeline.png")

    content = (tmp_path / "timeline.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == PIXELS
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.png"]


def test_every_switch_and_the_refusal_are_marked_where_they_happened():
    marks = {mark.kind: mark for mark in a_timeline().marks}

    assert (marks[MarkKind.SWITCH].start, marks[MarkKind.SWITCH].end) == (12.0, 12.0)
    assert marks[MarkKind.ROLLBACK].start == 42.0
    assert (marks[MarkKind.REFUSAL].start, marks[MarkKind.REFUSAL].end) == (20.0, 30.0)
    assert marks[MarkKind.REFUSAL].label == "blue 1.2\nrefused"
    assert marks[MarkKind.BASELINE].end == 6.0


def test_marks_and_colors_are_drawn_with_their_names():
    traffic, failures = figure_of(a_timeline()).axes

    assert texts_of(traffic) >= {"switch\n1", "rollback", "blue 1.2\nrefused"}
    assert texts_of(traffic) >= {"blue\n1.0", "green\n1.1"}
    assert texts_of(failures) == {"none"}
    drawn = {line.get_xdata()[0] for line in traffic.lines}
    assert drawn >= {12.0, 42.0, 20.0, 30.0}


def test_each_color_has_its_answers_in_its_own_time():
    timeline = a_timeline()

    while_green = [n for n, second in enumerate(timeline.seconds) if 13 <= second < 41]
    assert sum(timeline.rates[Color.GREEN][n] for n in while_green) / len(while_green) > 9
    assert not any(timeline.rates[Color.BLUE][n] for n in while_green)
    assert [stretch.color for stretch in timeline.stretches] == ["blue", "green", "blue"]


def test_failed_requests_are_seen_and_counted():
    timeline = a_timeline({"sent": 125.0, "outcome": Outcome.RESET, "status": 0, "color": ""})

    assert sum(timeline.failed) == 1
    _, failures = figure_of(timeline).axes
    assert texts_of(failures) == {"1 of 601 requests"}
    assert "1 failed" in timeline.title
