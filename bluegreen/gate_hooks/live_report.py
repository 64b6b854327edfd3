"""Tells what is live, when a preview is asked to; changes nothing and refuses nothing."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pulumi

from bluegreen.colors import Color
from bluegreen.contract import RequestVariable
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks.daemon_thread import in_daemon_thread
from bluegreen.gate_hooks.update import Update
from bluegreen.gates.runner import run_gates
from bluegreen.report import ColorReport, Report, VerdictReport
from bluegreen.traffic import Route

__all__ = ["live_report", "report_if_asked"]

_T = TypeVar("_T")


def report_if_asked(update: Update, known: pulumi.Output[object]) -> None:
    """Writes the report once `known` is, which is what the data plane needs to be asked.

    Args:
        update: The service.
        known: Becomes known when all its resources are registered.
    """
    path = os.environ.get(RequestVariable.REPORT)
    if not path or not pulumi.runtime.is_dry_run():
        return

    async def write(_: object) -> str:
        await in_daemon_thread("report", lambda: _write(Path(path), update))
        return path

    begin: Callable[[object], Any] = write
    known.apply(begin, run_with_unknowns=True)


def _write(path: Path, update: Update) -> None:
    report = live_report(update, validated=_validated(os.environ))
    part = path.with_name(f"{path.name}.part")
    part.write_text(report.to_json(), encoding="utf-8")
    part.replace(path)


def _validated(environment: Mapping[str, str]) -> Color | None:
    return Color.read(environment.get(RequestVariable.VALIDATE))


def live_report(update: Update, *, validated: Color | None = None) -> Report:
    """Asks the data plane everything, and the gates of one color if one is named."""
    live: Route | None = None
    problem = ""
    try:
        live = update.data_plane.live_route()
    except DataPlaneError as error:
        problem = str(error)
    switched = _told(update.data_plane.last_switch)
    return Report(
        service=update.name,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        active=str(live.active) if live else None,
        wanted=str(update.plan.active_color),
        colors={str(color): _color(update, color, live) for color in Color},
        flagged=_told(update.data_plane.flagged),
        last_switch=switched.astimezone(UTC).isoformat(timespec="seconds") if switched else None,
        retention_hours=update.settings.retention_hours,
        validated=str(validated) if validated else None,
        verdicts=_verdicts(update, validated, live) if validated else (),
        problem=problem,
    )


def _color(update: Update, color: Color, live: Route | None) -> ColorReport:
    fleet = update.plan.fleets.get(color)
    notes: list[str] = []
    release = _told(lambda: update.data_plane.release(color), notes)
    readiness = None
    if fleet is not None or release is not None:
        readiness = _told(lambda: update.data_plane.readiness(color), notes)
    return ColorReport(
        release=release,
        wanted_release=fleet.release if fleet else None,
        share=live.split.share_of(color) if live else None,
        ready=readiness.ready if readiness else None,
        desired=readiness.desired if readiness else None,
        sessions=_told(lambda: update.data_plane.sessions(color)) if readiness else None,
        is_retired=fleet is not None and fleet.is_retired,
        note="; ".join([*notes, readiness.note if readiness else ""]).strip("; "),
    )


def _told(ask: Callable[[], _T], notes: list[str] | None = None) -> _T | None:
    """An answer; None, and a note why, where it cannot be had."""
    try:
        return ask()
    except DataPlaneError as error:
        if notes is not None:
            notes.append(str(error))
        return None


def _verdicts(update: Update, color: Color, live: Route | None) -> tuple[VerdictReport, ...]:
    if color not in update.plan.fleets:
        reason = f"{color} is not in the config"
        return (VerdictReport(gate="color", passed=False, reason=reason),)
    subject = update.subject(color, live)
    limit = update.settings.gates.timeout_seconds
    return tuple(
        VerdictReport(
            gate=verdict.gate,
            passed=verdict.passed,
            reason=verdict.reason,
            value=verdict.value,
            limit=verdict.limit,
            duration_seconds=round(verdict.duration_seconds, 3),
            is_warning=verdict.is_warning,
            detail=verdict.detail,
        )
        for verdict in run_gates(update.gates, subject, timeout_seconds=limit)
    )
