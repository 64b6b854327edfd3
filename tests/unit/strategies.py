"""What hypothesis makes up: configs without problems, splits, routes."""

from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.overrides import ColorPermission, Overrides
from bluegreen.settings.roles import RetiredCapacityMode
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.written import COMMAND, a_config

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
