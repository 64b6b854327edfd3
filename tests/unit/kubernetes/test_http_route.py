import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.errors import UnreadableTrafficError
from bluegreen.kubernetes.http_route_router import route_spec, weights_route
from bluegreen.kubernetes.live_http_route import LiveHttpRoute
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.kubernetes.objects import (
    BLUE,
    GREEN,
    NAMES,
    a_backend,
    a_route_object,
    kubernetes_config,
)

PATH = "/apis/gateway.networking.k8s.io/v1/namespaces/shops/httproutes/shop"
PIN = {"matches": [{"headers": [{"name": "X-Color", "value": "green"}]}]}


def split_of(blue, green):
    route = weights_route(a_route_object(a_backend(BLUE, blue), a_backend(GREEN, green)))
    return None if route is None else (route.split.blue, route.split.green)


def settings_with(**gateway):
    kubernetes = {"router": "http_route", "gateway": {"name": "front", **gateway}}
    return kubernetes_config(kubernetes=kubernetes).service


def written(route, **gateway):
    spec = route_spec(settings_with(**gateway), NAMES, route)
    whole = a_route_object(active=str(route.active))
    return whole | {"spec": spec}


@given(active=st.sampled_from(Color), blue=st.integers(0, 100))
def test_what_is_written_is_read_again(active, blue):
    route = Route(active, TrafficSplit(blue=blue, green=100 - blue))

    assert weights_route(written(route, pin_header="X-Color")) == route


def test_production_always_names_both_colors_services():
    spec = route_spec(settings_with(), NAMES, Route(BLUE, TrafficSplit.all_to(BLUE)))

    assert spec["parentRefs"] == [{"name": "front"}]
    assert "hostnames" not in spec
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [
                {"name": "shop-blue", "port": 80, "weight": 100},
                {"name": "shop-green", "port": 80, "weight": 0},
            ],
        }
    ]


def test_a_gateways_listener_and_host_names_are_what_is_written():
    spec = route_spec(
        settings_with(namespace="edge", section_name="https", hostnames=["shop.example"]),
        NAMES,
        Route(BLUE, TrafficSplit.all_to(BLUE)),
    )

    assert spec["parentRefs"] == [{"name": "front", "namespace": "edge", "sectionName": "https"}]
    assert spec["hostnames"] == ["shop.example"]


def test_a_header_reaches_each_color_whatever_the_roles_are():
    gateway = settings_with(pin_header="X-Color")
    before, after = (
        route_spec(gateway, NAMES, Route(color, TrafficSplit.all_to(color))) for color in Color
    )

    assert before["rules"][:-1] == after["rules"][:-1]
    assert [
        (rule["matches"][0]["headers"], rule["backendRefs"]) for rule in before["rules"][:-1]
    ] == [
        (
            [{"name": "X-Color", "value": str(color)}],
            [{"name": f"shop-{color}", "port": 80, "weight": 1}],
        )
        for color in Color
    ]


@pytest.mark.parametrize(
    ("blue", "green", "shares"),
    [
        (100, 0, (100, 0)),
        (0, 100, (0, 100)),
        (90, 10, (90, 10)),
        (9, 1, (90, 10)),
        (1, 1, (50, 50)),
        (1, 2, (33, 67)),
        (1, 0, (100, 0)),
        (999, 1, (99, 1)),
        (1, 999_999, (1, 99)),
        (None, None, (50, 50)),
        (3, None, (75, 25)),
        (0, 0, None),
    ],
)
def test_weights_are_read_as_shares(blue, green, shares):
    assert split_of(blue, green) == shares


@given(blue=st.integers(0, 1_000_000), green=st.integers(0, 1_000_000))
def test_whoever_has_any_weight_has_a_share_and_nobody_else(blue, green):
    shares = split_of(blue, green)

    if blue + green == 0:
        assert shares is None
    else:
        assert tuple(share > 0 for share in shares) == (blue > 0, green > 0)
        assert abs(shares[0] - 100 * blue / (blue + green)) <= 1


@pytest.mark.parametrize(
    "route",
    [
        a_route_object(a_backend(BLUE, 100)),
        a_route_object(),
        a_route_object(a_backend(BLUE, 50), a_backend(GREEN, 40), {"name": "debug", "weight": 10}),
        a_route_object(a_backend(BLUE, 50), a_backend(GREEN, 40), a_backend(GREEN, 10)),
        a_route_object(a_backend(BLUE, 50), a_backend(BLUE, 50)),
        a_route_object(a_backend(BLUE, 50), a_backend(GREEN, 50, service="basket")),
        a_route_object(a_backend(BLUE, 100), {"weight": 0}),
        a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0), active=None),
        a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0), active="purple"),
        a_route_object(
            a_backend(BLUE, 100), a_backend(GREEN, 0), before=[{"backendRefs": [a_backend(GREEN)]}]
        ),
        a_route_object(
            a_backend(BLUE, 100),
            a_backend(GREEN, 0),
            before=[{"matches": [{"path": {"value": "/api"}}, *PIN["matches"]]}],
        ),
        {"metadata": {"name": "shop", "annotations": {"bluegreen.dev/active-color": "blue"}}},
        {"spec": {"rules": []}},
        {},
    ],
)
def test_traffic_that_goes_anywhere_else_is_not_read_as_ours(route):
    assert weights_route(route) is None


def test_a_rule_for_those_who_ask_for_a_color_changes_nothing():
    route = a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0), before=[PIN])

    assert weights_route(route) == Route(BLUE, TrafficSplit.all_to(BLUE))


# The live side.


@pytest.fixture
def live(cluster):
    return LiveHttpRoute(cluster, NAMES)


def test_before_the_first_write_nobody_is_active(live, api):
    assert live.route() is None
    assert live.object() is None
    assert api.paths() == [PATH, PATH]


def test_a_live_route_is_asked_of_the_cluster_every_time(live, api):
    api.objects[PATH] = a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0))
    first = live.route()
    api.objects[PATH] = a_route_object(a_backend(BLUE, 70), a_backend(GREEN, 30))

    assert (first, live.route()) == (
        Route(BLUE, TrafficSplit.all_to(BLUE)),
        Route(BLUE, TrafficSplit(blue=70, green=30)),
    )


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (
            a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0), active=None),
            "HTTPRoute shop names no active color in its annotation bluegreen.dev/active-color",
        ),
        (
            a_route_object(a_backend(BLUE, 0), a_backend(GREEN, 0)),
            "HTTPRoute shop does not share all traffic between the Services shop-blue and "
            "shop-green",
        ),
        (
            a_route_object(a_backend(BLUE, 1), a_backend(GREEN, 1), {"name": "debug"}),
            "HTTPRoute shop does not share all traffic between the Services shop-blue and "
            "shop-green",
        ),
    ],
)
def test_a_live_route_that_says_something_else_is_told(live, api, route, text):
    api.objects[PATH] = route

    with pytest.raises(UnreadableTrafficError) as caught:
        live.route()
    assert str(caught.value) == text


def a_condition(kind, status="True", seen=1, **more):
    return {"type": kind, "status": status, "observedGeneration": seen, **more}


def a_parent(*conditions, name="front"):
    return {"parentRef": {"name": name}, "conditions": list(conditions)}


ACCEPTED = a_parent(a_condition("Accepted"), a_condition("ResolvedRefs"))
WANTED = TrafficSplit(blue=90, green=10)


def follows(live, api, *parents, generation=1):
    api.objects[PATH] = a_route_object(
        a_backend(BLUE, 90),
        a_backend(GREEN, 10),
        generation=generation,
        status={"parents": list(parents)},
    )
    return live.follows(WANTED)


def test_a_gateway_follows_once_it_accepted_the_last_change(live, api):
    assert follows(live, api, ACCEPTED) == (
        True,
        "the gateway accepted HTTPRoute shop with 90 % blue, 10 % green",
    )


def test_all_gateways_have_to_follow(live, api):
    second = a_parent(a_condition("Accepted"), a_condition("ResolvedRefs"), name="second")
    late = a_parent(a_condition("Accepted", seen=0), a_condition("ResolvedRefs"), name="late")

    assert follows(live, api, ACCEPTED, second)[0]
    assert follows(live, api, ACCEPTED, second)[1].startswith("2 gateways accepted")
    assert follows(live, api, ACCEPTED, late) == (
        False,
        "HTTPRoute shop: gateway late has not looked at the last change yet",
    )


@pytest.mark.parametrize(
    ("parents", "says"),
    [
        ((), "no gateway has looked at HTTPRoute shop yet"),
        ((a_parent(a_condition("Accepted")),), "gateway front does not say ResolvedRefs"),
        (
            (
                a_parent(
                    a_condition("Accepted", "False", reason="NoMatchingParent", message="no port"),
                    a_condition("ResolvedRefs"),
                ),
            ),
            "gateway front says NoMatchingParent: no port",
        ),
        (
            (
                a_parent(
                    a_condition("Accepted"),
                    a_condition("ResolvedRefs", "False", reason="BackendNotFound"),
                ),
            ),
            "gateway front says BackendNotFound: ",
        ),
        (
            (
                a_parent(
                    a_condition("Accepted", "Unknown", reason="Pending"),
                    *ACCEPTED["conditions"][1:],
                ),
            ),
            "gateway front says Pending: ",
        ),
    ],
)
def test_it_is_said_why_a_gateway_does_not_follow(live, api, parents, says):
    has_followed, text = follows(live, api, *parents)

    assert not has_followed
    assert text.endswith(says)


def test_a_gateway_that_has_not_seen_the_last_change_is_told_once(live, api):
    assert follows(live, api, ACCEPTED, generation=2) == (
        False,
        "HTTPRoute shop: gateway front has not looked at the last change yet",
    )


def test_nobody_follows_a_route_that_is_not_there(live):
    assert live.follows(WANTED) == (False, "HTTPRoute shop is not there")
