"""The previews that the scenarios recorded, by platform, scenario and number."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"


def recordings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Platform, name and document of each."""
    for path in sorted(RECORDED.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            yield path.stem, found["name"], found["document"]
