"""`benchmarks/ours` on Kubernetes: also notes what the library asks the API server, and who asked.

One JSON object a request, in the same file. The hooks of one service take turns in a switch, so
that the one that is at work is the one that asks, whatever threads it uses.
"""

import importlib
import json
import os
import re
import runpy
import threading
from pathlib import Path
from typing import Any

import pulumi

from bluegreen import gate_hooks
from bluegreen.gate_hooks import HookCall, resource_hook
from bluegreen.kubernetes.cluster import Cluster, ClusterAnswer

_OURS = Path(__file__).resolve().parents[2] / "ours"
_RESOURCE = re.compile(r"^/(?:api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/([^/?]+)(?:/[^/?]+)?(.*)$")

_lock = threading.Lock()
_at_work = ["the program"]
_send = Cluster.send


def _noting_hook(name: str, judge: Any, **options: Any) -> pulumi.ResourceHook:  # noqa: ANN401
    def noting(call: HookCall) -> None:
        # The first hook that asks loads it: a cost of the library, so not in the gates' clock.
        importlib.import_module("bluegreen.kubernetes.plain_kubeconfig")
        _at_work.append(name.split("-", 1)[1])
        try:
            judge(call)
        finally:
            _at_work.pop()

    return resource_hook(name, noting, **options)


def _noting_send(cluster: Cluster, method: str, path: str, **options: Any) -> ClusterAnswer:  # noqa: ANN401
    match = _RESOURCE.match(path)
    resource = path if match is None else match[1]
    if match and match[2].startswith("/proxy"):
        resource += "/proxy"
    note = {"by": _at_work[-1], "request": f"{method} {resource}", "is_preview": _is_preview}
    with _lock, _clock.open("a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")
    return _send(cluster, method, path, **options)


# Where `benchmarks/ours` takes it from.
gate_hooks.resource_hook = _noting_hook
Cluster.send = _noting_send
_is_preview = pulumi.runtime.is_dry_run()
_clock = Path(os.environ["BLUEGREEN_BENCH_CLOCK"])
runpy.run_path(str(_OURS), run_name="__main__")
