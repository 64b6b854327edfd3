import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bluegreen.gates import run_gates
from bluegreen.gates.gate import Deadline, Subject, Verdict
from bluegreen.gates.runner import ask_again, refusal_text


@dataclass(frozen=True)
class FakeGate:
    act: Callable[[Subject, Deadline], object]
    name: str = "fake"
    timeout_seconds: float = 5
    is_slow: bool = False
    is_dry_run: bool = False
    runs_first: bool = False
    runs_in_preview: bool = True
    lacks: str = ""

    def check(self, subject, deadline):
        return self.act(subject, deadline)


def passing(name="fake", **changes):
    return FakeGate(lambda *_: Verdict(name, passed=True, reason="fine"), name=name, **changes)


def raising(error, **changes):
    def act(*_):
        raise error

    return FakeGate(act, **changes)


@pytest.fixture
def hanging():
    released = threading.Event()
    yield lambda **changes: FakeGate(lambda *_: released.wait(30), **changes)
    released.set()


def test_verdicts_come_in_the_order_of_the_gates_with_their_durations(a_subject):
    def slower(_subject, deadline):
        deadline.sleep(0.1)
        return Verdict("slower", passed=True, reason="fine")

    gates = [FakeGate(slower, name="slower"), passing("quick")]

    slower_one, quick_one = run_gates(gates, a_subject(), timeout_seconds=5)

    assert (slower_one.gate, quick_one.gate) == ("slower", "quick")
    assert 0.1 <= slower_one.duration_seconds < 5
    assert quick_one.duration_seconds < slower_one.duration_seconds


def test_five_gates_run_at_the_same_time(a_subject):
    def act(_subject, deadline):
        deadline.sleep(1)
        return Verdict("x", passed=True, reason="fine")

    gates = [FakeGate(act, name=f"gate-{number}") for number in range(5)]
    start = time.monotonic()

    verdicts = run_gates(gates, a_subject(), timeout_seconds=5)

    assert time.monotonic() - start < 4
    assert [verdict.gate for verdict in verdicts] == [gate.name for gate in gates]


def test_a_hung_gate_refuses_at_its_own_limit_and_others_keep_their_verdicts(a_subject, hanging):
    start = time.monotonic()

    hung, fine = run_gates(
        [hanging(name="hung", timeout_seconds=0.2), passing()], a_subject(), timeout_seconds=20
    )

    assert time.monotonic() - start < 10
    assert not hung.passed
    assert hung.reason == "no verdict within 0.2 s"
    assert hung.duration_seconds >= 0.2
    assert fine.passed


def test_what_a_gate_met_before_it_hung_is_told(a_subject):
    released = threading.Event()

    def act(_subject, deadline):
        deadline.sleep(0.01, met="green could not be asked: Throttling")
        released.wait(5)

    (hung,) = run_gates([FakeGate(act, timeout_seconds=0.2)], a_subject(), timeout_seconds=5)

    released.set()
    assert hung.reason == "no verdict within 0.2 s; before: green could not be asked: Throttling"


def test_the_limit_for_all_gates_counts_for_each(a_subject, hanging):
    start = time.monotonic()

    verdicts = run_gates(
        [hanging(name=f"hung-{number}", timeout_seconds=20) for number in range(3)],
        a_subject(),
        timeout_seconds=0.2,
    )

    assert time.monotonic() - start < 10
    assert [verdict.reason for verdict in verdicts] == ["no verdict within 0.2 s"] * 3


def test_a_gate_that_gives_up_at_its_limit_is_heard(a_subject):
    def act(_subject, deadline):
        while deadline.sleep(10):
            pass
        return Verdict("x", passed=False, reason="still 1 of 2 ready")

    (verdict,) = run_gates([FakeGate(act, timeout_seconds=0.2)], a_subject(), timeout_seconds=5)

    assert verdict.reason == "still 1 of 2 ready"


def test_gates_stop_waiting_when_whoever_asked_is_interrupted(a_subject):
    stopped = threading.Event()

    def act(_subject, deadline):
        deadline.sleep(30)
        stopped.set()

    def interrupt(name):
        if name == "two":
            raise KeyboardInterrupt

    gates = [FakeGate(act, name="one", timeout_seconds=30), passing("two")]

    with pytest.raises(KeyboardInterrupt):
        run_gates(gates, a_subject(), timeout_seconds=30, on_start=interrupt)

    assert stopped.wait(2)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("not\ngood"), "ValueError: not good"),
        (TimeoutError(), "TimeoutError without a text"),
        (AssertionError("  "), "AssertionError without a text"),
        (SystemExit(1), "SystemExit: 1"),
        (SystemExit(), "SystemExit without a text"),
        (KeyboardInterrupt(), "KeyboardInterrupt without a text"),
    ],
)
def test_whatever_a_gate_raises_is_a_refusal_with_a_text(a_subject, error, reason):
    raised, fine = run_gates([raising(error), passing()], a_subject(), timeout_seconds=5)

    assert not raised.passed
    assert raised.reason == reason
    assert "Traceback" in raised.detail
    assert fine.passed


@pytest.mark.parametrize("nothing", [None, True, "passed"])
def test_a_gate_that_returns_no_verdict_refuses(a_subject, nothing):
    (verdict,) = run_gates([FakeGate(lambda *_: nothing)], a_subject(), timeout_seconds=5)

    assert not verdict.passed
    assert "instead of a verdict" in verdict.reason


def test_a_refusal_without_a_reason_gets_one(a_subject):
    gate = FakeGate(lambda *_: Verdict("", passed=False, reason=" "), name="mute")

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert verdict.gate == "mute"
    assert verdict.reason == "the gate gave no reason"


def test_all_refusals_are_reported_together(a_subject):
    gates = [raising(ValueError("first"), name="one"), passing("two"), raising(OSError(), name="3")]

    verdicts = run_gates(gates, a_subject(), timeout_seconds=5)

    assert refusal_text(a_subject(), verdicts) == (
        "not switching to green 1.1: 2 of 3 gates refused; production traffic has not moved\n"
        "  one: ValueError: first\n"
        "  3: OSError without a text"
    )


def test_a_refused_rollback_is_called_a_rollback(a_subject):
    refused = Verdict("capacity", passed=False, reason="nobody is ready")

    text = refusal_text(a_subject(is_rollback=True), [refused])

    assert text.startswith("not rolling back to green 1.1: 1 of 1 gate refused;")


def test_the_refusal_text_is_never_empty(a_subject):
    assert refusal_text(a_subject(), [])


def test_a_rollback_skips_slow_gates_and_asks_the_others(a_subject):
    gates = [raising(ValueError("asked"), name="soak", is_slow=True), passing("ready")]
    started = []

    soak, ready = run_gates(
        gates, a_subject(is_rollback=True), timeout_seconds=5, on_start=started.append
    )

    assert (soak.gate, soak.passed, soak.reason) == ("soak", True, "skipped in a rollback")
    assert ready.reason == "fine"
    assert started == ["ready"]


def test_a_switch_asks_slow_gates_too(a_subject):
    gate = raising(ValueError("asked"), is_slow=True)

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert not verdict.passed


def test_each_gate_is_announced_by_name_before_it_is_asked(a_subject):
    events = []

    def act(*_):
        events.append("asked")
        return Verdict("x", passed=True, reason="fine")

    run_gates(
        [FakeGate(act, name="one")],
        a_subject(),
        timeout_seconds=5,
        on_start=lambda name: events.append(f"announced {name}"),
    )

    assert events == ["announced one", "asked"]


def test_no_gates_give_no_verdicts(a_subject):
    assert run_gates([], a_subject(), timeout_seconds=5) == ()


def test_hung_gates_do_not_keep_the_interpreter_from_ending():
    code = """
        import json, time
        from bluegreen.colors import Color
        from bluegreen.gates import Endpoint, Subject, run_gates

        class Hung:
            name, timeout_seconds, is_slow, is_dry_run = "hung", 0.2, False, False
            runs_first, runs_in_preview, lacks = False, True, ""
            def check(self, subject, deadline):
                time.sleep(60)

        subject = Subject(Color.GREEN, "1.1", 1, Endpoint("http://127.0.0.1:9"), None, None)
        start = time.monotonic()
        verdicts = run_gates([Hung()] * 4, subject, timeout_seconds=20)
        print(json.dumps([time.monotonic() - start, [verdict.reason for verdict in verdicts]]))
    """

    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    took, reasons = json.loads(ended.stdout)
    assert took < 10
    assert reasons == ["no verdict within 0.2 s"] * 4
    assert ended.stderr == ""


def test_a_verdict_that_is_outdated_when_the_last_gate_speaks_is_asked_for_again(a_subject):
    def look(*_):
        return Verdict("capacity", passed=False, reason="one has died")

    asked = []
    again = FakeGate(look, name="capacity")
    runs_once = FakeGate(lambda *_: asked.append("smoke"), name="smoke", runs_in_preview=False)
    verdicts = [
        Verdict("capacity", passed=True, reason="2 of 2", duration_seconds=0.1),
        Verdict("smoke", passed=True, reason="fine", duration_seconds=0.1),
        Verdict("slow", passed=True, reason="fine", duration_seconds=3.0),
    ]

    fresh = ask_again([again, runs_once], a_subject(), verdicts, timeout_seconds=5)

    assert [(each.gate, each.passed) for each in fresh] == [
        ("capacity", False),
        ("smoke", True),
        ("slow", True),
    ]
    # Nobody expects a program that may place orders to run twice.
    assert asked == []


@pytest.mark.parametrize(("passed", "last"), [(True, 1.0), (False, 3.0)])
def test_fresh_verdicts_and_refusals_are_not_asked_for_again(a_subject, passed, last):
    verdicts = (
        Verdict("capacity", passed=True, reason="2 of 2", duration_seconds=0.1),
        Verdict("slow", passed=passed, reason="", duration_seconds=last),
    )
    gate = raising(AssertionError("was asked"), name="capacity")

    assert ask_again([gate], a_subject(), verdicts, timeout_seconds=5) == verdicts


@pytest.mark.parametrize(
    "act",
    [
        lambda *_: Verdict("x", passed=False, reason="p99 is 0.9 s", value="0.9 s", limit="0.5 s"),
        lambda *_: 1 / 0,
        lambda *_: None,
    ],
)
def test_a_dry_run_tells_what_it_would_refuse_and_lets_it_pass(a_subject, act):
    gate = FakeGate(act, name="latency", is_dry_run=True)

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert (verdict.passed, verdict.is_warning, verdict.would_refuse) == (True, True, True)
    assert str(verdict).startswith("latency: would refuse: ")


@pytest.mark.parametrize(
    "gate",
    [passing(), raising(OSError("x")), passing(lacks="no package")],
    ids=["passes", "breaks", "lacks a package"],
)
def test_every_verdict_has_a_limit_and_a_duration(a_subject, gate):
    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert verdict.limit == "a verdict within 5 s"
    assert verdict.duration_seconds < 5


def test_a_hung_dry_run_is_told_and_refuses_nothing(a_subject, hanging):
    gate = hanging(name="hung", timeout_seconds=0.1, is_dry_run=True)

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert str(verdict) == "hung: would refuse: no verdict within 0.1 s"


def test_a_dry_run_that_passes_is_no_warning(a_subject):
    (verdict,) = run_gates([passing(is_dry_run=True)], a_subject(), timeout_seconds=5)

    assert str(verdict) == "fake: passed: fine"


def test_what_prepares_the_color_is_done_before_the_others_measure(a_subject):
    events = []

    def warm_up(_subject, deadline):
        deadline.sleep(0.1)
        events.append("warm")
        return Verdict("x", passed=True, reason="fine")

    def measure(*_):
        events.append("measured")
        return Verdict("x", passed=True, reason="fine")

    gates = [FakeGate(measure, name="p99"), FakeGate(warm_up, name="warm_up", runs_first=True)]

    verdicts = run_gates(gates, a_subject(), timeout_seconds=5)

    assert events == ["warm", "measured"]
    assert [verdict.gate for verdict in verdicts] == ["p99", "warm_up"]


def test_nothing_is_measured_on_a_color_that_could_not_be_prepared(a_subject):
    gates = [
        raising(AssertionError("was asked"), name="p99"),
        raising(OSError("cold"), name="warm"),
    ]
    gates[1] = FakeGate(gates[1].act, name="warm", runs_first=True)

    verdicts = run_gates(gates, a_subject(), timeout_seconds=5)

    assert [verdict.passed for verdict in verdicts] == [False, False]
    assert str(verdicts[0]) == "p99: not asked: warm, which goes first, has refused"
    assert refusal_text(a_subject(), verdicts) == (
        "not switching to green 1.1: 1 of 2 gates refused; production traffic has not moved\n"
        "  warm: OSError: cold"
    )


def test_time_spent_on_preparing_is_taken_from_the_others(a_subject):
    def warm_up(_subject, deadline):
        deadline.sleep(0.3)
        return Verdict("x", passed=True, reason="fine")

    left = []

    def late(_subject, deadline):
        left.append(deadline.remaining_seconds)
        return Verdict("x", passed=True, reason="fine")

    run_gates(
        [FakeGate(warm_up, name="warm", runs_first=True), FakeGate(late, timeout_seconds=10)],
        a_subject(),
        timeout_seconds=10,
    )

    assert 0 < left[0] <= 9.7


def test_a_long_preparation_makes_no_verdict_outdated(a_subject):
    gates = [
        passing("warm", runs_first=True),
        raising(AssertionError("was asked"), name="capacity"),
    ]
    verdicts = (
        Verdict("warm", passed=True, reason="", duration_seconds=60.0),
        Verdict("capacity", passed=True, reason="2 of 2", duration_seconds=0.1),
    )

    assert ask_again(gates, a_subject(), verdicts, timeout_seconds=120) == verdicts
