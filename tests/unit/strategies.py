"""What hypothesis makes up: configs without problems, splits, routes."""

import copy

from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.overrides import ColorPermission, Overrides
from bluegreen.settings.roles import RetiredCapacityMode
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.written import COMMAND, a_config, written

colors = st.sampled_from(Color)
releases = st.sampled_from(["1.0", "1.1", "2.0"])
splits = st.integers(0, 100).map(lambda blue: TrafficSplit(blue=blue, green=100 - blue))
routes = st.builds(Route, colors, splits)

color_settings = st.fixed_dictionaries({"release": releases, "replicas": st.integers(1, 8)})

retired_capacities = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(RetiredCapacityMode),
        "replicas": st.integers(1, 10),
        "percent": st.integers(1, 100),
    }
)

overrides = st.builds(
    Overrides,
    rollback=st.none() | st.builds(ColorPermission, colors, st.just("bad figures")),
    allow_live_change=st.none() | st.builds(ColorPermission, colors, st.just("hot fix")),
    retire_early=st.none() | st.just("costs"),
)


retired = st.fixed_dictionaries({"color": colors, "release": releases})


@st.composite
def configs(draw, *, both=False):
    """A config that `make_plan` takes: a canary, if any, is for the idle color."""
    active = draw(colors)
    idle = active.other
    has_idle = both or draw(st.booleans())
    percent = draw(st.integers(0, 99)) if has_idle else 0
    canary = {"color": idle if percent else draw(colors), "percent": percent}
    return a_config(
        **{
            "active_color": str(active),
            active: draw(color_settings),
            idle: draw(color_settings) if has_idle else None,
            "canary": canary if draw(st.booleans()) else None,
            "retired": draw(retired) if draw(st.booleans()) else None,
            "service": {
                "onprem": {"command": COMMAND},
                "retired_capacity": draw(retired_capacities),
            },
        }
    )


odd_texts = st.text(max_size=20) | st.sampled_from(
    [
        *["", " ", "\n", "\0", "\u2028", "\x85", "\ud800", "é", "٣", "`", "'", '"', "{", "}", "{{"],
        *["true", "null", "nan", "inf", "-inf", "1e999", "0x10", "1_0", "10%", "[[", "{x!"],
        *["9" * 5000, "[" * 5000],
    ]
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63, -0.0])
    | st.floats()
    | odd_texts
)
"""What YAML may have in the place of a value, also what nobody would write there."""

_keys = st.sampled_from(
    ["release", "replicas", "relase", "color", "env", "http", "command", "path", "NAME", "7"]
)

junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(odd_texts | _keys, inner, max_size=3)
    ),
    max_leaves=6,
)


AWS_LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/front/1/2"
AWS_GROUND = {
    "load_balancer_arn": (
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/1"
    ),
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1"],
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
    "load_balancer_security_group_id": "sg-1",
}


def a_rich_config():
    """One with a value almost everywhere that there may be one."""
    gate = {"path": "/db", "json_field": "a.b", "json_equals": 1, "consecutive": 2, "slow": True}
    return written(
        service={
            "name": "shop",
            "platform": "onprem",
            "port": 18080,
            "health_check": {"path": "/ready", "interval_seconds": 1, "timeout_seconds": 0.5},
            "gates": {
                "timeout_seconds": 9,
                "capacity": {"fraction": 0.5},
                "http": {"db": gate},
                "release": {"path": "/version"},
                "command": {
                    "smoke": {"command": ["a", "b"], "env": {"A": "1"}, "secret_env": ["A"]}
                },
            },
            "color_from": {"header": "X-Color"},
            "follow": {"consecutive": 2},
            "drain": {"timeout_seconds": 1, "stop_seconds": 1},
            "retention_hours": 1,
            "retired_capacity": {"mode": "percent", "percent": 10},
            "onprem": {
                "command": COMMAND,
                "directory": "app",
                "bind_address": "::1",
                "test_port": 18443,
                "member_ports": {"blue": 18100, "green": 18200},
                "slots": 4,
                "run_directory": "run",
            },
        },
        blue={"release": "1.0", "replicas": 2, "command": COMMAND, "env": {"A": "1"}},
        green={"release": "1.1", "replicas": 2},
        canary={"color": "green", "percent": 5},
        retired={"color": "green", "release": "1.1"},
    )


def a_rich_aws_config():
    """The same on AWS."""
    config = a_rich_config()
    config["service"] |= {
        "platform": "aws",
        "port": 443,
        "health_check": {"path": "/ready", "interval_seconds": 5, "timeout_seconds": 2},
        "aws": {
            **AWS_GROUND,
            "rule": {"listener_arn": AWS_LISTENER, "priority": 7, "hosts": ["a.example"]},
            "test_allowed_cidrs": ["10.0.0.0/8"],
            "production_url": "https://a.example",
            "image_id": "ami-1",
            "user_data": "#!/bin/sh\nserve",
            "env": {"A": "1"},
            "max_size": 9,
            "alarms": {"p99_seconds": 0.2},
            "alarm_gate": {"names": ["a-{color}"], "no_data": "pass"},
            "tags": {"team": "a"},
        },
    }
    for color in ("blue", "green"):
        config[color].pop("command", None)
    return config


@st.composite
def damaged_configs(draw, values=junk, *, most=3):
    """A rich config with a few places that are replaced, taken out or added to."""
    rich = draw(st.sampled_from([a_rich_config, a_rich_aws_config]))
    config = copy.deepcopy(rich())
    for _ in range(draw(st.integers(1, most))):
        _damage(draw, config, values)
    return config


def _damage(draw, inside, values):
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if isinstance(inside[key], dict | list) and draw(st.integers(0, 3)):
            inside = inside[key]
            continue
        how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
        if how == "replace" or isinstance(inside, list):
            inside[key] = draw(values)
        elif how == "remove":
            del inside[key]
        else:
            inside[draw(odd_texts | _keys)] = draw(values)
        return
