"""A router over an HAProxy that somebody else started."""

import pulumi

from bluegreen.colors import Color
from bluegreen.onprem import HaproxyRouter, HaproxyRouterArgs
from bluegreen.traffic import Route, TrafficSplit

config = pulumi.Config()
active = Color(config.require("active_color"))
router = HaproxyRouter(
    "shop",
    HaproxyRouterArgs(
        service="shop",
        route=Route(active, TrafficSplit.all_to(active)),
        stats_socket=config.require("stats_socket"),
        map_path=config.require("map_path"),
        backends={Color.BLUE: "left", Color.GREEN: "right"},
    ),
)
pulumi.export("active_color", router.active_color)
pulumi.export("guarantee", router.guarantee)
