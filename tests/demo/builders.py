"""What a demo could have seen, with one thing changed."""

from dataclasses import replace

from bluegreen.load import Outcome, Recording
from tools.demo.report import FailedControl, Move, MoveKind, Observations, Refusal

RATE = 10
SECONDS = 60

# Blue answers first; each move takes 4 seconds and writes in the middle of them.
TO_GREEN = Move(MoveKind.SWITCH, "blue", "green", "1.1", 110.0, 114.0, 0.2, 112.0)
TO_BLUE = Move(MoveKind.ROLLBACK, "green", "blue", "1.0", 140.0, 144.0, 0.4, 142.0)
REFUSED = Refusal("blue 1.2", "green", 1, 120.0, 130.0, ("shop: release: refused",), "green 1.1")
BASELINE = (100.0, 106.0)
CONTROL = FailedControl(requests=100, failed=100)


def color_at(moment: float) -> str:
    return "green" if TO_GREEN.written <= moment < TO_BLUE.written else "blue"


def a_recording(*changed: dict, seconds: float = SECONDS) -> Recording:
    """Ten requests a second from second 100 on, plus some that are not as they should be."""
    recording = Recording(target_rate=RATE, wall_offset=0.0)
    for number in range(int(seconds * RATE)):
        moment = 100 + number / RATE
        _add(recording, {"sent": moment, "color": color_at(moment)})
    for changes in changed:
        _add(recording, changes)
    return recording


def observations(recording: Recording | None = None, **changes) -> Observations:
    seen = Observations(recording or a_recording(), [TO_GREEN, TO_BLUE], REFUSED, BASELINE, CONTROL)
    return replace(seen, **changes)


def _add(recording: Recording, changes: dict) -> None:
    sent = changes.get("sent", 100.0)
    request = {"intended": sent, "sent": sent, "ended": sent + 0.002}
    request |= {"outcome": Outcome.OK, "status": 200, "color": "blue", "release": "1.0"}
    recording.add(**request | changes)
