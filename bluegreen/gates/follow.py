"""Does production traffic follow? Asked of the data plane, after the write."""

import time

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.data_plane import DataPlane, Production
from bluegreen.gates.gate import Deadline, Verdict
from bluegreen.settings.following import ColorFromSettings, FollowSettings
from bluegreen.traffic import TrafficSplit

__all__ = ["verify_follow"]

_REQUEST_TIMEOUT_SECONDS = 5.0
_GATE = "traffic follows"


def verify_follow(
    data_plane: DataPlane,
    wanted: TrafficSplit,
    color_from: ColorFromSettings | None,
    settings: FollowSettings,
) -> Verdict:
    """Asks until enough answers in a row come from colors that have a share.

    Without `color_from`, or where production cannot be asked from here, only the router's own word
    can be had, and the verdict says so.
    """
    production = data_plane.production() if color_from else None
    started = time.monotonic()
    deadline = Deadline(settings.timeout_seconds)
    streak, answered = 0, ""
    while True:
        try:
            is_right, answered = _look(data_plane, wanted, color_from, production)
            seen = answered
        except (DataPlaneError, UnusableAnswerError) as error:
            # The last try may have been cut short, and what was seen before it says more.
            is_right, seen = False, f"{answered}; then {error}" if answered else str(error)
        streak = streak + 1 if is_right else 0
        if streak >= settings.consecutive or (streak and production is None):
            break
        if not deadline.sleep(settings.interval_seconds):
            break
    needed = settings.consecutive if production else 1
    return Verdict(
        gate=_GATE,
        passed=streak >= needed,
        reason=seen,
        value=f"{streak} in a row",
        limit=f"{needed} in a row from {', '.join(sorted(wanted.colors))}",
        duration_seconds=time.monotonic() - started,
    )


def _look(
    data_plane: DataPlane,
    wanted: TrafficSplit,
    color_from: ColorFromSettings | None,
    production: Production | None,
) -> tuple[bool, str]:
    """Whether it looks right, and what was seen; raises when nothing was."""
    route = data_plane.live_route()
    live = route.split if route else None
    if live != wanted:
        return False, f"the router says {live or 'nothing'}, wanted is {wanted}"
    if color_from is None or production is None:
        follows, says = data_plane.control_view(wanted)
        return follows, f"{says}; the application was not asked, because {_why_not(color_from)}"
    color = _answering_color(production, color_from)
    if color not in set(Color):
        return False, f"an answer names the color {color!r}; look at service.color_from"
    is_right = wanted.share_of(Color(color)) > 0
    return is_right, f"production answers from {color}"


def _why_not(color_from: ColorFromSettings | None) -> str:
    if color_from is None:
        return "service.color_from does not say where its answers name their color"
    return "production cannot be reached from here"


def _answering_color(production: Production, color_from: ColorFromSettings) -> str | None:
    # A new connection each time: a kept one may stay where it was on other data planes.
    answer = production.answer(color_from.path, _REQUEST_TIMEOUT_SECONDS)
    if not answer.is_success:
        msg = f"{production.name}{color_from.path} answers {answer.status}"
        raise UnusableAnswerError(msg)
    if color_from.header is not None:
        return answer.headers.get(color_from.header.lower())
    return str(answer.field(color_from.json_field or ""))
