"""`stacks/` as it is, with a clock around each judgement of gates and of what follows a switch.

The audit trail keeps verdicts without their durations; the clock notes them in the file that
BLUEGREEN_BENCH_CLOCK names, one JSON object a judgement, and changes nothing else.
"""

import importlib
import json
import os
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi

from bluegreen.gate_hooks import HookCall, resource_hook, service_hooks

STACKS = Path(__file__).resolve().parents[2] / "stacks"
notes = Path(os.environ["BLUEGREEN_BENCH_CLOCK"])


def timed_hook(
    name: str,
    judge: Callable[[HookCall], None],
    **options: Any,  # noqa: ANN401  # handed on as they are
) -> pulumi.ResourceHook:
    """A hook whose judgement is timed; what Pulumi takes to call it is not part of it."""

    def timed(call: HookCall) -> None:
        # Gates import it when they first ask: a cost of the library, not of the gates.
        importlib.import_module("httpx")
        started = time.monotonic()
        try:
            judge(call)
        finally:
            note = {"hook": name, "seconds": time.monotonic() - started}
            with notes.open("a", encoding="utf-8") as file:
                file.write(json.dumps(note) + "\n")

    return resource_hook(name, timed, **options)


# Where the library makes its hooks; the name is not public there.
service_hooks.resource_hook = timed_hook  # type: ignore[attr-defined]
runpy.run_path(str(STACKS), run_name="__main__")
