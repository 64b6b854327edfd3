"""Makes the recorded previews that are kept of those that `tests.engine.preview_recorder` wrote.

`python -m tests.preview.pack FOLDER` writes one file for each platform in `recorded/`, a document a
line. What is another one on each machine or in each run is replaced; what nobody reads is left out
(stack traces, pickled providers, most of what only a provider says), and of a resource that stays
the same its second state, or both where it says nothing about traffic. Documents that are alike are
kept once.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from bluegreen.preview.kinds import is_read

RECORDED = Path(__file__).parent / "recorded"
REPOSITORY = Path(__file__).resolve().parents[2]

_OF_A_STATE = {
    "additionalSecretOutputs", "created", "custom", "customTimeouts", "dependencies", "external",
    "modified", "parent", "pluginDownloadURL", "propertyDependencies", "provider", "resourceHooks",
    "sourcePosition", "stackTrace", "type", "urn",
}  # fmt: skip
_ANYWHERE = {"__provider", "__defaults", "managedFields", "status"}
_REPLACED = (
    (re.compile(re.escape(str(REPOSITORY))), "/repository"),
    (re.compile(r"/tmp/bg-\w+"), "/stack"),
    (re.compile(rf"{re.escape(str(Path.home()))}/[\w./-]*"), "/home"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8080"),
    (re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d+)?"), r"2026-01-01\g<1>00:00:00"),
    (re.compile(r"\(\d+\.\d of 24 hours left\)"), "(23.9 of 24 hours left)"),
    (re.compile(r"\b[\w-]+@[\w-]+\b"), "somebody"),
)
_PORT = re.compile(r"(?<![\w.-])(?:1\d{4}|2\d{4}|3[01]\d{3})(?![\w.-])")


def packed(document: dict[str, Any]) -> dict[str, Any]:
    """The part of a document that is kept."""
    steps = [_step(each) for each in document.get("steps", [])]
    kept = {key: _normal(document[key]) for key in ("config", "diagnostics") if key in document}
    return {"steps": sorted(steps, key=lambda step: step["urn"])} | kept


def _step(step: dict[str, Any]) -> dict[str, Any]:
    # The URN is what a step is found by; inside of the states it is said once more.
    found = {"op": step["op"], "urn": step["urn"]}
    if step["op"] == "same" and not is_read(step["urn"].split("::")[2].split("$")[-1]):
        return found
    states = (
        ["oldState"] if step["op"] == "same" and "oldState" in step else ["oldState", "newState"]
    )
    for name in states:
        state = step.get(name) or {}
        kept = {key: each for key, each in state.items() if key not in _OF_A_STATE}
        found[name] = _normal(_without_computed(kept, is_changed=step["op"] != "same"))
    for name in ("detailedDiff", "diffReasons", "replaceReasons"):
        if step.get(name):
            found[name] = _normal(step[name])
    return found


def _without_computed(state: dict[str, Any], *, is_changed: bool) -> dict[str, Any]:
    inputs, outputs = state.get("inputs"), state.get("outputs")
    if not inputs or not outputs:
        return state
    # A listener names target groups by what only their provider says.
    is_told = is_changed or "targetgroup/" in str(outputs.get("arn"))
    kept = {key: each for key, each in outputs.items() if key in inputs or key == "arn"}
    return state | {"outputs": kept if is_told else {}}


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(each) for key, each in value.items() if key not in _ANYWHERE}
    if isinstance(value, list):
        return [_normal(each) for each in value]
    if isinstance(value, str):
        return _text(value)
    is_port = isinstance(value, int | float) and _PORT.fullmatch(str(value))
    return 18080 if is_port else value


def _text(text: str) -> str:
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    return _PORT.sub("18080", text)


def pack(folder: Path) -> None:
    """Writes the files."""
    for platform in sorted(each for each in folder.iterdir() if each.is_dir()):
        lines: dict[str, str] = {}
        for path in sorted(platform.glob("*.json")):
            recorded = json.loads(path.read_text())
            try:
                document = packed(json.loads(recorded["out"]))
            except ValueError:
                print(f"{path.name}: no document: {recorded['err'][:200]}")
                continue
            text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            lines.setdefault(text, path.stem)
        target = RECORDED / f"{platform.name}.jsonl"
        target.write_text(
            "".join(
                f'{{"name":{json.dumps(name)},"document":{text}}}\n' for text, name in lines.items()
            )
        )
        print(f"{target.name}: {len(lines)} documents, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
