import io

from rich.console import Console

from tests.demo.builders import observations
from tools.demo.commands import Command
from tools.demo.report import make_report
from tools.demo.screen import Screen, figures_of

LONG = "a text that is far too long for one line of a narrow window, so that it needs several"


def shown(act, width=80):
    output = io.StringIO()
    act(Screen(Console(file=output, width=width, highlight=False)))
    return output.getvalue()


def test_long_texts_keep_their_margin_and_no_line_is_wider_than_the_window():
    text = shown(lambda screen: screen.note(LONG), width=40)

    lines = text.splitlines()
    assert len(lines) > 2
    assert all(line.startswith("   ") and line == line.rstrip() for line in lines)
    assert max(map(len, lines)) <= 40


def test_what_looks_like_markup_is_shown_as_it_is():
    assert "[red]x[/] ${a}" in shown(lambda screen: screen.good("[red]x[/] ${a}"))


def test_a_command_is_shown_as_it_can_be_typed():
    command = Command(("pulumi", "up"), {"BLUEGREEN_ROLLBACK": "blue:too slow"})

    text = shown(lambda screen: screen.command(command))

    assert text == "   $ BLUEGREEN_ROLLBACK='blue:too slow' pulumi up\n"


def test_every_zero_stands_beside_its_number_of_requests_and_its_control():
    report = make_report(observations())

    rows = {name: (value, meaning) for name, value, meaning in figures_of(report)}

    assert rows["requests"][0] == "600"
    assert rows["failed"][0] == "0"
    assert "control: 100 of 100" in rows["failed"][1]
    assert rows["stale"][0] == "0"
    assert "of 420 sent after" in rows["stale"][1]
    assert "control: 40" in rows["stale"][1]
    assert "p99" in shown(lambda screen: screen.figures(report))
