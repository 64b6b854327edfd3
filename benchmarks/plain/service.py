"""The resources of one service, put in order by hand."""

from collections.abc import Mapping
from typing import Any

import pulumi
from resources import ActiveFlag, HaproxyRoute, LocalHaproxy, Members, Supervisor

__all__ = ["declare_service"]

OTHER = {"blue": "green", "green": "blue"}


def declare_service(
    active: str, service: Mapping[str, Any], colors: Mapping[str, Mapping[str, Any]]
) -> dict[str, pulumi.Output[Any]]:
    """Declares a service in two colors and returns what a program exports of it."""
    onprem, name = service["onprem"], service["name"]
    run_directory = f"{pulumi.get_root_directory()}/{onprem['run_directory']}"
    ports = {
        color: [onprem["member_ports"][color] + slot for slot in range(onprem["slots"])]
        for color in OTHER
    }

    supervisor = Supervisor(
        f"{name}-supervisor",
        {
            "run_directory": run_directory,
            "owner": f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}",
        },
    )
    haproxy = LocalHaproxy(
        f"{name}-haproxy",
        {
            "run_directory": supervisor.run_directory,
            "owner": supervisor.owner,
            "service": name,
            "bind_address": "127.0.0.1",
            "production_port": service["port"],
            "test_port": onprem["test_port"],
            "health_check": service["health_check"],
            "blue_ports": ports["blue"],
            "green_ports": ports["green"],
        },
    )

    def members(color: str, *after: pulumi.Resource) -> Members:
        return Members(
            f"{name}-{color}-members",
            {
                "run_directory": supervisor.run_directory,
                "owner": supervisor.owner,
                "service": name,
                "color": color,
                "release": colors[color]["release"],
                "replicas": colors[color]["replicas"],
                "command": onprem["command"],
                "env": pulumi.Output.secret({}),
                "directory": pulumi.get_root_directory(),
                "ports": ports[color],
                "readiness_path": service["health_check"]["path"],
                "start_timeout_seconds": onprem["start_timeout_seconds"],
                "stop_seconds": service["drain"]["stop_seconds"],
                "drain_seconds": service["drain"]["timeout_seconds"],
            },
            pulumi.ResourceOptions(depends_on=list(after)),
        )

    idle = OTHER[active]
    active_members = members(active, haproxy)
    route = HaproxyRoute(
        f"{name}-route",
        {
            "stats_socket": f"{run_directory}/haproxy.sock",
            "map_path": f"{run_directory}/traffic.map",
            "map_key": name,
            "blue_backend": f"{name}-blue",
            "green_backend": f"{name}-green",
            "active_color": active,
            f"{active}_percent": 100,
            f"{idle}_percent": 0,
        },
        pulumi.ResourceOptions(depends_on=[haproxy, active_members]),
    )
    flag = ActiveFlag(
        f"{name}-flag",
        {
            "path": f"{run_directory}/active.json",
            "service": name,
            "color": active,
            "release": colors[active]["release"],
        },
        pulumi.ResourceOptions(depends_on=[route]),
    )
    idle_members = members(idle, haproxy, flag)

    return {
        "active_color": route.active_color,
        "idle_color": route.active_color.apply(OTHER.__getitem__),
        "releases": pulumi.Output.all(
            **{active: active_members.release, idle: idle_members.release}
        ),
        "production_url": haproxy.production_url,
        "test_url": haproxy.test_url,
        "guarantee": route.guarantee,
    }
