"""The members of one color: as many processes as it has replicas, each on a port of its own."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.readiness import Candidate, wait_until_ready
from bluegreen.onprem.server_slots import ServerSlots
from bluegreen.onprem.supervisord import Program, ProgramState, ProgramStatus, Supervisord
from bluegreen.settings.member import OWN_VARIABLES, PLACEHOLDERS, filled_command

__all__ = [
    "FleetSpec",
    "Member",
    "converge",
    "end_members",
    "live_members",
    "matches",
    "render_command",
]

# Shorter than this is "ended at once"; what matters more, readiness, is asked for anyway.
_START_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class FleetSpec:
    """What the fleet of one color is to be."""

    service: str
    color: Color
    release: str
    command: str
    """One line without a shell; `{port}`, `{color}`, `{release}` and `{index}` are filled in."""

    directory: str
    """Where the members run."""

    ports: tuple[int, ...]
    """The slots of this color: member N listens on the N-th port of 127.0.0.1."""

    replicas: int
    """How many members there are to be, from 0 to the number of slots."""

    readiness_path: str
    """Answers 200 once a member can take traffic."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the members get beside PORT and BLUEGREEN_COLOR, _RELEASE and _SERVICE."""

    readiness_timeout_seconds: float = 60.0
    """How long a member may take to become ready."""

    stop_seconds: int = 30
    """How long a member may take to finish its requests after SIGTERM, before SIGKILL."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ConfigError(f"{self.color}: {each}; nothing was started" for each in problems)

    def _problems(self) -> Iterator[str]:
        if not 0 <= self.replicas <= len(self.ports):
            yield (
                f"{self.replicas} replicas do not fit into {len(self.ports)} slots; lower "
                f"{self.color}.replicas or raise service.onprem.slots"
            )
        if len(set(self.ports)) != len(self.ports):
            yield f"two members have the same port in {', '.join(map(str, self.ports))}"
        if not self.readiness_path.startswith("/") or not self.readiness_path.isprintable():
            yield f"the readiness path {self.readiness_path!r} is not a path that begins with /"
        reserved = [name for name in OWN_VARIABLES if name in self.environment]
        if reserved:
            yield (
                f"the environment sets {', '.join(reserved)}, which bluegreen sets for every "
                "member; leave it out"
            )


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a fleet as it is at this moment."""

    index: int
    port: int
    """Where it was told to listen."""

    pid: int | None
    is_running: bool
    release: str | None
    """The release it was started with; None when the record of that is gone."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, in the order in which it is to be done."""

    waves: tuple[tuple[int, ...], ...]
    """Members to be started; each wave only when the one before is ready."""

    untouched: tuple[int, ...]
    extra: tuple[int, ...]
    """Members that are too many, the highest index first."""

    def besides(self, members: Collection[int]) -> set[int]:
        """Everybody else, to serve meanwhile."""
        return {*chain(*self.waves), *self.untouched, *self.extra} - {*members}


def render_command(
    template: str, *, color: Color, release: str, index: int, port: int
) -> tuple[str, ...]:
    """The words of a member's command; a value never becomes more than the word it stands in.

    Raises:
        ConfigError: The template has an unknown placeholder, or quotes or braces that do not match.
    """
    values = (str(port), str(color), release, str(index))
    try:
        return filled_command(template, dict(zip(PLACEHOLDERS, values, strict=True)))
    except ValueError as error:
        raise ConfigError([f"{error}; nothing was started"]) from error


def converge(supervisord: Supervisord, spec: FleetSpec, slots: ServerSlots) -> list[Member]:
    """Makes the members what they are to be, and returns them when all are ready.

    Members that match are left alone. Changed ones are replaced in two halves, the second when the
    first is ready; a surplus is stopped last. What could not be started is taken away again.

    Args:
        supervisord: Where they run.
        spec: What they are to be.
        slots: Where requests come from; members that are ended are taken out there before. Where
            there are any, one that is alone is replaced with the help of one in a spare slot.

    Raises:
        ConfigError: The command cannot be rendered; nothing was started.
        DataPlaneError: A port is taken, or a member did not become ready.
    """
    programs = [_program(spec, index) for index in range(spec.replicas)]
    supervisord.start()
    states = supervisord.programs()
    left = supervisord.left_behind()
    extra = _indexes(supervisord, spec.color, first=spec.replicas)
    spare = spec.replicas if slots.is_live and len(spec.ports) > spec.replicas else None
    plan = _plan(programs, states, left.keys(), extra, spare)
    _refuse_taken_ports(spec, plan, live_members(supervisord, spec.color, spec.ports))
    slots.put_back()
    for wave in plan.waves:
        with slots.without(wave, plan.besides(wave)):
            _start(supervisord, spec, [_program(spec, index) for index in wave])
    if plan.extra:
        with slots.without(plan.extra, plan.besides(plan.extra)):
            supervisord.take(*(_name(spec.color, index) for index in plan.extra))
    _check_untouched(supervisord, spec, [programs[index] for index in plan.untouched])
    return live_members(supervisord, spec.color, spec.ports)


def end_members(supervisord: Supervisord, color: Color) -> None:
    """Stops all members of a color, the highest index first, whatever state they are in."""
    supervisord.take(*(_name(color, index) for index in _indexes(supervisord, color)))


def matches(supervisord: Supervisord, spec: FleetSpec) -> bool:
    """Whether exactly the wanted members run, as supervisord says; False when it does not run."""
    states = supervisord.find_programs()
    if states is None:
        return False
    wanted = {_name(spec.color, index): _program(spec, index) for index in range(spec.replicas)}
    live = {state.name: state for _, state in _of_color(spec.color, states)}
    return live.keys() == wanted.keys() and all(
        live[name].digest == program.digest and live[name].status is ProgramStatus.RUNNING
        for name, program in wanted.items()
    )


def live_members(supervisord: Supervisord, color: Color, ports: Sequence[int]) -> list[Member]:
    """The members that a color has now, by their index.

    Those that a killed supervisord has left serving are among them.

    Args:
        supervisord: Where they run.
        color: Whose members.
        ports: The color's slots; for a member whose own record is gone.
    """
    states = supervisord.find_programs() or {}
    found = [
        (index, state.pid, state.status, supervisord.program_of(state))
        for index, state in _of_color(color, states)
    ]
    found += [
        (_index(color, name), pid, ProgramStatus.RUNNING, supervisord.program_left_behind(name))
        for name, pid in supervisord.left_behind().items()
        if _index(color, name) >= 0 and name not in states
    ]
    return sorted((_member(ports, *each) for each in found), key=lambda member: member.index)


def _member(
    ports: Sequence[int],
    index: int,
    pid: int | None,
    status: ProgramStatus,
    program: Program | None,
) -> Member:
    environment = program.environment if program else {}
    slot = ports[index] if index < len(ports) else 0
    return Member(
        index=index,
        port=int(environment.get("PORT", slot)),
        pid=pid if status.is_up else None,
        is_running=status is ProgramStatus.RUNNING,
        release=environment.get("BLUEGREEN_RELEASE"),
    )


def _name(color: Color, index: int) -> str:
    return f"{color}-{index}"


def _indexes(supervisord: Supervisord, color: Color, first: int = 0) -> list[int]:
    """Every member there is anything left of, from an index on, the highest first."""
    found = (_index(color, name) for name in supervisord.names())
    return sorted((index for index in found if index >= first), reverse=True)


def _index(color: Color, name: str) -> int:
    """Which member of a color a program is; -1 when it is none."""
    match = re.fullmatch(rf"{color}-(\d+)", name)
    return int(match[1]) if match else -1


def _of_color(color: Color, states: Mapping[str, ProgramState]) -> list[tuple[int, ProgramState]]:
    found = [(_index(color, name), state) for name, state in states.items()]
    return sorted((each for each in found if each[0] >= 0), key=lambda each: each[0])


def _program(spec: FleetSpec, index: int) -> Program:
    port = spec.ports[index]
    command = render_command(
        spec.command, color=spec.color, release=spec.release, index=index, port=port
    )
    own = (str(spec.color), spec.release, spec.service, str(port))
    return Program(
        name=_name(spec.color, index),
        command=command,
        environment={**spec.environment, **dict(zip(OWN_VARIABLES, own, strict=True))},
        directory=spec.directory,
        stop_seconds=spec.stop_seconds,
        start_seconds=_START_SECONDS,
    )


def _plan(
    programs: Sequence[Program],
    states: Mapping[str, ProgramState],
    left: Collection[str],
    extra: Sequence[int],
    spare: int | None,
) -> _Plan:
    absent, changed, untouched = [], [], []
    for index, program in enumerate(programs):
        state = states.get(program.name)
        if program.name in left:
            # It serves, and nobody would start it again.
            changed.append(index)
        elif state is None or not state.status.is_up:
            absent.append(index)
        elif state.digest != program.digest:
            changed.append(index)
        else:
            untouched.append(index)
    half = len(changed) // 2
    waves = [tuple(absent), tuple(changed[:half]), tuple(changed[half:])]
    is_alone = len(changed) == 1 and not (absent or untouched or extra)
    if is_alone and spare is not None:
        # It has no half that could serve meanwhile: a member in a spare slot does.
        waves, extra = [(spare,), *waves], [spare]
    return _Plan(
        waves=tuple(wave for wave in waves if wave),
        untouched=tuple(untouched),
        extra=tuple(extra),
    )


def _refuse_taken_ports(spec: FleetSpec, plan: _Plan, members: Sequence[Member]) -> None:
    running = {member.index: member.port for member in members if member.pid is not None}
    problems = []
    for index in chain(*plan.waves):
        port = spec.ports[index]
        # Its own predecessor makes room.
        holder = taken_by(port) if running.get(index) != port else None
        if holder:
            problems.append(f"port {port} for {spec.color} member {index} is taken by {holder}")
    if problems:
        msg = (
            f"{'; '.join(problems)}; nothing was started; free it or change "
            "service.onprem.member_ports"
        )
        raise DataPlaneError(msg)


def _start(supervisord: Supervisord, spec: FleetSpec, programs: Sequence[Program]) -> None:
    candidates = [_candidate(supervisord, program) for program in programs]
    supervisord.put(*programs)
    failed = _wait(supervisord, spec, candidates)
    if failed:
        supervisord.take(*(candidate.program.name for candidate in reversed(failed)))
        raise DataPlaneError(_failure_text(supervisord, spec, failed, "was stopped again"))


def _check_untouched(
    supervisord: Supervisord, spec: FleetSpec, programs: Sequence[Program]
) -> None:
    failed = _wait(supervisord, spec, [_candidate(supervisord, program) for program in programs])
    if failed:
        raise DataPlaneError(_failure_text(supervisord, spec, failed, "was left as it was"))


def _candidate(supervisord: Supervisord, program: Program) -> Candidate:
    log = supervisord.log_of(program.name)
    return Candidate(
        program=program,
        index=int(program.name.rpartition("-")[2]),
        port=int(program.environment["PORT"]),
        log_start=log.stat().st_size if log.exists() else 0,
    )


def _wait(
    supervisord: Supervisord, spec: FleetSpec, candidates: Sequence[Candidate]
) -> list[Candidate]:
    return wait_until_ready(
        supervisord, candidates, spec.readiness_path, spec.readiness_timeout_seconds
    )


def _failure_text(
    supervisord: Supervisord, spec: FleetSpec, waiting: Sequence[Candidate], fate: str
) -> str:
    failed = [each for each in waiting if each.has_failed]
    late = [each for each in waiting if not each.has_failed]
    limit = "before that" if failed else f"within {spec.readiness_timeout_seconds:g} s"
    reasons = [(each, each.reason) for each in failed]
    reasons += [(each, f"not {limit}: {each.reason}") for each in late]
    lines = [
        f"{spec.color} member {each.index} of {spec.service} did not become ready on port "
        f"{each.port}: {reason}; it {fate}"
        for each, reason in reasons
    ]
    first = (failed or late)[0]
    log = supervisord.log_of(first.program.name)
    tail = supervisord.log_tail(first.program.name, first.log_start)
    lines += [
        f"other {spec.color} members that ran before were left as they are; fix the command or "
        "what it needs, or raise service.onprem.start_timeout_seconds, then run `pulumi up` again",
        f"the end of {log}:\n{tail}" if tail else f"{log} has nothing about it",
    ]
    return "\n".join(lines)
