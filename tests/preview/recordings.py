"""The previews that the scenarios recorded, by platform, scenario and number."""

import json
from functools import cache
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"


@cache
def recordings() -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Platform, name and document of each; not to be changed."""
    return tuple(
        (path.stem, found["name"], found["document"])
        for path in sorted(RECORDED.glob("*.jsonl"))
        for found in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    )
