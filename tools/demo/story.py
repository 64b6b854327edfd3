"""The story of the demo: one named step after the other, each by commands a person would type."""

from collections.abc import Iterator
from contextlib import contextmanager

from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad, LoadPlan
from bluegreen.load.plan import MAX_REQUESTS, MAX_SECONDS
from tools.demo.commands import Done
from tools.demo.errors import DemoError
from tools.demo.plan import SERVICE
from tools.demo.report import FailedControl, Move, MoveKind, Observations, Refusal
from tools.demo.stage import Stage, written_at

__all__ = ["FIRST_RELEASE", "Story"]

FIRST_RELEASE = "1.0"
_SECOND_RELEASE = "1.1"
_THIRD_RELEASE = "1.2"

_NO_CHANGE_UPDATES = 3
_CONTROL_RATE = 100.0
_CONTROL_SECONDS = 1.0
# Three answers half a second apart, in preview and update, would take a second each; a release that
# is broken would be given half a minute.
_QUICK_GATES = {
    "service.gates.http.ready.path": "/health/ready",
    "service.gates.http.ready.interval_seconds": "0.1",
    "service.gates.release.interval_seconds": "0.1",
    "service.gates.release.timeout_seconds": "3",
}


class Story:
    """Deploys, switches under load, is refused, rolls back, retires."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._screen = stage.screen
        self._plan = stage.plan
        self._live = Color.BLUE
        self._releases = {Color.BLUE: FIRST_RELEASE}
        self._moves: list[Move] = []

    def tell(self) -> Observations:
        """All of it, up to the end of the load; raises `DemoError` where it cannot go on."""
        self._first_color_goes_live()
        failed_control = self._load_that_must_fail()
        self._second_color_is_deployed()
        with self._load() as load:
            baseline = self._updates_without_a_change()
            self._switches()
            refusal = self._broken_release_is_refused()
            self._fixed_release_goes_live()
            self._rollback()
            self._idle_color_is_retired()
            recording = load.stop()
        return Observations(recording, self._moves, refusal, baseline, failed_control)

    def bring_back_retired(self) -> None:
        """Gives the retired color its members again."""
        self._stage.begin(
            "The retired color comes back",
            "Because you keep the demo: with both colors running there is more to try.",
        )
        self._stage.configure("rm retired")
        self._stage.up()
        self._expect(self._plan.test_url, self._name(self._idle), "the test endpoint")

    def _first_color_goes_live(self) -> None:
        plan, stage = self._plan, self._stage
        stage.begin(
            f"Blue {FIRST_RELEASE} goes live",
            "The first deployment: two processes behind HAProxy. The gates ask them whether they "
            "are ready and run the right release; then they get the traffic.",
        )
        stage.type(f"cp {plan.template.name} {plan.config_file.name}")
        stage.type(f"pulumi stack init {plan.stack} --no-select")
        self._screen.note("So that the demo is short, its gates ask more quickly than by default:")
        stage.configure(
            "set-all --path "
            + " ".join(f"--plaintext {key}={value}" for key, value in _QUICK_GATES.items())
        )
        for key, port in plan.moved_ports.items():
            stage.configure(f"set --path {key} {port}")
        if plan.short_run_directory:
            self._screen.note("The path of this checkout is too long for a socket.")
            stage.configure(f"set --path service.onprem.run_directory {plan.short_run_directory}")
        self._screen.said(self._of_gates(stage.up()))
        self._expect(plan.production_url, self._name(self._live), "production")

    def _load_that_must_fail(self) -> FailedControl:
        self._stage.begin(
            "Can the load client see a failure?",
            "Green does not exist yet, so its test endpoint must fail every request. A count of "
            "0 failures means something only if failures are counted.",
        )
        plan = LoadPlan(
            url=self._plan.test_url, rate=_CONTROL_RATE, seconds=_CONTROL_SECONDS, connections=8
        )
        with BackgroundLoad(plan) as load:
            recording = load.wait()
        control = FailedControl(len(recording), recording.failed())
        self._screen.good(f"{control.failed} of {control.requests} requests failed, as they must")
        return control

    def _second_color_is_deployed(self) -> None:
        plan, stage = self._plan, self._stage
        stage.begin(
            f"Green {_SECOND_RELEASE} is deployed next to it",
            "Green is idle: only the test endpoint reaches it. Production does not notice.",
        )
        self._deploy(_SECOND_RELEASE)
        self._expect(plan.test_url, self._name(self._idle), "the test endpoint")
        self._expect(plan.production_url, self._name(self._live), "production")

    @contextmanager
    def _load(self) -> Iterator[BackgroundLoad]:
        plan = self._plan
        self._stage.begin(
            f"Load: {plan.rate:,.0f} requests a second, until the end",
            "Open loop, no retries: a request without a complete 2xx answer has failed. Latency "
            "counts from when a request was due.",
        )
        # Longer than the story ever takes; it ends the load itself.
        seconds = min(MAX_SECONDS, MAX_REQUESTS / plan.rate)
        load_plan = LoadPlan(url=f"{plan.production_url}/", rate=plan.rate, seconds=seconds)
        with BackgroundLoad(load_plan) as load:
            yield load

    def _updates_without_a_change(self) -> tuple[float, float]:
        self._screen.note(
            f"First {_NO_CHANGE_UPDATES} times `pulumi up` with nothing to do: what the engine "
            "costs on this machine, to compare with."
        )
        done = [self._stage.up() for _ in range(_NO_CHANGE_UPDATES)]
        return done[0].started, done[-1].returned

    def _switches(self) -> None:
        count = self._plan.switches
        self._stage.begin(
            "One switch under load" if count == 1 else f"{count} switches under load",
            "The config says which color is active; `pulumi up` asks the gates, then moves all "
            "traffic with one write to the proxy, then checks that it follows.",
        )
        for number in range(count):
            self._stage.configure(f"set active_color {self._idle}")
            done = self._stage.up()
            if number == 0:
                self._screen.said(self._of_gates(done))
            self._moved(MoveKind.SWITCH, done)

    def _broken_release_is_refused(self) -> Refusal:
        stage, idle = self._stage, self._idle
        wanted = f"{idle} {_THIRD_RELEASE}"
        stage.begin(
            f"Release {_THIRD_RELEASE} is broken, and is refused",
            "It says that it is ready, but answers 500 to everything else. It gets as far as the "
            "idle color; the gates do not let it have the traffic.",
        )
        stage.configure(f"set --path {idle}.env.APP_MODE broken")
        self._deploy(_THIRD_RELEASE)
        self._screen.note(f"The test endpoint answers: {stage.ask(self._plan.test_url)}")
        stage.configure(f"set active_color {idle}")
        done = stage.up(may_fail=True)
        answer = stage.ask(self._plan.production_url)
        refusal = Refusal(
            wanted=wanted,
            live_color=str(self._live),
            exit_code=done.exit_code,
            started=done.started,
            returned=done.returned,
            said=tuple(self._of_gates(done)),
            answer_after=answer,
        )
        errors = [line for line in done.said if line not in refusal.said]
        self._screen.said([*refusal.said, *errors])
        if done.exit_code == 0:
            self._screen.bad("pulumi up ended with exit code 0: it should have refused")
        else:
            self._screen.good(
                f"refused: pulumi up ended with exit code {done.exit_code}, production still "
                f'answers "{answer}"'
            )
        stage.configure(f"set active_color {self._live}")
        return refusal

    def _fixed_release_goes_live(self) -> None:
        self._stage.begin(
            f"Release {_THIRD_RELEASE} is fixed, and passes",
            "Without what broke it. One update does it all: it replaces the processes of the idle "
            "color, asks the same gates, and moves the traffic.",
        )
        self._stage.configure(f"rm --path {self._idle}.env.APP_MODE")
        self._stage.configure(f"set active_color {self._idle}")
        self._moved(MoveKind.SWITCH, self._stage.up())

    def _rollback(self) -> None:
        self._stage.begin(
            "Rollback",
            "The same write the other way: the release before still runs, so nothing is "
            "deployed, and it is as fast as a switch.",
        )
        self._moved(MoveKind.ROLLBACK, self._stage.type_rollback("the demo wants to go back"))

    def _idle_color_is_retired(self) -> None:
        stage, idle = self._stage, self._idle
        stage.begin(
            f"{str(idle).capitalize()} is retired",
            "When nobody will go back any more, the idle color may give up its members. It must "
            "stay for 24 hours by default; here the demo sets that to 0.",
        )
        stage.configure("set --path service.retention_hours 0")
        stage.configure(f"set --path retired.color {idle}")
        stage.configure(f"set --path retired.release {self._releases[idle]} --type string")
        stage.up()
        self._expect(self._plan.test_url, f"503 no ready member of {idle}", "the test endpoint")
        self._expect(self._plan.production_url, self._name(self._live), "production")

    @property
    def _idle(self) -> Color:
        return self._live.other

    def _name(self, color: Color) -> str:
        return f"{color} {self._releases[color]}"

    def _deploy(self, release: str) -> None:
        """Puts a release on the idle color."""
        self._stage.configure(f"set --path {self._idle}.release {release} --type string")
        self._stage.up()
        self._releases[self._idle] = release

    def _moved(self, kind: MoveKind, done: Done) -> None:
        """Notes that a `pulumi up` has moved the traffic to the color that was idle."""
        before = self._live
        self._live = before.other
        route = self._stage.route()
        move = Move(
            kind=kind,
            from_color=str(before),
            to_color=str(self._live),
            release=self._releases[self._live],
            started=done.started,
            returned=done.returned,
            write_ms=float(route["write_ms"]),
            written=written_at(route),
        )
        if not move.started <= move.written <= move.returned:
            msg = f"`{done.command}` did not write the route; see {done.log}"
            raise DemoError(msg)
        answer = self._stage.ask(self._plan.production_url)
        if answer != self._name(self._live):
            msg = f'`{done.command}` returned, but production answers "{answer}"; see {done.log}'
            raise DemoError(msg)
        self._moves.append(move)
        self._screen.good(
            f'{move.kind} {len(self._moves)}: production answers "{answer}", '
            f"{done.seconds:.1f} s, the write took {move.write_ms:.2f} ms"
        )

    def _expect(self, url: str, wanted: str, who: str) -> None:
        answer = self._stage.ask(url)
        if answer != wanted:
            msg = f'{who} answered "{answer}" and not "{wanted}"'
            raise DemoError(msg)
        self._screen.good(f'{who} answers "{answer}"')

    def _of_gates(self, done: Done) -> list[str]:
        return [line for line in done.said if f"{SERVICE}: " in line]
