"""What is told about one stack's preview: allow-listed values only, and not too many of them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bluegreen.colors import Color
from bluegreen.preview.change import ServiceChange
from bluegreen.preview.document import Document, Op, Step
from bluegreen.preview.fleets import Fleet
from bluegreen.preview.kinds import short_type
from bluegreen.preview.messages import GateReport, Mark
from bluegreen.preview.reading import Reading, read_changes
from bluegreen.preview.sentences import sentence_about
from bluegreen.preview.verdict import VerdictClass, gravest, verdicts_of

__all__ = ["ColorRow", "ResourceLine", "ServiceReport", "StackReport", "failed_report", "report_on"]

_MOST_RESOURCES = 200
_MOST_MESSAGES = 30
_MOST_NAMED = 5
_NAME = re.compile(r"[\w.:/@+~-]{1,100}")
_TYPE = re.compile(r"\w{1,60}")

_SHOWN_PROPERTIES = frozenset(
    [
        "actions",
        "active_color",
        "blue_percent",
        "color",
        "command",
        "conditions",
        "data",
        "defaultActions",
        "desiredCapacity",
        "desiredCount",
        "directory",
        "env",
        "fingerprint",
        "green_percent",
        "image",
        "imageId",
        "insecureValue",
        "launchTemplate",
        "maxSize",
        "metadata",
        "minSize",
        "ports",
        "release",
        "replicas",
        "spec",
        "stringData",
        "tags",
        "taskDefinition",
        "template",
        "userData",
        "value",
    ]
)
"""Names of properties that say something, never values: a program may call its own anything."""

_DONE = {
    Op.CREATE: "created",
    Op.UPDATE: "updated in place",
    Op.REPLACE: "replaced",
    Op.DELETE: "deleted",
}


@dataclass(frozen=True, slots=True)
class ColorRow:
    """One color before and after."""

    color: Color
    is_active: tuple[bool, bool]
    share: tuple[int, int]
    release: tuple[str | None, str | None]
    members: tuple[str | None, str | None]
    """None where the color is empty."""


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """What happens to one service."""

    name: str
    verdicts: tuple[VerdictClass, ...]
    sentence: str
    colors: tuple[ColorRow, ...]
    gates: tuple[GateReport, ...]


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """One resource that changes."""

    op: Op
    kind: str
    name: str
    properties: tuple[str, ...]
    """Names of those that change; never values."""


@dataclass(frozen=True, slots=True)
class StackReport:
    """What is told about one stack."""

    project: str
    stack: str
    has_failed: bool
    services: tuple[ServiceReport, ...]
    operations: Mapping[Op, int]
    resources: tuple[ResourceLine, ...]
    resources_left_out: int
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    hidden: Mapping[str, int]
    """How many messages of each severity are not shown."""

    @property
    def place(self) -> str:
        """`project/stack`."""
        return f"{self.project}/{self.stack}"

    @property
    def verdicts(self) -> tuple[VerdictClass, ...]:
        """All that is true of any of its services; nothing when the preview failed before them."""
        if self.has_failed and not self.services:
            return ()
        found = {verdict for service in self.services for verdict in service.verdicts}
        if len(found) > 1:
            found.discard(VerdictClass.NO_TRAFFIC_CHANGE)
        order = list(VerdictClass)
        return tuple(sorted(found, key=order.index)) or (VerdictClass.NO_TRAFFIC_CHANGE,)

    @property
    def verdict(self) -> VerdictClass | None:
        """The gravest one."""
        return gravest(self.verdicts) if self.verdicts else None

    @property
    def headline(self) -> str:
        """The first line: what happens to traffic, to how many resources, what the gates say."""
        parts = [self._failure()] if self.has_failed else []
        parts += [self._named(service) for service in self.services]
        if not self.services:
            parts += [] if self.has_failed else ["no service of two colors is in this preview"]
        if self.operations or not self.has_failed:
            parts.append(self.counted)
        if gates := _counted_gates(each for service in self.services for each in service.gates):
            parts.append(f"gates: {gates}")
        return f"{self.place}: {'; '.join(parts)}"

    @property
    def counted(self) -> str:
        """How many resources change, and how."""
        found = [
            f"{count} {'resource' if count == 1 else 'resources'} {_DONE[op]}"
            for op, count in self.operations.items()
            if op in _DONE
        ]
        return ", ".join(found) or "no resource changes"

    def _failure(self) -> str:
        first = self.errors[0].splitlines()[0].partition("; ")[0] if self.errors else "see its log"
        for service in self.services:
            first = first.removeprefix(f"{service.name}: ")
        return f"the preview FAILS and changes nothing: {first}"

    def _named(self, service: ServiceReport) -> str:
        if self.has_failed:
            return f"as far as it got: {service.sentence}"
        is_named = len(self.services) > 1 or service.name != self.project
        return f"{service.name}: {service.sentence}" if is_named else service.sentence


def _counted_gates(gates: Iterable[GateReport]) -> str:
    counted = Counter(each.mark for each in gates)
    words = {
        Mark.PASSED: "pass",
        Mark.WARNING: "with a warning",
        Mark.REFUSED: "would refuse now",
        Mark.LATER: "not measurable before apply",
    }
    return ", ".join(f"{counted[mark]} {text}" for mark, text in words.items() if counted[mark])


def report_on(document: Document, *, name: str | None = None) -> StackReport:
    """Makes the report of one preview.

    Args:
        document: What Pulumi said.
        name: `project/stack`, for a preview that failed before it named them.
    """
    reading = read_changes(document)
    project, _, stack = (name or "unknown/unknown").rpartition("/")
    place = document.place
    changed = [step for step in document.steps.values() if _counts(step)]
    return StackReport(
        project=_name(place.project if place else project or "unknown"),
        stack=_name(place.stack if place else stack),
        has_failed=document.has_failed,
        services=tuple(map(_service, reading.services)),
        operations=Counter(step.op for step in changed),
        resources=tuple(map(_line, _gravest_first(changed)[:_MOST_RESOURCES])),
        resources_left_out=max(0, len(changed) - _MOST_RESOURCES),
        errors=tuple(_errors(document, reading)),
        warnings=tuple([*_replacements(changed), *reading.said.warnings][:_MOST_MESSAGES]),
        hidden=dict(reading.said.hidden),
    )


def failed_report(name: str, why: str) -> StackReport:
    """The report of a preview that printed no document.

    Args:
        name: `project/stack`.
        why: One line; it is shown as it is.
    """
    return replace(report_on(Document(), name=name), has_failed=True, errors=(why,))


def _counts(step: Step) -> bool:
    return step.is_change and step.urn.is_users and not step.urn.is_component


_OP_ORDER = [Op.REPLACE, Op.DELETE, Op.UPDATE, Op.CREATE]


def _gravest_first(steps: list[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: _OP_ORDER.index(step.op))


def _errors(document: Document, reading: Reading) -> Iterator[str]:
    yield from reading.said.errors[:_MOST_MESSAGES]
    if document.policy_violations:
        yield f"{document.policy_violations} violations of mandatory policies"
    if document.maybe_corrupt:
        yield "Pulumi says that the stack's state may be damaged"
    hidden = reading.said.hidden.get("error", 0)
    if hidden and not reading.said.errors:
        texts = "an error whose text" if hidden == 1 else f"{hidden} errors whose texts"
        yield f"{texts} may hold what is nobody's business; `pulumi preview` shows it"


def _replacements(changed: Iterable[Step]) -> Iterator[str]:
    """One line of what is made anew: it is gone for a moment, or known by another name."""
    replaced = [_line(step) for step in changed if step.op is Op.REPLACE]
    if not replaced:
        return
    names = ", ".join(f"{each.kind} {each.name}" for each in replaced[:_MOST_NAMED])
    more = f" and {len(replaced) - _MOST_NAMED} more" if len(replaced) > _MOST_NAMED else ""
    yield f"replaced, not updated in place: {names}{more}"


def _service(change: ServiceChange) -> ServiceReport:
    return ServiceReport(
        name=_name(change.name),
        verdicts=verdicts_of(change),
        sentence=sentence_about(change),
        colors=tuple(_row(change, color) for color in Color if _is_there(change, color)),
        gates=tuple(change.said.gates[:_MOST_MESSAGES]),
    )


def _is_there(change: ServiceChange, color: Color) -> bool:
    has_share = change.share_before(color) or change.share_after(color)
    return color in change.fleets or color in change.known_releases or bool(has_share)


def _row(change: ServiceChange, color: Color) -> ColorRow:
    fleet = change.fleets.get(color)
    return ColorRow(
        color=color,
        is_active=(change.active_before is color, change.active_after is color),
        share=(change.share_before(color), change.share_after(color)),
        release=(change.release_before(color), change.release_after(color)),
        members=(_size(fleet.before), _size(fleet.after)) if fleet else ("?", "?"),
    )


def _size(fleet: Fleet | None) -> str | None:
    return fleet.size if fleet else None


def _line(step: Step) -> ResourceLine:
    return ResourceLine(
        step.op,
        _kind(step),
        _name(step.urn.name),
        tuple(each for each in step.changed if each in _SHOWN_PROPERTIES)[:10],
    )


def _kind(step: Step) -> str:
    kind = short_type(step.urn.type)
    return kind if _TYPE.fullmatch(kind) else "resource"


def _name(text: str) -> str:
    """A name as it may stand in a line; whatever looks otherwise is not repeated."""
    return text if _NAME.fullmatch(text) else "(unnamed)"
