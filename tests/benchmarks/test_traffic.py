"""What the traffic benchmark makes of recordings, and one small run of it."""

import io
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.figures import Machine, Spread
from benchmarks.stack import BenchmarkError
from benchmarks.traffic.counting import cohort_of, switching_of, traffic_of
from benchmarks.traffic.figures import (
    CanaryShare,
    Cohort,
    IdleClients,
    Loss,
    Move,
    Switching,
    Traffic,
    TrafficReport,
    Write,
)
from benchmarks.traffic.nginx_package import NginxMissingError, find_nginx
from benchmarks.traffic.pace import FULL, QUICK, Pace
from benchmarks.traffic.table import markdown, show
from bluegreen.load import Outcome, Recording

BLUE_TO_GREEN = Move("blue", "green", started=10.0, returned=10.5, moved=10.2)
GREEN_TO_BLUE = Move("green", "blue", started=20.0, returned=20.5, moved=20.2)
CALM = (0.0, 5.0)


@pytest.fixture
def command_line() -> Iterator[Callable[..., int]]:
    """The command, which takes SIGTERM for its own."""
    before = signal.getsignal(signal.SIGTERM)
    yield lambda *words: main(words)
    signal.signal(signal.SIGTERM, before)


def a_recording(*asked: tuple[float, str] | tuple[float, str, float]) -> Recording:
    """Requests by send time, color that answered ("" for a reset) and milliseconds (1)."""
    recording = Recording(target_rate=10.0)
    for sent, color, *rest in asked:
        recording.add(
            intended=sent,
            sent=sent,
            ended=sent + (rest[0] if rest else 1) / 1000,
            outcome=Outcome.OK if color else Outcome.RESET,
            status=200 if color else 0,
            color=color,
        )
    return recording


def of_clients(*asked: tuple[int, float, float, str]) -> Recording:
    """Requests by client, send time, end and color."""
    recording = Recording(target_rate=10.0)
    for client, sent, ended, color in asked:
        recording.add(
            intended=sent,
            sent=sent,
            ended=ended,
            outcome=Outcome.OK if color else Outcome.RESET,
            status=200 if color else 0,
            color=color,
            client=client,
        )
    return recording


def traffic(recording: Recording, *moves: Move) -> Traffic:
    return traffic_of("bluegreen", recording, moves or [BLUE_TO_GREEN, GREEN_TO_BLUE], CALM)


def a_traffic(name: str = "bluegreen, pulumi up", **fields: object) -> Traffic:
    made = traffic(a_recording((1, "blue"), (10.3, "green"), (11, "green"), (21, "blue")))
    return replace(made, name=name, **fields)  # type: ignore[arg-type]


def a_switching(**fields: object) -> Switching:
    recording = a_recording((8, "blue", 10), (10.1, "blue", 12))
    made = switching_of(a_traffic(), recording, [BLUE_TO_GREEN], [(7.5, 8.5)], [Write(0.123, 2.5)])
    return replace(made, **fields)  # type: ignore[arg-type]


def a_report(**fields: object) -> TrafficReport:
    many = {"requests": 123_456, "failed": 12_345, "stale": 23_456, "asked_after": 98_765}
    idle = IdleClients(new=0, old=20, closed=0, failed=0, seconds=1.0)
    report = TrafficReport(
        machine=Machine(cores=2, load_before=0.42, python="3.11.7", pulumi="3.259.0"),
        switching=a_switching(),
        side_by_side=[a_traffic("HAProxy SIGUSR2, tuned", idle=idle, **many)],
        skipped=[],
        losses=[Loss("ended right after the write", rounds=3, requests=1200, failed=60)],
        canaries=[CanaryShare(percent=1, clients=10_000, canary=100)],
        cohort=Cohort(50, 500, 250, requests=2500, strayed=0, after_restart=1500, failed=20),
        seconds=456.7,
    )
    return replace(report, **fields)  # type: ignore[arg-type]


def shown(report: TrafficReport) -> str:
    console = Console(width=80, highlight=False, record=True, file=io.StringIO())
    show(report, console)
    return console.export_text()


def line_of(text: str, start: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith(start))
    return " ".join(line.split())


def test_only_what_was_sent_after_the_return_can_be_stale():
    seen = traffic(
        a_recording((10.4, "blue"), (10.6, "blue"), (11, "green"), (20.3, "green"), (21, "blue"))
    )

    assert (seen.stale, seen.asked_after) == (1, 3)


def test_traffic_has_followed_when_the_old_color_got_its_last_request():
    seen = traffic(
        a_recording((10.1, "blue"), (10.35, "blue"), (12, "green"), (20.3, "blue"), (21, "blue"))
    )

    # From the moment of the move, not from the start of the command; the second took no time.
    assert seen.followed_ms.max == pytest.approx(150)
    assert seen.followed_ms.min == 0


def test_the_latency_of_a_switch_is_that_of_the_requests_around_it():
    seen = traffic(
        a_recording((1, "blue", 2), (9.7, "blue", 90), (10.5, "green", 4), (10.7, "green", 80)),
        BLUE_TO_GREEN,
    )

    assert seen.p99_ms == pytest.approx(4)
    assert seen.calm_p99_ms == pytest.approx(2)
    assert seen.p99_ratio == pytest.approx(2)


def test_a_failed_request_is_counted_with_its_kind():
    seen = traffic(a_recording((10.3, ""), (11, "green")), BLUE_TO_GREEN)

    assert (seen.failed, seen.failures) == (1, {"reset": 1})


def test_a_load_that_nobody_kept_up_until_the_last_switch_has_no_figures():
    with pytest.raises(BenchmarkError, match="bluegreen: the load ended before the last switch"):
        traffic(a_recording((11, "green"), (20.4, "green")))


def test_updates_that_switch_are_compared_with_those_that_change_nothing():
    recording = a_recording(
        (8, "blue", 10), (10.1, "blue", 12), (19, "green", 10), (20.1, "blue", 30)
    )

    seen = switching_of(
        a_traffic(),
        recording,
        [BLUE_TO_GREEN, GREEN_TO_BLUE],
        [(7.5, 8.5), (18.5, 19.5)],
        [Write(0.1, 2.0), Write(0.1, 4.0)],
    )

    assert seen.ratio == pytest.approx(3)
    assert seen.pair_ratios == pytest.approx([1.2, 3])
    assert seen.durable_ms == Spread(2.0, 3.0, 4.0)


def test_around_the_write_means_one_second_before_and_after():
    recording = a_recording(
        (9.1, "blue", 90), (9.3, "blue", 5), (11.1, "green", 7), (11.3, "green", 80)
    )

    seen = switching_of(a_traffic(), recording, [BLUE_TO_GREEN], [CALM], [Write(0.1, 2.0)])

    assert seen.near_p99_ms == pytest.approx(7)


@pytest.mark.parametrize(
    ("canary", "is_met"), [(100, True), (139, True), (140, False), (60, False)]
)
def test_a_canarys_share_may_be_off_by_four_sigma_and_no_more(canary, is_met):
    assert CanaryShare(1, clients=10_000, canary=canary).is_within_target is is_met


def test_a_client_that_got_another_color_with_its_cookie_has_strayed():
    recording = of_clients(
        (0, 1.0, 1.1, "blue"),
        (0, 2.0, 2.1, "blue"),
        (0, 6.0, 6.1, "green"),
        (1, 1.0, 1.1, "green"),
        (1, 5.0, 5.1, ""),
        (1, 6.0, 6.1, "green"),
    )

    assert cohort_of(recording, 50, "green", restarted=5.5) == Cohort(
        percent=50, clients=2, canary=1, requests=3, strayed=1, after_restart=2, failed=1
    )


def test_requests_before_the_first_cookie_decide_by_the_answer_that_came_last():
    recording = of_clients(
        (0, 1.0, 1.5, "blue"),
        (0, 1.2, 1.6, "green"),
        (0, 1.55, 1.7, "blue"),
        (0, 2.0, 2.1, "green"),
    )

    cohort = cohort_of(recording, 50, "green", restarted=9.0)

    assert (cohort.canary, cohort.requests, cohort.strayed) == (1, 1, 0)


def test_every_figure_is_shown_in_80_columns():
    text = shown(a_report())

    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert line_of(text, "HAProxy SIGUSR2, tuned") == (
        "HAProxy SIGUSR2, tuned 12,345 of 123,456 23,456 of 98,765 (23.75 %)"
    )
    assert line_of(text, "the whole write") == "the whole write 2.50 (2.50 to 2.50) ms ≤ 5 ms, met"
    assert line_of(text, "1 %") == "1 % 100 of 10,000 1.00 % 0.0 sigma ≤ 4, met"


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"switching": a_switching(traffic=a_traffic(failed=1))}, "requests failed"),
        ({"switching": a_switching(traffic=a_traffic(stale=1))}, "stale answers"),
        ({"switching": a_switching(p99_ms=12.6, no_change_p99_ms=10.0)}, "ratio of the two"),
        ({"switching": a_switching(writes=[Write(0.1, 5.1)])}, "the whole write"),
        ({"canaries": [CanaryShare(50, clients=10_000, canary=5_300)]}, "50 %"),
        ({"cohort": replace(a_report().cohort, strayed=1)}, "50 %, 250 of 500"),
    ],
)
def test_the_table_says_which_target_is_missed(fields, row):
    assert line_of(shown(a_report(**fields)), row).endswith(", missed")
    assert ", missed" not in shown(a_report())


def test_what_could_not_be_measured_is_named():
    text = shown(a_report(skipped=["nginx: there is no apt-get"]))

    assert "Not measured: nginx: there is no apt-get." in text


def test_the_report_reads_back_as_it_was_written():
    report = a_report()

    content = report.to_json()

    assert TrafficReport.from_json(content) == report
    assert json.loads(content)["switching"]["ratio"] == pytest.approx(1.2)


def test_the_markdown_is_made_of_the_report_and_has_what_the_terminal_shows(
    tmp_path, capsys, command_line
):
    into = tmp_path / "traffic.json"
    into.write_text(a_report().to_json())

    assert command_line("traffic", "--markdown", "--into", str(into)) == 0

    printed = capsys.readouterr().out
    assert printed == markdown(a_report())
    assert "| the whole write | 2.50 (2.50 to 2.50) ms | ≤ 5 ms, met |" in printed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not there; nothing was printed; run `python -m benchmarks traffic` first"),
        ("{}", "has no results of this version; nothing was printed; measure again"),
        ("no json", "has no results of this version; nothing was printed; measure again"),
    ],
)
def test_markdown_without_results_is_refused_in_one_line(
    tmp_path, capsys, command_line, content, words
):
    into = tmp_path / "traffic.json"
    if content is not None:
        into.write_text(content)

    assert command_line("traffic", "--markdown", "--into", str(into)) == 1

    printed = capsys.readouterr().out
    assert words in printed
    assert len(printed.splitlines()) == 1


def test_a_machine_without_nginx_and_apt_says_so(tmp_path, monkeypatch):
    if Path("/usr/sbin/nginx").exists():
        pytest.skip("nginx is installed here")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NginxMissingError, match="not installed, and there is no apt-get"):
        find_nginx(tmp_path / "cache")


@pytest.mark.parametrize("pace", [FULL, QUICK])
def test_switches_side_by_side_are_too_far_apart_to_disturb_each_others_figures(pace: Pace):
    # 0.4 s before and after.
    assert pace.interval_seconds > 0.8
    assert pace.switches % 2 == pace.updates % 2 == 0
