"""Puts the Gateway API into a cluster that does not have it, and the class of our gateway."""

import contextlib
import time
from pathlib import Path
from typing import Any

import yaml

from tests.standins.gateway.api import ApiError, ApiServer
from tests.standins.gateway.objects import CONTROLLER, GATEWAY_CLASS, GATEWAY_CLASSES

__all__ = ["CRDS", "install"]

CRDS = Path(__file__).with_name("crds")
"""The folder of the definitions."""

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CONFLICT = 409
_LIMIT_SECONDS = 60.0


def install(kubeconfig: Path) -> None:
    """Returns when the API server serves the three kinds; what is there already stays as it is."""
    api = ApiServer(kubeconfig)
    for path in sorted(CRDS.glob("*.yaml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        _create(api, _DEFINITIONS, definition)
        _wait_until_established(api, definition["metadata"]["name"])
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass"}
    metadata = {"name": GATEWAY_CLASS}
    ours = {**kind, "metadata": metadata, "spec": {"controllerName": CONTROLLER}}
    _create(api, GATEWAY_CLASSES.path(None), ours)


def _create(api: ApiServer, path: str, body: dict[str, Any]) -> None:
    try:
        api.request("POST", path, body)
    except ApiError as error:
        if error.status != _CONFLICT:
            raise


def _wait_until_established(api: ApiServer, name: str) -> None:
    end = time.monotonic() + _LIMIT_SECONDS
    while not _is_served(api, name):
        if time.monotonic() > end:
            msg = f"the API server does not serve {name} after {_LIMIT_SECONDS:g} s"
            raise ApiError(msg)
        time.sleep(0.05)


def _is_served(api: ApiServer, name: str) -> bool:
    definition = api.request("GET", f"{_DEFINITIONS}/{name}")
    conditions = definition.get("status", {}).get("conditions") or ()
    is_established = {"Established": "True"}.items() <= {
        each["type"]: each["status"] for each in conditions
    }.items()
    if is_established:
        # It is established a moment before it answers.
        with contextlib.suppress(ApiError):
            plural, _, group = name.partition(".")
            api.list(f"/apis/{group}/v1/{plural}")
            return True
    return False
