"""One service in one update, with everything that lives outside of it made up by the test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks import HookCall, PropertyReaders, Update
from bluegreen.gates.data_plane import HttpProduction
from bluegreen.gates.gate import Endpoint, Readiness, Subject, Verdict
from bluegreen.overrides import ColorPermission, Overrides, ReleasePermission
from bluegreen.plan import make_plan
from bluegreen.traffic import Route, TrafficSplit
from bluegreen.transition import FleetState
from tests.unit.written import a_config

BLUE, GREEN = Color.BLUE, Color.GREEN


def live(active, canary_percent=0):
    """All traffic at one color, except for a canary's share."""
    return Route(active, TrafficSplit.with_canary(active, canary_percent))


def _answer(value):
    if isinstance(value, Exception):
        raise value
    return value


@dataclass
class FakeDataPlane:
    """Answers what the test says; an error in the place of an answer is raised."""

    route: Route | Exception | None = None
    releases: dict[Color, str | Exception | None] = field(
        default_factory=lambda: {BLUE: "1.0", GREEN: "1.1"}
    )
    sessions_left: Sequence[int | Exception | None] = (0,)
    """One answer after the other; the last one for ever."""

    switched_at: datetime | Exception | None = None
    desired: Mapping[Color, int] = field(default_factory=dict)
    """How many members each is to have now; 1 where nothing is said."""

    asked: list[str] = field(default_factory=list)

    @classmethod
    def silent(cls):
        error = DataPlaneError("the proxy does not answer")
        return cls(
            route=error,
            releases=dict.fromkeys(Color, error),
            sessions_left=(error,),
            switched_at=error,
        )

    def live_route(self):
        self.asked.append("live_route")
        return _answer(self.route)

    def release(self, color):
        self.asked.append(f"release of {color}")
        return _answer(self.releases.get(color))

    def sessions(self, color):
        self.asked.append(f"sessions of {color}")
        index = min(self.asked.count(f"sessions of {color}"), len(self.sessions_left)) - 1
        return _answer(self.sessions_left[index])

    def last_switch(self):
        self.asked.append("last_switch")
        return _answer(self.switched_at)

    def readiness(self, color):
        return Readiness(ready=1, desired=self.desired.get(color, 1))

    def pinned_endpoint(self, color):
        return Endpoint(f"http://{color}.example")

    def production(self):
        return HttpProduction(Endpoint("http://production.example"))

    def flagged(self):
        return None

    def left_behind(self, color):
        return None

    def control_view(self, wanted):
        return True, f"the router says {wanted}"


@dataclass
class MemoryJournal:
    """Keeps events in memory; or fails as a full disk does."""

    events: list = field(default_factory=list)
    error: Exception | None = None

    def record(self, event):
        if self.error is not None:
            raise self.error
        self.events.append(event)

    def recent(self):
        return self.events

    @property
    def kinds(self):
        return [str(event.kind) for event in self.events]


@dataclass(frozen=True, slots=True)
class RecordedCall(HookCall):
    """A hook's call that keeps what the user would be told."""

    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """What an interactive user would see while waiting."""

    def say(self, text):
        self.said.append(text)

    def warn(self, text):
        self.warned.append(text)

    def progress(self, text):
        self.shown.append(text)


def a_call(old=None, new=None, *, preview=False):
    return RecordedCall(is_preview=preview, old=old, new=new or {})


def a_preview(old=None, new=None):
    return a_call(old, new, preview=True)


def route_properties(route):
    """A router's properties, as `an_update` reads them."""
    return None if route is None else {"route": route}


def members(release="1.0", replicas=3, fingerprint=None):
    """A fleet's properties, as `an_update` reads them."""
    return {
        "release": release,
        "fingerprint": fingerprint or f"print of {release}",
        "replicas": replicas,
    }


@dataclass
class FakeGate:
    """Passes, or does what the test says, and keeps whom it was asked about."""

    name: str = "fake"
    passed: bool = True
    reason: str = "fine"
    is_warning: bool = False
    detail: str | None = None
    timeout_seconds: float = 5
    is_slow: bool = False
    is_dry_run: bool = False
    runs_first: bool = False
    runs_in_preview: bool = True
    lacks: str = ""
    subjects: list[Subject] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    """Seconds it was given, each time."""

    def check(self, subject, deadline):
        self.subjects.append(subject)
        self.deadlines.append(deadline.remaining_seconds)
        return Verdict(
            self.name,
            passed=self.passed,
            reason=self.reason,
            is_warning=self.is_warning,
            detail=self.detail,
        )

    @property
    def colors(self):
        return [subject.color for subject in self.subjects]


def an_update(
    data_plane=None,
    *,
    gates=(),
    journal=None,
    rollback=None,
    allow_live_change=None,
    retire_early=None,
    override_window=None,
    acknowledge=None,
    service=None,
    **config,
):
    """The update of a config without problems, except for what is changed."""
    overrides = Overrides(
        rollback=ColorPermission(rollback, "bad figures") if rollback else None,
        allow_live_change=ColorPermission(allow_live_change, "hot fix")
        if allow_live_change
        else None,
        retire_early=retire_early,
        override_window=override_window,
        acknowledge=ReleasePermission(acknowledge, "it was the database") if acknowledge else None,
    )
    loaded = a_config(service=service or {}, **config)
    return Update(
        name="shop",
        settings=loaded.service,
        plan=make_plan(loaded, overrides),
        overrides=overrides,
        data_plane=data_plane or FakeDataPlane(),
        journal=journal or MemoryJournal(),
        gates=gates,
        readers=PropertyReaders(
            route=lambda properties: properties.get("route"),
            fleet=lambda properties: FleetState(**properties),
            flag_color=lambda properties: properties.get("color"),
        ),
    )
