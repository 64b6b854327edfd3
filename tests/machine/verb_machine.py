"""Everything that people type at `bluegreen`, also what is wrong, in any order.

What must be so because of the config is the same as for `pulumi up`; on top of it comes what the
command promises: how it ends, and that what it did not do leaves no trace.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bluegreen.colors import Color
from bluegreen.operations import ExitCode
from tests.engine.command import Typed
from tests.machine.command_world import CommandWorld
from tests.machine.observed import Seen, Wanted
from tests.machine.written_service import WrittenService, color_settings

__all__ = ["VerbMachine"]

KEYS = ("active_color", "blue", "green", "canary", "retired")
MOST_UPDATES = 2
"""So often may `pulumi up` be typed until what was killed is mended."""

DONE, REFUSED, USAGE, UNCERTAIN = ExitCode
modes = st.sampled_from(["normal", "normal", "normal", "broken", "never-ready"])
kills = st.sampled_from([None, None, None]) | st.integers(0, 60)


class VerbMachine(WrittenService, RuleBasedStateMachine):
    make_world: ClassVar[Callable[[], CommandWorld]]
    world: CommandWorld

    def __init__(self) -> None:
        super().__init__()
        self.world.wants = self.wants
        self.numbers = itertools.count(2)
        self.rolled_back: set[tuple[Color, str]] = set()
        """What needs `--acknowledge`."""

        self.before_switch: Seen | None = None
        """What was so before the last verb, if that was a switch from one color to the other."""

        self.asked: Wanted | None = None
        """What the last update was for, where the world can tell: a killed one's config is gone."""

    def teardown(self) -> None:
        self.world.close()

    @initialize(replicas=st.integers(1, 2), has_green=st.booleans())
    def first(self, *, replicas: int, has_green: bool) -> None:
        self.write("active_color", "blue")
        self.write("blue", {"release": "1.0", "replicas": replicas})
        if has_green:
            self.write("green", color_settings("1.1", replicas))
        result = self.world.up(self.wanted({}), None)
        assert result.ok, result
        self.check_settled({})

    # The verbs.

    @rule(mode=modes, kill=kills)
    def deploy(self, *, mode: str, kill: int | None) -> None:
        idle = self.active.other
        before = self.written.get(idle)
        mode = mode if before else "normal"
        release = f"1.{next(self.numbers)}" + ("" if mode == "normal" else f"-{mode}")
        if before is not None:
            # The release says how it behaves, and the program is told by its environment.
            self.write(idle, {**before, "env": {"APP_MODE": mode}})
        expected = {REFUSED, UNCERTAIN} if mode == "never-ready" else {DONE}
        if self.percent or (before is None and "env" in self.written[self.active]):
            expected = {REFUSED}
        self.type(
            *("deploy", "--release", release),
            # Pulumi does not know what a killed creation has left; the same command again does.
            kill=kill if before else None,
            expected=expected,
            take_back=lambda: self.write(idle, before),
        )

    @rule(
        to=st.sampled_from(["idle", "idle", "idle", "active", "", "red"]),
        is_acknowledged=st.booleans(),
        kill=kills,
    )
    def switch(self, *, to: str, is_acknowledged: bool, kill: int | None) -> None:
        before, active = self.world.seen(), self.active
        target = active if to == "active" else active.other
        words = ["switch"]
        words += ["--to", {"red": "red"}.get(to, str(target))] if to else []
        words += ["--acknowledge", "--reason", "it was repaired"] if is_acknowledged else []
        expected = USAGE if to == "red" else self.ending_of_move(target, is_acknowledged)
        changes = self.has_effect(target) and to != "red"
        done = self.type(*words, kill=kill if changes else None, expected={expected})
        if done.exit_code == DONE and target is not active:
            self.before_switch = before if before.share(active) == 100 else None
            self.remember(target, is_rollback=False)
        if not changes:
            for color, fleet in self.world.seen().fleets.items():
                # Or what a refused command has raised is as it is written again.
                is_mended = fleet.members == self.members_of(color)
                assert fleet == before.fleets[color] or is_mended, (color, fleet, before)

    @rule(kill=kills)
    def roll_back(self, kill: int | None) -> None:
        before, switched_from = self.world.seen(), self.before_switch
        # Under a canary it is the canary that is taken back.
        is_of_canary = self.percent > 0
        target = self.active if is_of_canary else self.active.other
        is_rollback = self.has_all_members(target)
        expected = self.ending_of_move(target, is_rollback)
        self.type(
            *("rollback", "--reason", "orders fail"),
            kill=kill,
            expected={expected},
            environment={"BLUEGREEN_ROLLBACK": f"{target}:orders fail"} if is_rollback else {},
        )
        if self.active is not target or is_of_canary:
            return
        self.remember(target, is_rollback=is_rollback)
        if switched_from is not None:
            after = self.world.seen()
            assert after.live == switched_from.live
            assert after.fleets == before.fleets

    @rule(percent=st.sampled_from([0, 10, 50, 100]), kill=kills)
    def canary(self, *, percent: int, kill: int | None) -> None:
        idle = self.active.other
        expected = DONE
        if percent == 100:
            expected = USAGE
        elif idle not in self.written:
            expected = REFUSED
        elif percent > self.percent:
            expected = self.ending_of_move(idle, is_acknowledged=False)
        allowed = {expected}
        if expected is REFUSED and not self.has_all_members(idle):
            # A retired color was raised before its gates were asked, which is told.
            allowed.add(UNCERTAIN)
        self.type("canary", "--percent", str(percent), kill=kill, expected=allowed)

    @rule(due=st.booleans(), kill=kills)
    def retire(self, *, due: bool, kill: int | None) -> None:
        is_possible = self.active.other in self.written and not self.percent
        expected = DONE if is_possible or due else REFUSED
        self.type("retire", *(["--due"] if due else []), kill=kill, expected={expected})

    @rule()
    def type_nothing_of_use(self) -> None:
        self.type("rollback", "--reason", " ", expected={USAGE})

    # What happens to it.

    @precondition(lambda self: self.active.other in self.written)
    @rule(
        active=st.none() | st.sampled_from(Color),
        percent=st.sampled_from([0, 40]),
        verb=st.sampled_from(["switch --to active", "switch --to idle", "rollback"]),
    )
    def move_by_hand(self, active: Color | None, percent: int, verb: str) -> None:
        """Somebody moves production, and somebody else types a verb; what is live counts."""
        recorded, is_whole = self.active, self.has_all_members(self.active.other)
        before = self.world.seen().live
        self.world.move_by_hand(active, percent)
        live = self.world.seen().live
        if live == before:
            return
        self.tell(f"moved by hand to {live}")
        if verb == "switch --to active":
            self.type("switch", "--to", str(recorded), expected={DONE})
        elif verb == "rollback":
            self.type("rollback", "--reason", "somebody moved it", expected=set(ExitCode))
        else:
            is_there = live is not None and live.split.share_of(recorded.other) == 100
            # Where nobody can read it, nobody can tell that nothing moved.
            unread = {REFUSED, UNCERTAIN} if live is None else {REFUSED}
            expected = set(ExitCode) if is_there else unread
            self.type("switch", "--to", str(recorded.other), expected=expected)
        if self.active is not recorded:
            self.remember(self.active, is_rollback=verb == "rollback" and is_whole)
        self.mend()

    # What must hold.

    def type(
        self,
        *words: str,
        expected: set[ExitCode],
        kill: int | None = None,
        environment: Mapping[str, str] | None = None,
        take_back: Callable[[], None] = lambda: None,
    ) -> Typed:
        """One command, and everything that must hold after it."""
        before, text = self.world.seen(), self.world.config_text()
        self.before_switch, self.asked = None, None
        done = self.world.bluegreen(*words, kill_at=kill)
        self.written = self.read()
        after = self.world.seen()
        self.tell(f"bluegreen {' '.join(words)}: {done}\n{after}")
        assert "Traceback" not in done.text, done
        was_killed = kill is not None and "killed" in done.stderr
        assert done.exit_code in (expected | {UNCERTAIN} if was_killed else expected), done
        self.check_moment(before, after, self.asked or self.wanted(dict(environment or {})))
        if done.exit_code == DONE:
            self.check_settled(dict(environment or {}))
        elif done.exit_code in {REFUSED, USAGE}:
            self.check_no_trace(before, after, may_grow=words[0] in {"switch", "rollback"})
            assert self.world.config_text() == text
        self.check_what_is_said(after, done)
        if done.exit_code != DONE:
            take_back()
        if done.exit_code == UNCERTAIN:
            self.mend()
        return done

    def check_no_trace(self, before: Seen, after: Seen, *, may_grow: bool) -> None:
        """A retired color is raised before its gates are asked; the next update shrinks it."""
        assert after.live == before.live
        assert after.flag is before.flag
        for color in Color:
            old, new = before.fleets[color], after.fleets[color]
            is_larger = new.members > old.members and new.releases >= old.releases
            is_same = (new.members, new.releases) == (old.members, old.releases)
            assert is_same or (may_grow and is_larger), (color, old, new)

    def check_what_is_said(self, seen: Seen, done: Typed) -> None:
        """Config, outputs, `status` and production itself say the same, unless it was told."""
        if seen.live is None:
            return
        assert seen.live.active is self.active or done.exit_code in {REFUSED, UNCERTAIN}, done
        status = self.world.bluegreen("status", "--json").json
        answering = {Color(each) for each in status["production"]["colors"]}
        assert answering <= {color for color, share in seen.live.split if share}, status
        if done.exit_code == DONE:
            assert status["active_color"] == status["wanted_color"] == self.active

    def mend(self) -> None:
        """What the messages of a killed or refused command say: `pulumi cancel`, `pulumi up`."""
        for _ in range(MOST_UPDATES):
            self.world.cancel()
            result = self.world.up(self.wanted({}), None)
            if result.ok:
                break
        else:
            raise AssertionError(result)
        self.check_settled({})

    # What follows from what is written.

    def remember(self, target: Color, *, is_rollback: bool) -> None:
        """Production has gone to that color."""
        self.rolled_back.discard(self.held_by(target))
        if is_rollback:
            self.rolled_back.add(self.held_by(target.other))

    def ending_of_move(self, target: Color, is_acknowledged: bool) -> ExitCode:  # noqa: FBT001
        if target is self.active and not self.percent:
            return DONE
        if target not in self.written or "-" in self.written[target]["release"]:
            return REFUSED
        held_up = self.held_by(target) in self.rolled_back and target is not self.active
        return REFUSED if held_up and not is_acknowledged else DONE

    def has_effect(self, target: Color) -> bool:
        return target is not self.active or self.percent > 0

    def has_all_members(self, color: Color) -> bool:
        if color not in self.written:
            return False
        return self.world.seen().fleets[color].members == self.written[color]["replicas"]

    def held_by(self, color: Color) -> tuple[Color, str]:
        return color, self.written[color]["release"]

    def read(self) -> dict[str, Any]:
        return {key: value for key, value in self.world.read_config().items() if key in KEYS}

    def wants(self, environment: Mapping[str, str]) -> Wanted:
        self.written = self.read()
        self.asked = self.wanted(dict(environment))
        return self.asked
