import time

import pytest

from bluegreen.errors import ConfigError
from bluegreen.load import Outcome, Recording, Switch, count_stale, nearest_rank, summarize


def a_recording(*requests: dict) -> Recording:
    recording = Recording(target_rate=10)
    for changes in requests:
        sent = changes.get("sent", changes.get("intended", 0.0))
        request = {"intended": sent, "sent": sent, "ended": (sent or 0.0) + 0.01}
        request |= {"outcome": Outcome.OK, "status": 200, "color": "blue", "release": "1.0"}
        recording.add(**request | changes)
    return recording


TO_GREEN = Switch("blue", "green", started=10.0, returned=11.0)
TO_BLUE = Switch("green", "blue", started=20.0, returned=21.0)


@pytest.mark.parametrize(
    ("sent", "color", "stale"),
    [
        (9.0, "blue", 0),
        (10.5, "blue", 0),
        (11.0, "blue", 1),
        (15.0, "blue", 1),
        (15.0, "green", 0),
        (20.0, "blue", 0),
        (20.5, "green", 0),
        (22.0, "green", 1),
        (22.0, "blue", 0),
    ],
)
def test_stale_is_what_the_old_color_answers_between_a_return_and_the_next_start(
    sent, color, stale
):
    recording = a_recording({"sent": sent, "color": color})

    assert count_stale(recording, [TO_GREEN, TO_BLUE]) == stale


def test_stale_counts_every_such_request_and_by_its_actual_send_time():
    recording = a_recording(
        {"intended": 10.5, "sent": 12.0},
        {"intended": 12.0, "sent": 12.0},
        {"intended": 12.0, "sent": None, "status": 0, "outcome": Outcome.TIMEOUT},
        {"sent": 12.0, "status": 0, "outcome": Outcome.RESET, "color": ""},
        {"sent": 12.0, "status": 500, "outcome": Outcome.HTTP_ERROR},
    )

    assert summarize(recording, [TO_GREEN]).stale == 3
    assert summarize(recording).stale == 0


def test_a_request_under_way_when_the_next_switch_starts_may_be_answered_by_either():
    recording = a_recording(
        {"sent": 19.9, "ended": 20.5},
        {"sent": 19.9, "ended": 19.95},
    )

    assert count_stale(recording, [TO_GREEN, TO_BLUE]) == 1


def test_switches_out_of_order_are_refused():
    with pytest.raises(ConfigError, match="not in the order"):
        count_stale(a_recording(), [TO_BLUE, TO_GREEN])


@pytest.mark.parametrize(
    ("percent", "value"), [(1, 1), (50, 5), (50.1, 6), (90, 9), (99, 10), (100, 10)]
)
def test_percentiles_are_measured_values_at_their_nearest_rank(percent, value):
    assert nearest_rank(list(range(1, 11)), percent) == value


def test_no_values_have_no_percentile_and_zero_percent_is_refused():
    assert nearest_rank([], 50) is None
    with pytest.raises(ConfigError, match="percent: 0 is outside"):
        nearest_rank([1.0], 0)


def test_latency_counts_from_the_intended_time_and_includes_timeouts_but_no_resets():
    recording = a_recording(
        {"intended": 1.0, "sent": 1.4, "ended": 1.5},
        {"intended": 1.0, "ended": 6.0, "outcome": Outcome.TIMEOUT, "status": 0},
        {"intended": 1.0, "ended": 1.1, "outcome": Outcome.RESET, "status": 0},
        {"intended": 1.0, "ended": 1.1, "outcome": Outcome.CONNECT_FAILURE, "status": 0},
    )

    assert recording.latencies() == [0.5, 5.0]
    assert recording.percentile(50) == 0.5
    assert recording.percentile(100) == 5.0


def test_a_window_selects_by_intended_time_without_its_end():
    recording = a_recording(
        *(
            {"sent": float(second), "color": "blue" if second < 3 else "green"}
            for second in range(6)
        ),
        {"sent": 2.0, "outcome": Outcome.HTTP_ERROR, "status": 500},
    )

    assert recording.by_color((2.0, 4.0)) == {"blue": 2, "green": 1}
    assert recording.failed((2.0, 4.0)) == 1
    assert recording.failed((3.0, 9.0)) == 0
    assert len(recording.latencies((0.0, 2.0))) == 2


def test_the_achieved_rate_is_over_what_was_sent_up_to_the_end_of_the_schedule():
    steady = [{"sent": number / 10} for number in range(11)]
    half = [
        {"intended": number / 10, "sent": None, "outcome": Outcome.CONNECT_FAILURE, "status": 0}
        for number in range(11, 21)
    ]

    assert a_recording(*steady).achieved_rate() == pytest.approx(10)
    assert a_recording(*steady, *half).achieved_rate() == pytest.approx(5)


def test_the_timeline_counts_answers_per_color_and_failures_per_step():
    recording = a_recording(
        {"sent": 100.0},
        {"sent": 100.9, "color": "green"},
        {"sent": 102.5, "color": "green"},
        {"sent": 102.6, "color": "", "status": 0, "outcome": Outcome.RESET},
    )

    timeline = recording.timeline()

    assert [(bucket.start, bucket.answers, bucket.failed) for bucket in timeline] == [
        (0.0, {"blue": 1, "green": 1}, 0),
        (1.0, {}, 0),
        (2.0, {"green": 1}, 1),
    ]


def test_a_saved_recording_reads_back_the_same(tmp_path):
    recording = a_recording(
        {"sent": 1.0, "client": 4},
        {"intended": 1.5, "sent": None, "outcome": Outcome.TIMEOUT, "status": 0, "color": ""},
        {"sent": 2.0, "status": 503, "outcome": Outcome.HTTP_ERROR, "color": "grün"},
    )
    recording.idle_closes = 3
    recording.connections_opened = 7

    recording.save(tmp_path / "load.bin")
    read = Recording.load(tmp_path / "load.bin")

    assert list(read) == list(recording)
    assert summarize(read) == summarize(recording)
    assert read.wall_offset == recording.wall_offset
    assert [file.name for file in tmp_path.iterdir()] == ["load.bin"]


@pytest.mark.parametrize("damage", ["other", "cut", "header"])
def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "load.bin"
    a_recording({"sent": 1.0}, {"sent": 2.0}).save(path)
    data = path.read_bytes()
    damaged = {"other": b"PK\3\4", "cut": data[:-3], "header": data.replace(b'{"', b"{'", 1)}

    path.write_bytes(damaged[damage])

    with pytest.raises(ConfigError, match=r"load\.bin is .*nothing was read"):
        Recording.load(path)


def test_recorded_times_relate_to_the_time_of_day():
    recording = Recording()

    assert time.monotonic() + recording.wall_offset == pytest.approx(time.time(), abs=0.05)


def test_a_request_takes_forty_bytes_or_less(tmp_path):
    recording = a_recording(*({"sent": float(number)} for number in range(1000)))

    recording.save(tmp_path / "load.bin")

    assert (tmp_path / "load.bin").stat().st_size < 1000 * 40 + 1000


def test_failures_are_told_by_kind():
    recording = a_recording(
        {"outcome": Outcome.RESET, "status": 0},
        {"outcome": Outcome.RESET, "status": 0},
        {"outcome": Outcome.HTTP_ERROR, "status": 500},
        {},
    )

    report = summarize(recording)

    assert report.failures == {"reset": 2, "http_error": 1}
    assert (report.requests, report.failed) == (4, 3)
