from hypothesis import given
from hypothesis import strategies as st

from bluegreen.gates.wording import error_text, one_line, seconds


@given(st.text())
def test_a_quoted_text_is_one_printable_line_of_bounded_length(text):
    line = one_line(text, 50)

    assert len(line) <= 50
    assert line.isprintable()


def test_escape_sequences_do_not_reach_the_terminal():
    assert "\x1b" not in one_line("\x1b[31mred\x1b[0m")


@given(st.text())
def test_the_text_of_an_error_is_never_empty(text):
    assert error_text(ValueError(text)).startswith("ValueError")


def test_durations_are_short():
    assert [seconds(figure) for figure in (2, 0.25, 120, 5.0)] == ["2 s", "0.25 s", "120 s", "5 s"]
