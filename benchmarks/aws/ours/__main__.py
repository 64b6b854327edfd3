"""`benchmarks/ours` on AWS: also notes when which hook was at work, and what clients cost.

One JSON object a hook, in the same file. What it asked is in the account's own log of calls.
"""

import importlib
import json
import os
import runpy
import time
from pathlib import Path
from typing import Any

import pulumi

from bluegreen import gate_hooks
from bluegreen.aws.aws_session import AwsSession
from bluegreen.gate_hooks import HookCall, resource_hook

_OURS = Path(__file__).resolve().parents[2] / "ours"

_make = AwsSession._made


def _note(**note: object) -> None:
    with _clock.open("a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")


def _noting_hook(name: str, judge: Any, **options: Any) -> pulumi.ResourceHook:  # noqa: ANN401
    def noting(call: HookCall) -> None:
        # The first hook that asks loads it: a cost of the library, so not in the gates' clock.
        importlib.import_module("boto3")
        started = time.monotonic()
        try:
            judge(call)
        finally:
            who = name.split("-", 1)[1]
            _note(by=who, started=started, ended=time.monotonic(), is_preview=_is_preview)

    return resource_hook(name, noting, **options)


def _noting_make(session: AwsSession, service: str) -> Any:  # noqa: ANN401
    started = time.monotonic()
    try:
        return _make(session, service)
    finally:
        _note(made_seconds=time.monotonic() - started)


# Where `benchmarks/ours` takes it from.
gate_hooks.resource_hook = _noting_hook
AwsSession._made = _noting_make  # type: ignore[method-assign]
_is_preview = pulumi.runtime.is_dry_run()
_clock = Path(os.environ["BLUEGREEN_BENCH_CLOCK"])
_note(began=time.monotonic(), is_preview=_is_preview)
runpy.run_path(str(_OURS), run_name="__main__")
