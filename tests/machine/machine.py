"""Everything that people and accidents do to a service, in any order, and what must hold then.

The rules and what must hold are written once. The world behind them is a model in memory
(`model_world.py`) or the real engine with a real platform.
"""

import copy
import itertools
import re
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bluegreen.colors import Color
from tests.engine.pulumi_stack import Result
from tests.machine.observed import Seen
from tests.machine.ways_out import ways_out
from tests.machine.world import KILLED
from tests.machine.written_service import WrittenService, color_settings

__all__ = ["ServiceMachine"]

MOST_FOLLOWED = 6
"""Refusals in a row, each with its way out followed, until an update has to succeed."""

colors = st.sampled_from(Color)
modes = st.sampled_from(["normal", "normal", "normal", "broken", "never-ready"])
replicas = st.integers(1, 3)
kills = st.none() | st.integers(0, 25)
follows = st.none() | st.integers(0, 9)
"""Which of the ways out that a refusal names is taken, if any."""

now = st.sampled_from([True, True, True, False])
"""Whether `pulumi up` comes at once, or after a further edit."""


class ServiceMachine(WrittenService, RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.applied: dict[str, Any] | None = None
        """The config that the last successful update had, if nothing has happened since."""

        self.good: dict[str, Any] = {}
        """The config of the last successful update."""

        self.permissions: dict[str, str] = {}
        self.numbers = itertools.count()
        self.has_switched = False
        """The last thing that happened was a successful switch, and nothing else."""

    def teardown(self) -> None:
        try:
            self.converge()
        finally:
            self.world.close()

    # What people do.

    @initialize(kill=kills)
    def first(self, kill: int | None) -> None:
        self.write("active_color", "blue")
        self.write("blue", color_settings("1.0", 2))
        self.update(kill=kill)

    @rule(is_idle=now, mode=modes, replicas=replicas, at_once=now, kill=kills, follow=follows)
    def deploy(
        self,
        *,
        is_idle: bool,
        mode: str,
        replicas: int,
        at_once: bool,
        kill: int | None,
        follow: int | None,
    ) -> None:
        color = self.active.other if is_idle else self.active
        release = f"1.{next(self.numbers) + 1}"
        named = release if mode == "normal" else f"{release}-{mode}"
        self.write(color, color_settings(named, replicas))
        self.perhaps(at_once=at_once, kill=kill, follow=follow)

    @precondition(lambda self: self.active.other in self.written)
    @rule(at_once=now, kill=kills, follow=follows)
    def switch(self, *, at_once: bool, kill: int | None, follow: int | None) -> None:
        self.write("active_color", self.active.other)
        self.perhaps(at_once=at_once, kill=kill, follow=follow)

    @rule(
        mode=modes,
        replicas=replicas,
        old=st.sampled_from(["stays", "retired", "removed"]),
        kill=kills,
        follow=follows,
    )
    def deploy_and_switch(
        self, *, mode: str, replicas: int, old: str, kill: int | None, follow: int | None
    ) -> None:
        """The whole job in one update."""
        before = self.active
        self.deploy(
            is_idle=True, mode=mode, replicas=replicas, at_once=False, kill=None, follow=None
        )
        self.write("active_color", before.other)
        if old == "retired" and before in self.written:
            entry = {"color": before, "release": self.written[before]["release"]}
            self.write("retired", entry)
        elif old == "removed":
            self.write(before, None)
        self.update(kill, follow)

    @precondition(lambda self: self.active.other in self.written)
    @rule(kill=kills, follow=follows)
    def roll_back(self, kill: int | None, follow: int | None) -> None:
        was_switched, is_clean = self.has_switched, self.applied is not None
        self.write("active_color", self.active.other)
        result = self.update(kill, follow, BLUEGREEN_ROLLBACK=f"{self.active}:bad figures")
        if was_switched and is_clean and result.exit_code != KILLED and self.is_sound:
            assert result.ok, result
            assert result.done == ["shop-route", "shop-flag"], result.done

    @precondition(lambda self: self.active.other in self.written)
    @rule(percent=st.sampled_from([0, 10, 50, 90]), at_once=now, kill=kills, follow=follows)
    def canary(self, *, percent: int, at_once: bool, kill: int | None, follow: int | None) -> None:
        self.write("canary", {"color": self.active.other, "percent": percent})
        self.perhaps(at_once=at_once, kill=kill, follow=follow)

    @precondition(lambda self: self.active.other in self.written)
    @rule(is_wanted=st.booleans(), at_once=now, kill=kills, follow=follows)
    def retire(
        self, *, is_wanted: bool, at_once: bool, kill: int | None, follow: int | None
    ) -> None:
        color = self.active.other
        entry = {"color": color, "release": self.written[color]["release"]}
        self.write("retired", entry if is_wanted else None)
        self.perhaps(at_once=at_once, kill=kill, follow=follow)

    @rule(is_idle=now, at_once=now, kill=kills, follow=follows)
    def remove(self, *, is_idle: bool, at_once: bool, kill: int | None, follow: int | None) -> None:
        self.write(self.active.other if is_idle else self.active, None)
        self.perhaps(at_once=at_once, kill=kill, follow=follow)

    @rule(hours=st.sampled_from([0, 24]))
    def keep_for(self, hours: int) -> None:
        self.retention_hours = hours
        self.world.configure("service.retention_hours", hours)

    @rule(kill=kills, follow=follows)
    def repeat(self, kill: int | None, follow: int | None) -> None:
        self.update(kill, follow)

    @precondition(lambda self: self.good)
    @rule(kill=kills)
    def undo(self, kill: int | None) -> None:
        for key in ("active_color", "blue", "green", "canary", "retired"):
            self.write(key, self.good.get(key))
        self.update(kill)

    @rule()
    def refresh(self) -> None:
        self.disturbed()
        result = self.world.refresh()
        assert result.ok, result

    # What happens to it.

    @precondition(lambda self: self.world.recorded()[0] is not None)
    @rule(active=st.none() | colors, percent=st.sampled_from([0, 0, 40]))
    def move_by_hand(self, active: Color | None, percent: int) -> None:
        self.disturbed()
        self.world.move_by_hand(active, percent)

    @rule(color=colors)
    def end_members(self, color: Color) -> None:
        self.disturbed()
        self.world.end_members(color)

    @precondition(lambda self: self.world.recorded()[0] is not None)
    @rule()
    def restart_proxy(self) -> None:
        self.disturbed()
        self.world.restart_proxy()

    @precondition(lambda self: self.world.recorded()[0] is not None)
    @rule()
    def stop_proxy(self) -> None:
        self.disturbed()
        self.world.stop_proxy()

    @precondition(lambda self: self.world.seen().flag is not None)
    @rule()
    def damage_flag(self) -> None:
        self.disturbed()
        self.world.damage_flag()

    @rule()
    def converge(self) -> None:
        """A good config and `pulumi cancel`, `pulumi up`, at most twice."""
        active = self.write_what_works()
        wanted = self.wanted({"BLUEGREEN_ALLOW_LIVE_CHANGE": f"{active}:mend"})
        permission = {"BLUEGREEN_ALLOW_LIVE_CHANGE": f"{active}:mend"}
        self.world.cancel()
        result = self.world.up(wanted, None, **permission)
        if not result.ok:
            self.tell(result.text)
            self.world.cancel()
            result = self.world.up(wanted, None, **permission)
        assert result.ok, result
        self.check_settled(self.permissions_of(result))
        preview = self.world.preview()
        assert preview.ok, preview
        assert preview.plan == [], preview.plan
        self.settled(has_switched=False)

    # What must hold.

    def perhaps(self, *, at_once: bool, kill: int | None, follow: int | None) -> None:
        if at_once:
            self.update(kill, follow)

    def update(
        self, kill: int | None = None, follow: int | None = None, **environment: str
    ) -> Result:
        """One `pulumi up` and everything that must hold after it."""
        before, is_switch = self.world.seen(), self.is_switch
        events = len(self.world.events())
        result = self.world.up(self.wanted(environment), kill, **environment)
        after = self.world.seen()
        self.tell(f"up {environment}: {result}")
        assert "Traceback" not in result.text, result
        self.check_moment(before, after, self.wanted(environment))
        if result.exit_code == KILLED:
            recorded = self.world.recorded()[1]
            self.unrecorded |= {
                color for color in Color if after.fleets[color].members and color not in recorded
            }
            self.world.cancel()
            self.disturbed()
        elif result.ok:
            self.check_changes(result)
            self.check_settled(self.permissions_of(result))
            self.settled(has_switched=is_switch)
        else:
            self.check_refusal(result, before, after)
            self.check_no_false_entry(events)
            if follow is not None:
                self.follow(result, follow, environment)
        return result

    def check_changes(self, result: Result) -> None:
        """Where nothing else has happened, exactly what was edited is changed."""
        if self.applied is None:
            return
        before, after = self.applied, self.described()
        expected = {
            f"shop-{color}-members" for color in Color if before.get(color) != after.get(color)
        }
        expected |= {"shop-route"} if before["route"] != after["route"] else set()
        expected |= {"shop-flag"} if before["flag"] != after["flag"] else set()
        assert set(result.done) == expected, (result.done, expected)

    def check_refusal(self, result: Result, before: Seen, after: Seen) -> None:
        assert list(ways_out(result.stderr)), f"no way out: {result}"
        if "shop-route" not in result.done:
            assert before.live is None or after.live == before.live
        if self.applied is not None and after.live is not None:
            outputs = self.world.outputs()
            assert outputs["active_color"] == after.live.active
            assert f"active_color {after.live.active.other}" in outputs["rollback_command"]
        if result.done:
            self.disturbed()
        self.has_switched = False

    def check_no_false_entry(self, before: int) -> None:
        """A refused update moved nothing and let nobody go."""
        kinds = [event["kind"] for event in self.world.events()[before:]]
        assert "early_retirement" not in kinds, kinds

    def follow(self, result: Result, which: int, environment: dict[str, str]) -> None:
        """Takes a way out that the refusal names, and the next one, until it works."""
        self.permissions = dict(environment)
        for _ in range(MOST_FOLLOWED):
            ways = list(ways_out(result.stderr))
            ways[which % len(ways)](self)
            refusal = _without_figures(result.stderr)
            result = self.update(None, None, **self.permissions)
            if result.ok:
                return
            self.tell(f"way {which} of {len(ways)}")
            assert _without_figures(result.stderr) != refusal, result

    # The ways out.

    def set_key(self, path: str, text: str) -> None:
        value: Any = {"VERSION": "1.0"}.get(text, int(text) if text.isdigit() else text)
        first, *rest = path.split(".")
        if first == "service":
            self.world.configure(path, value)
            return
        entry = copy.deepcopy(self.written.get(first))
        if not rest:
            entry = value
        elif entry is None and rest == ["release"]:
            entry = color_settings(value, 2)
        else:
            entry[rest[0]] = value
        self.write(first, entry)

    def remove_key(self, key: str) -> None:
        self.write(key, None)

    def allow(self, variable: str, value: str) -> None:
        self.permissions[variable] = value
        color = value.partition(":")[0]
        if "ALLOW_LIVE_CHANGE" in variable and "-" in self.written[color]["release"]:
            # Who allows this looks at the release first; a broken one stops at the flag.
            self.deploy_something_sound(Color(color))

    def take_over_by_refresh(self) -> None:
        self.refresh()

    def deploy_something_sound(self, color: Color) -> None:
        if self.world.seen().share(color):
            self.permissions["BLUEGREEN_ALLOW_LIVE_CHANGE"] = f"{color}:mend"
        size = max(fleet.members for fleet in self.world.seen().fleets.values())
        self.write(color, color_settings(f"1.{next(self.numbers) + 1}", max(1, size)))

    def put_back(self, color: Color) -> None:
        release, members = self.world.recorded()[1][color]
        self.write(color, color_settings(release, max(1, members)))
        if self.written.get("retired", {}).get("color") == color:
            self.write("retired", None)

    def undo_all(self) -> None:
        _, fleets = self.world.recorded()
        for color in Color:
            if color in fleets:
                self.put_back(color)
            elif color in self.unrecorded:
                left = self.world.seen().fleets[color]
                self.write(color, color_settings(*left.releases, max(1, left.members)))
            else:
                self.write(color, None)
        self.write("retired", None)
        self.take_what_is_live()

    def take_what_is_live(self) -> None:
        live = self.world.seen().live
        assert live is not None
        self.write("active_color", live.active)
        idle = live.active.other
        self.write("canary", {"color": idle, "percent": live.split.share_of(idle)})

    # What is written, and what follows from it.

    @property
    def is_switch(self) -> bool:
        return bool(self.applied) and self.applied["route"] != self.described()["route"]

    def described(self) -> dict[str, Any]:
        """What the config makes of each resource."""
        found: dict[str, Any] = {
            color: (self.written[color], self.members_of(color))
            for color in Color
            if color in self.written
        }
        for color in found:
            settings = {**self.written[color], "replicas": self.members_of(color)}
            found[color] = settings
        release = self.written.get(self.active, {}).get("release")
        found["route"] = (self.active, self.percent)
        found["flag"] = (self.active, release)
        return copy.deepcopy(found)

    def permissions_of(self, result: Result) -> dict[str, str]:
        is_rollback = " in this rollback" in result.text
        return {"BLUEGREEN_ROLLBACK": f"{self.active}:why"} if is_rollback else {}

    def settled(self, *, has_switched: bool) -> None:
        self.applied, self.good = self.described(), copy.deepcopy(self.written)
        self.unrecorded -= set(self.written)
        self.has_switched = has_switched

    def disturbed(self) -> None:
        self.applied, self.has_switched = None, False

    def write_what_works(self) -> Color:
        """The recorded color active, sound, and large enough; the other one as it is recorded,
        unless none of its members gets ready."""
        recorded, fleets = self.world.recorded()
        seen = self.world.seen()
        active = recorded or (seen.live.active if seen.live else self.active)
        size = max(
            [1, *(n for _, n in fleets.values()), *(f.members for f in seen.fleets.values())]
        )
        for color in Color:
            known = {*fleets, *self.written, *self.unrecorded, active}
            if color not in known:
                continue
            release = fleets[color][0] if color in fleets else ""
            unfit = "-" if color is active else "-never-ready"
            if not release or unfit in release:
                release = f"1.{next(self.numbers) + 1}"
            self.write(color, color_settings(release, size))
        self.write("active_color", active)
        self.write("canary", None)
        self.write("retired", None)
        return active


def _without_figures(text: str) -> str:
    return re.sub(r"[\d.:]+", "", text)
