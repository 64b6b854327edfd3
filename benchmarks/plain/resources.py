"""The library's dynamic resources, declared so that the program need not import the library.

The provider is the same: its process imports it, as a provider's own program would be started.
"""

import importlib
from typing import Any, ClassVar

import pulumi
from pulumi import dynamic

__all__ = ["ActiveFlag", "HaproxyRoute", "LocalHaproxy", "Members", "Supervisor"]


class _Provider(dynamic.ResourceProvider):
    """Passes every call on to the library's provider."""

    serialize_as_secret_always = False

    def __init__(self, module: str) -> None:
        self._module = module

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        self._real().configure(req)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        return self._real().check(olds, news)

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return self._real().diff(id_, olds, news)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return self._real().create(props)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        return self._real().read(id_, props)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return self._real().update(id_, olds, news)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        self._real().delete(id_, props)

    def _real(self) -> dynamic.ResourceProvider:
        module = importlib.import_module(f"bluegreen.onprem.{self._module}")
        provider: dynamic.ResourceProvider = module._Provider()
        return provider


class _Resource(dynamic.Resource):
    module: ClassVar[str]
    computed: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        computed = dict.fromkeys(self.computed)
        super().__init__(_Provider(self.module), name, {**props, **computed}, opts)


class Supervisor(_Resource, module="onprem", name="Supervisor"):
    """The process manager."""

    module = "supervisor"
    run_directory: pulumi.Output[str]
    owner: pulumi.Output[str]


class LocalHaproxy(_Resource, module="onprem", name="LocalHaproxy"):
    """The proxy, with the anchors of both colors."""

    module = "local_haproxy"
    computed = ("stats_socket", "map_path", "production_url", "test_url")
    production_url: pulumi.Output[str]
    test_url: pulumi.Output[str]


class Members(_Resource, module="onprem", name="Members"):
    """The processes of one color."""

    module = "process_fleet"
    computed = ("endpoints", "running")
    release: pulumi.Output[str]


class HaproxyRoute(_Resource, module="onprem", name="HaproxyRoute"):
    """Who is live."""

    module = "haproxy_router"
    computed = ("guarantee", "write_ms", "durable_write_ms", "written_at")
    active_color: pulumi.Output[str]
    guarantee: pulumi.Output[str]


class ActiveFlag(_Resource, module="onprem", name="ActiveFlag"):
    """Who is active."""

    module = "active_flag"
    computed = ("since", "previous")
    color: pulumi.Output[str]
