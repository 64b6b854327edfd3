"""Follows a cluster: statuses at once, the proxy after a lag that can be given."""

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.standins.gateway.api import ApiError, ApiServer
from tests.standins.gateway.configuration import shares_of
from tests.standins.gateway.objects import Change, Objects
from tests.standins.gateway.proxy import Proxy
from tests.standins.gateway.routing import Backend, Endpoints, Routing, routing_of
from tests.standins.gateway.statuses import status_patches
from tests.standins.gateway.watches import Inbox, watch_all

__all__ = ["Controller"]

_ADDRESS = "127.0.0.1"
# The object is gone, or another version of it is on its way here.
_SEEN_AGAIN = (404, 409)


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@dataclass
class Controller:
    """Two loops over the same changes, so that slow answers of the API server delay no traffic.

    Statuses do not wait for the proxy: like many real implementations, this one says `Accepted`
    of a generation that its data plane does not have yet.
    """

    api: ApiServer
    proxy: Proxy
    namespace: str | None = None
    lag_seconds: float = 0.0
    addresses: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[Mapping[str, Any]], None] = _say
    failed: threading.Event = field(default_factory=threading.Event)
    """Set when a loop has ended, which it never should."""

    def start(self) -> None:
        """Starts to follow; returns at once."""
        statuses, traffic = Inbox(), Inbox(self.lag_seconds)

        def put(change: Change) -> None:
            traffic.put(change)
            statuses.put(change)

        plane = _DataPlane(self.proxy, self.addresses, self.say)
        self._run(traffic, plane.follow)
        self._run(statuses, self._write_statuses)
        watch_all(self.api, self.namespace, put)

    def _run(self, inbox: Inbox, act: Callable[[Objects], None]) -> None:
        arguments = (inbox, act)
        threading.Thread(target=self._loop, args=arguments, daemon=True).start()

    def _loop(self, inbox: Inbox, act: Callable[[Objects], None]) -> None:
        objects = Objects()
        try:
            while True:
                for change in inbox.take():
                    objects.apply(change)
                if objects.is_complete:
                    act(objects)
        except Exception:  # noqa: BLE001 - a thread has nobody to raise it to
            traceback.print_exc()
            self.failed.set()

    def _write_statuses(self, objects: Objects) -> None:
        for patch in status_patches(objects, _ADDRESS):
            metadata = patch.target["metadata"]
            path = patch.kind.path(metadata.get("namespace"), metadata["name"])
            # With the version: what somebody else has written meanwhile is not written over.
            version = {"resourceVersion": metadata["resourceVersion"]}
            try:
                body = {"metadata": version, "status": patch.status}
                self.api.request("PATCH", f"{path}/status", body)
            except ApiError as error:
                if error.status not in _SEEN_AGAIN:
                    sys.stderr.write(f"{error}\n")


class _DataPlane:
    """Brings the proxy to what is asked for, and says each change in a line."""

    def __init__(
        self,
        proxy: Proxy,
        addresses: Mapping[str, str],
        say: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._proxy, self._addresses, self._say = proxy, addresses, say
        self._routes: dict[str, dict[str, Any]] = {}
        self._endpoints: Mapping[Backend, Endpoints] = {}
        self._is_ready = False

    def follow(self, objects: Objects) -> None:
        routing = routing_of(objects, self._addresses)
        reloaded = self._proxy.follow(routing)
        moment = {"time": time.time(), "monotonic": time.monotonic(), "reloaded": reloaded}
        for line in (*self._said_of_routes(routing), *self._said_of_endpoints(routing)):
            self._say({**line, **moment})
        if not self._is_ready:
            self._is_ready = True
            self._say({"event": "ready", **moment})

    def _said_of_routes(self, routing: Routing) -> list[dict[str, Any]]:
        before, self._routes = self._routes, _routes_of(routing)
        changed = [route for name, route in self._routes.items() if before.get(name) != route]
        gone = [{"event": "gone", "route": name} for name in before if name not in self._routes]
        return [*changed, *gone]

    def _said_of_endpoints(self, routing: Routing) -> list[dict[str, Any]]:
        before, self._endpoints = self._endpoints, routing.endpoints
        return [
            {
                "event": "endpoints",
                "backend": backend.name,
                "ready": found.ready,
                "draining": found.draining,
            }
            for backend, found in routing.endpoints.items()
            if before.get(backend) != found
        ]


def _routes_of(routing: Routing) -> dict[str, dict[str, Any]]:
    """What is said of each route: its generation, and the shares of its rules."""
    return {
        name: {
            "event": "route",
            "route": name,
            "generation": generation,
            "shares": [
                shares_of(rule) for rule in routing.rules if rule.key.rpartition("/")[0] == name
            ],
        }
        for name, generation in routing.generations.items()
    }
