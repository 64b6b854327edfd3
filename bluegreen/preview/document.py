"""What Pulumi said: steps and diagnostics, from either of its two forms of JSON.

`pulumi preview --json` prints one document; with `PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true`, and
in every event log, it is one event a line.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bluegreen.preview.kinds import is_read
from bluegreen.preview.properties import Properties, mapping, mappings
from bluegreen.preview.urn import Urn

__all__ = [
    "Diagnostic",
    "Document",
    "Op",
    "Step",
    "UnreadableDocumentError",
    "is_event",
    "read_document",
]

_NOTHING: Properties = {}


class UnreadableDocumentError(ValueError):
    """The text is not what `pulumi preview --json` prints; the message quotes nothing of it."""

    def __init__(self) -> None:
        super().__init__(
            "this is not what `pulumi preview --json` prints; nothing was made of it; look at what "
            "`pulumi preview` says"
        )


class Op(StrEnum):
    """What happens to a resource, in the words that matter to a reader."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"

    @classmethod
    def of(cls, text: object) -> "Op":
        """The one of an engine's operation; what is unknown counts as an update."""
        return _OPS.get(str(text), cls.UPDATE)


_OPS = {
    "same": Op.SAME,
    "refresh": Op.SAME,
    "read": Op.READ,
    "read-discard": Op.READ,
    "read-replacement": Op.READ,
    "create": Op.CREATE,
    "import": Op.CREATE,
    "update": Op.UPDATE,
    "delete": Op.DELETE,
    "discard": Op.DELETE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "discard-replaced": Op.REPLACE,
    "remove-pending-replace": Op.REPLACE,
    "import-replacement": Op.REPLACE,
}


@dataclass(slots=True)
class Step:
    """What happens to one resource; the steps of a replacement are one."""

    op: Op
    urn: Urn
    old_inputs: Properties = field(default_factory=dict)
    old_outputs: Properties = field(default_factory=dict)
    new_inputs: Properties = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    """The properties that change, by their first part; empty when nobody says."""

    @property
    def is_change(self) -> bool:
        """True when anything is done to it."""
        return self.op not in {Op.SAME, Op.READ}

    @property
    def before(self) -> Properties:
        """What it was: what the provider said last, which after a refresh is what is live."""
        return self.old_outputs or self.old_inputs

    @property
    def after(self) -> Properties:
        """What it is to be."""
        if self.op is Op.DELETE:
            return _NOTHING
        return self.new_inputs if self.is_change or not self.old_inputs else self.old_inputs


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that was said during the preview. Its text may hold anything."""

    severity: str
    message: str
    urn: Urn | None = None

    @property
    def is_error(self) -> bool:
        """True when it makes the preview fail."""
        return self.severity == "error"


@dataclass(slots=True)
class Document:
    """One preview of one stack."""

    steps: dict[str, Step] = field(default_factory=dict)
    """By URN."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    """The stack's config; what is secret in it is masked by Pulumi."""

    policy_violations: int = 0
    """How many mandatory policies were violated; only events say it."""

    maybe_corrupt: bool = False

    @property
    def place(self) -> Urn | None:
        """Any URN of it, for the names of project and stack."""
        return next((step.urn for step in self.steps.values()), None)

    @property
    def has_failed(self) -> bool:
        """True when Pulumi would not go on."""
        return self.policy_violations > 0 or any(each.is_error for each in self.diagnostics)


def read_document(text: str | bytes | Iterable[str]) -> Document:
    """Reads one preview in either form.

    Args:
        text: The whole text, or the lines of the events one by one, of which none is kept.

    Raises:
        UnreadableDocumentError: It is neither.
    """
    if not isinstance(text, str | bytes):
        return _of_events(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _of_events(_lines(text))
    if not isinstance(found, dict):
        raise UnreadableDocumentError
    if "steps" not in found and "config" not in found and "diagnostics" not in found:
        return _of_events([json.dumps(found)])
    return _of_digest(found)


def is_event(line: str) -> bool:
    """Whether a line is an event of the engine, and no part of a document."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not found.keys().isdisjoint(_KINDS)


def _lines(text: str | bytes) -> Iterator[str]:
    # Not splitlines(): it also parts at characters that stand in a JSON text as they are.
    return iter((text.decode(errors="replace") if isinstance(text, bytes) else text).split("\n"))


def _of_digest(found: Mapping[str, Any]) -> Document:
    document = Document(
        config=_texts(found.get("config")), maybe_corrupt=found.get("maybeCorrupt") is True
    )
    for each in mappings(found.get("steps")):
        _add(document, each, each.get("oldState"), each.get("newState"))
    for each in mappings(found.get("diagnostics")):
        _say(document, each)
    return document


_KINDS = {
    "preludeEvent", "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent", "diagnosticEvent",
    "policyEvent", "policyRemediationEvent", "summaryEvent", "cancelEvent", "stdoutEvent",
    "progressEvent", "errorEvent", "startDebuggingEvent", "policyLoadEvent",
    "policyAnalyzeSummaryEvent", "policyRemediateSummaryEvent",
    "policyAnalyzeStackSummaryEvent", "sequence", "timestamp",
}  # fmt: skip


def _of_events(lines: Iterable[str]) -> Document:
    document, events = Document(), 0
    for line in lines:
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.keys() & _KINDS:
            events += 1
            _take(document, event)
    if not events:
        raise UnreadableDocumentError
    return document


def _take(document: Document, event: Mapping[str, Any]) -> None:
    prelude, resource = event.get("preludeEvent"), event.get("resourcePreEvent")
    said, policy = event.get("diagnosticEvent"), event.get("policyEvent")
    summary = event.get("summaryEvent")
    if isinstance(prelude, dict):
        document.config.update(_texts(prelude.get("config")))
    if isinstance(resource, dict) and isinstance(resource.get("metadata"), dict):
        metadata = resource["metadata"]
        _add(document, metadata, metadata.get("old"), metadata.get("new"))
    if isinstance(said, dict) and not said.get("ephemeral"):
        _say(document, said)
    if isinstance(policy, dict) and policy.get("enforcementLevel") == "mandatory":
        document.policy_violations += 1
    if isinstance(summary, dict):
        document.maybe_corrupt |= summary.get("maybeCorrupt") is True


def _add(document: Document, step: Mapping[str, Any], old: object, new: object) -> None:
    text = step.get("urn")
    urn = Urn.parse(text) if isinstance(text, str) else None
    if urn is None:
        return
    op = Op.of(step.get("op"))
    old_state, new_state = mapping(old), mapping(new)
    known = document.steps.get(str(text))
    if known is None:
        known = document.steps[str(text)] = Step(op, urn)
    elif Op.REPLACE in (op, known.op):
        known.op = Op.REPLACE
    elif op is not Op.SAME:
        # It was refreshed first, and then is changed.
        known.op = op
    known.changed = known.changed or _changed(step)
    if not is_read(urn.type):
        # Nothing of it will be shown, and there may be thousands.
        return
    known.old_inputs = mapping(old_state.get("inputs")) or known.old_inputs
    known.old_outputs = mapping(old_state.get("outputs")) or known.old_outputs
    known.new_inputs = mapping(new_state.get("inputs")) or known.new_inputs


def _changed(step: Mapping[str, Any]) -> tuple[str, ...]:
    detailed = step.get("detailedDiff")
    paths = detailed if isinstance(detailed, dict) and detailed else None
    keys = paths or step.get("diffReasons") or step.get("diffs") or ()
    if not isinstance(keys, dict | list | tuple):
        return ()
    return tuple(dict.fromkeys(str(key).split(".", 1)[0].split("[", 1)[0] for key in keys))


def _say(document: Document, found: Mapping[str, Any]) -> None:
    message, severity = found.get("message"), found.get("severity")
    if not isinstance(message, str) or not isinstance(severity, str):
        return
    if severity == "debug":
        return
    urn = found.get("urn")
    document.diagnostics.append(
        Diagnostic(
            severity,
            message.removeprefix(f"{severity}: ").strip(),
            Urn.parse(urn) if isinstance(urn, str) else None,
        )
    )


def _texts(value: object) -> dict[str, str]:
    return {str(key): each for key, each in mapping(value).items() if isinstance(each, str)}
