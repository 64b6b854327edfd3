"""What the library's hooks said in a preview, as far as it may be shown.

The forms stand here as the hooks write them (`gate_hooks`, `transition`, `plan`); a test holds the
two together. Every other message is counted, and left for the log.
"""

import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bluegreen.colors import Color
from bluegreen.preview.document import Diagnostic
from bluegreen.preview.words import Vocabulary
from bluegreen.traffic import TrafficSplit

__all__ = ["GateReport", "Mark", "Said", "ServiceSaid", "listen"]

_HOOK_FAILED = re.compile(r'^Preview failed: before hook "[^"]{1,200}" failed: ')
_EMPTY = frozenset({"preview failed", "update failed", "an unhandled error occurred", ""})
_NOISE = re.compile(
    r"using pulumi-\S+ from \$PATH at |"
    r"an unhandled error occurred: program exited with non-zero exit code: \d+$"
)
_PROGRAM_FAILED = re.compile(r"^Program failed with an unhandled exception:")
_EXCEPTION = re.compile(r"\b([A-Z]\w{0,60}(?:Error|Exception))\b: ")
_EXCEPTIONS = frozenset(dir(builtins)) | {"RunError", "ValidationError", "InvokeError"}
_LOOKED_AT = 500
"""So many different messages are read; of more than that only the number is told."""

_REFUSALS = (
    "{color} has {n} % of production traffic and its release would change from {release} to "
    "{release}",
    "{color} has {n} % of production traffic and release {release} would be started differently "
    "(command, environment, folder or port)",
    "{color} has {n} % of production traffic and it would shrink from {n} to {n} members",
    "{color} has {n} % of production traffic and it would shrink from {n} to at most {n} members",
    "{color} {release} must stay able to serve until {when} UTC ({hours} of {hours} hours left): "
    "it is the rollback target",
    "{color} is not in the config any more, but {color} {release} must stay able to serve until "
    "{when} UTC ({hours} of {hours} hours left): it is the rollback target",
    "{color} {release} is live until this update switches, and must stay able to serve for {hours} "
    "hours after that",
    "{color} is not in the config any more, but {color} {release} is live until this update "
    "switches, and must stay able to serve for {hours} hours after that",
    "production traffic is at {split}, but the last update left it at {split} and this one wants "
    "{split}: somebody else moved it",
    "production traffic is at {split}, but no router is recorded in this stack, and this update "
    "wants {split}: another stack or an earlier one left it there",
    "where production traffic goes cannot be read: {free}",
    "the last update left it at {split} and this one wants {split}",
    "canary.percent: {n} % is meant for {color}, which is the active color",
    "{color}: is missing, but active_color is {color}",
    "{color}: is missing, but is to get {n} % of the traffic",
    "no answer within {hours} seconds",
    "BLUEGREEN_ROLLBACK: {free} does not name a color and a reason",
    "BLUEGREEN_ALLOW_LIVE_CHANGE: {free} does not name a color and a reason",
    "BLUEGREEN_RETIRE_EARLY is empty",
)
_WARNINGS = (
    "the live members of {color} change from {release}, {n} members to {release}, {n} members",
    "{color} is the rollback target: rollback to {release} ends now",
    "the retired entry for {color} {release} has no effect: {color} does not exist",
    "the retired entry for {color} {release} has no effect: {color} is to hold {release}",
    "the retired entry for {color} {release} has no effect: {color} is active",
    "the retired entry for {color} {release} has no effect: {color} has a share of production "
    "traffic",
    "the canary of {n} % for {color} is set to 0 in this rollback",
    "the rollback to {color} has no effect: active_color is {color}",
    "not treated as a rollback, because this update changes {color} itself",
    "BLUEGREEN_ROLLBACK had no effect: no traffic was to be moved back",
    "BLUEGREEN_ALLOW_LIVE_CHANGE had no effect: no change of that color's live members was held up",
    "BLUEGREEN_RETIRE_EARLY had no effect: no retention was in the way",
    "traffic was moved by hand",
    "cannot tell who is live: {free}",
    "cannot tell whether {color} has traffic: {free}",
    "cannot tell how many members {color} has: {free}",
    "cannot tell since when a color is idle: {free}",
)
_CLAUSES = (
    "nothing was changed",
    "it was not shrunk",
    "all gates are asked",
    "which counts as a no",
    "production traffic has not been moved by this update",
    "moving it back: {described} → {described}",
    "a later rollback would keep that share on it",
    "the same in an update would be a refusal",
    "leave it out of the next `pulumi up`",
    "deploy to {color} and switch, or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'",
    "take its traffic away in an update of its own, and deploy to it after that, or allow it once "
    "with BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'",
    "keep them with `pulumi config set --path {color}.replicas {n}`, or allow it once with "
    "BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'",
    "keep them with `pulumi config set --path service.kubernetes.autoscaling.max_replicas {n}`, or "
    "allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'",
    "keep them with `pulumi config set --path service.aws.max_size {n}`, or allow it once with "
    "BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'",
    "wait, or say BLUEGREEN_RETIRE_EARLY='why'",
    "switch first, with {color} as it is, and take it down later, or say "
    "BLUEGREEN_RETIRE_EARLY='why'",
    "until then `pulumi config set --path {color}.release {release} --type string` keeps it",
    "`pulumi refresh` takes over what is live, or `pulumi config set active_color {color}` repairs "
    "it",
    "`pulumi config set active_color {color}` repairs it, and can be set back then",
    "`pulumi config set active_color {color}`",
    "`pulumi config set --path canary.percent 0`",
    "`pulumi config set --path canary.percent 0` makes it stay so",
    "`pulumi config rm retired` removes it",
    "write BLUEGREEN_ROLLBACK='blue:why' or BLUEGREEN_ROLLBACK='green:why'",
    "write BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why' or BLUEGREEN_ALLOW_LIVE_CHANGE='green:why'",
    "write BLUEGREEN_RETIRE_EARLY='why'",
    "set active_color and canary to what is live to take it over",
)


class Mark(StrEnum):
    """What a gate says in a preview."""

    PASSED = "passed"
    WARNING = "warning"
    REFUSED = "refused"
    """Now; the update may change it, so the preview goes on."""

    LATER = "not measurable before apply"


@dataclass(frozen=True, slots=True)
class GateReport:
    """One gate of the color that is to get more traffic."""

    color: Color
    gate: str
    mark: Mark


@dataclass(slots=True)
class ServiceSaid:
    """What was said about the traffic of one service."""

    before: TrafficSplit | None = None
    """What is live, where a hook has looked."""

    is_unreadable: bool = False
    """A hook has looked, and traffic goes where nobody can tell."""

    is_there_already: bool = False
    """Traffic is where the update wants it."""

    is_rollback: bool = False
    live_changes: set[Color] = field(default_factory=set)
    """Colors with traffic whose members change, which somebody allowed or a guard refused."""

    was_moved_by_hand: bool = False
    gates: list[GateReport] = field(default_factory=list)


@dataclass(slots=True)
class Said:
    """Everything that was said in a preview."""

    services: dict[str, ServiceSaid] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)
    """How many messages of each severity are not shown."""

    def hide(self, diagnostic: Diagnostic) -> None:
        """Counts a message that is not shown."""
        self.hidden[diagnostic.severity] = self.hidden.get(diagnostic.severity, 0) + 1

    def about(self, service: str) -> ServiceSaid:
        """The part of one service."""
        return self.services.setdefault(service, ServiceSaid())


def listen(diagnostics: Iterable[Diagnostic], words: Vocabulary) -> Said:
    """Sorts what was said: for the services, for people, and what nobody may be shown."""
    said = Said()
    seen: set[str] = set()
    for diagnostic in diagnostics:
        message = _HOOK_FAILED.sub("", diagnostic.message)
        if message in seen or _says_nothing(message):
            continue
        if len(seen) == _LOOKED_AT:
            said.hide(diagnostic)
            continue
        seen.add(message)
        if not _heard(message, words, said):
            _show(diagnostic, message, words, said)
    return said


def _says_nothing(message: str) -> bool:
    return message in _EMPTY or bool(_NOISE.match(message))


_LIVE_CHANGE = re.compile(
    r"the live members of (blue|green) change from |"
    r"(blue|green) has \d+ % of production traffic and (?:its release|release|it would)"
)


def _heard(message: str, words: Vocabulary, said: Said) -> bool:
    """Takes what is about the traffic of a service; True when that is all there is to it."""
    service, _, text = message.partition(": ")
    if service not in words.services:
        return False
    about = said.about(service)
    if changes := _LIVE_CHANGE.match(text):
        about.live_changes.add(Color(changes[1] or changes[2]))
    return _traffic(about, text, words) or _gates(about, text, words)


_BY_HAND = "traffic was moved by hand; moving it back: "


def _traffic(about: ServiceSaid, text: str, words: Vocabulary) -> bool:
    if text.startswith(_BY_HAND):
        about.was_moved_by_hand = True
        _moves(about, text.removeprefix(_BY_HAND))
        # A warning as well, which people are to see.
        return False
    if words.pattern("production traffic {heard} → {described}").fullmatch(text):
        _moves(about, text.removeprefix("production traffic "))
        return True
    is_there = words.pattern("traffic is where it should be: {described}").fullmatch(text)
    about.is_there_already |= is_there is not None
    is_rollback = text.startswith("rollback: ")
    about.is_rollback |= is_rollback
    return is_there is not None or is_rollback


def _moves(about: ServiceSaid, text: str) -> None:
    before = text.partition(" → ")[0]
    about.is_unreadable = before.startswith("unreadable")
    about.before = None if about.is_unreadable else _split(before)


_SHARE = re.compile(r"(\d{1,3}) % (blue|green)")


def _split(text: str) -> TrafficSplit | None:
    shares = {color: int(share) for share, color in _SHARE.findall(text)}
    blue, green = shares.get("blue", 0), shares.get("green", 0)
    return TrafficSplit(blue, green) if blue + green == 100 else None  # noqa: PLR2004


def _gates(about: ServiceSaid, text: str, words: Vocabulary) -> bool:
    now = re.match(r"(blue|green), now: ([\w.-]{1,64}): (passed|warning|refused): ", text)
    if now:
        gate = now[2] if now[2] in words.gates else f"gate {len(about.gates) + 1}"
        about.gates.append(GateReport(Color(now[1]), gate, Mark(now[3])))
        return True
    later = re.match(
        r"gates of (blue|green) \S+, asked (?:after its fleet is changed|in the update only): "
        r"([\w., -]+)$",
        text,
    )
    if later is None:
        return False
    for name in later[2].split(", "):
        gate = name if name in words.gates else f"gate {len(about.gates) + 1}"
        about.gates.append(GateReport(Color(later[1]), gate, Mark.LATER))
    return True


def _show(diagnostic: Diagnostic, message: str, words: Vocabulary, said: Said) -> None:
    kept = {"error": said.errors, "warning": said.warnings}.get(diagnostic.severity)
    found = _shown_message(message, words) or _program_error(message)
    if kept is None or found is None:
        said.hide(diagnostic)
    elif found not in kept:
        kept.append(found)


def _shown_message(message: str, words: Vocabulary) -> str | None:
    """The lines of a message that have a known form; None when none has."""
    lines = [_shown_line(line, words) for line in message.splitlines() if line.strip()]
    known = [line for line in lines if line is not None]
    if not known:
        return None
    return "\n".join(known if len(known) == len(lines) else [*known, "…"])


def _shown_line(line: str, words: Vocabulary) -> str | None:
    text = line.strip()
    head, separator, rest = text.partition(":")
    # A hook's messages begin with the service, those about the config with the project's key.
    if separator and head in words.services:
        text = rest.strip()
        prefix = f"{head}: "
    else:
        prefix = ""
    first, *others = text.split("; ")
    shown = _first_form(first, (*_REFUSALS, *_WARNINGS), words)
    if shown is None:
        return None
    clauses = [_first_form(each, _CLAUSES + _REFUSALS, words) or "…" for each in others]
    return prefix + "; ".join([shown, *clauses])


def _first_form(text: str, forms: Iterable[str], words: Vocabulary) -> str | None:
    return next((found for form in forms if (found := words.shown(form, text)) is not None), None)


def _program_error(message: str) -> str | None:
    if not _PROGRAM_FAILED.match(message):
        return None
    kinds = [each for each in _EXCEPTION.findall(message) if each in _EXCEPTIONS]
    kind = f" with {kinds[-1]}" if kinds else ""
    return f"the program failed{kind}; `pulumi preview` shows where"
