"""The published schema is what the code writes."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bluegreen.events import EventKind, Trigger
from tests.unit.test_events import a_verdict, an_event

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "docs" / "event.schema.json").read_text())


def test_the_file_is_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "tools/event_schema.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_that_is_written_is_described():
    event = asdict(an_event(verdicts=(a_verdict(),)))

    assert sorted(SCHEMA["properties"]) == sorted(event) == SCHEMA["required"]
    assert all(each.get("description") for each in _described(SCHEMA))
    verdict = SCHEMA["$defs"]["RecordedVerdict"]
    assert sorted(verdict["properties"]) == sorted(event["verdicts"][0])
    assert all(each.get("description") for each in _described(verdict))


def test_the_values_of_the_vocabularies_are_listed():
    assert SCHEMA["$defs"]["EventKind"]["enum"] == list(EventKind)
    assert SCHEMA["$defs"]["Trigger"]["enum"] == list(Trigger)
    assert SCHEMA["properties"]["version"]["const"] == an_event().version


def _described(model):
    return [each for name, each in model["properties"].items() if "$ref" not in each]
