import pytest

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError, UnreadableTrafficError
from bluegreen.kubernetes.live_service import LiveService
from bluegreen.kubernetes.service_router import selector_route
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.kubernetes.objects import (
    BLUE,
    GREEN,
    NAMES,
    a_service_object,
    a_slice,
    selects,
)

PATH = "/api/v1/namespaces/shops/services/shop"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/shops/endpointslices"


@pytest.fixture
def live(cluster):
    return LiveService(cluster, NAMES, may_adopt=False)


@pytest.fixture
def adopting(cluster):
    return LiveService(cluster, NAMES, may_adopt=True)


@pytest.mark.parametrize("color", Color)
def test_the_selector_says_who_is_active(live, api, color):
    api.objects[PATH] = a_service_object(selects(color))

    assert live.route() == Route(color, TrafficSplit.all_to(color))


def test_before_the_first_write_nobody_is_active(live, adopting):
    assert live.route() is None
    assert adopting.route() is None


def test_a_selector_without_a_color_may_be_taken_over_while_there_is_one_color(adopting, api):
    api.objects[PATH] = a_service_object({"app": "shop"})

    assert adopting.route() is None


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        (
            {"app": "shop"},
            "app=shop: it reaches both colors; leave the other color out until it is narrowed",
        ),
        ({"app": "shop", "color": "purple"}, "app=shop,color=purple"),
        ({"color": "blue"}, "color=blue"),
        ({"app": "basket", "color": "blue"}, "app=basket,color=blue"),
        ({"version": "7", "app": "shop", "color": "blue"}, "app=shop,color=blue,version=7"),
        ({}, "nothing"),
        (None, "nothing"),
    ],
)
def test_a_selector_that_was_never_written_by_us_is_told(live, api, selector, said):
    api.objects[PATH] = a_service_object(selector)

    with pytest.raises(UnreadableTrafficError) as caught:
        live.route()
    assert str(caught.value) == f"the selector of Service shop is {said}"


@pytest.mark.parametrize(
    "selector",
    [{"app": "basket"}, {"app": "shop", "tier": "web"}, {}, {"app": "shop", "color": ""}],
)
def test_only_the_service_that_reaches_that_one_color_may_be_taken_over(adopting, api, selector):
    api.objects[PATH] = a_service_object(selector)

    with pytest.raises(UnreadableTrafficError, match="the selector of Service shop is "):
        adopting.route()


def test_recorded_properties_are_read_by_their_color():
    assert selector_route(a_service_object(selects(GREEN))) == Route(
        GREEN, TrafficSplit.all_to(GREEN)
    )
    for unread in ({}, {"spec": {}}, {"spec": None}, a_service_object({"app": "shop"})):
        assert selector_route(unread) is None


def slices_by_service(**named):
    return lambda asked: [
        named[asked.query["labelSelector"].removeprefix("kubernetes.io/service-name=shop")]
    ]


def test_traffic_follows_once_the_endpoints_are_the_wanted_colors(live, api):
    api.objects[SLICES] = slices_by_service(
        **{"": a_slice("g1", "g2"), "-green": a_slice("g2", "g1")}
    )

    assert live.follows(TrafficSplit.all_to(GREEN)) == (
        True,
        "the EndpointSlices of Service shop list 2 green members",
    )


@pytest.mark.parametrize(
    ("production", "says"),
    [
        (a_slice("b1", "b2", "b3"), "list 3 members, green has 2, and 0 are the same"),
        (a_slice("g1", "b1"), "list 2 members, green has 2, and 1 are the same"),
        (a_slice("g1"), "list 1 members, green has 2, and 1 are the same"),
        (a_slice("g1", "g2", "b1"), "list 3 members, green has 2, and 2 are the same"),
        (a_slice(), "list 0 members, green has 2, and 0 are the same"),
    ],
)
def test_until_then_it_is_said_who_is_listed(live, api, production, says):
    api.objects[SLICES] = slices_by_service(**{"": production, "-green": a_slice("g1", "g2")})

    assert live.follows(TrafficSplit.all_to(GREEN)) == (
        False,
        f"the EndpointSlices of Service shop {says}",
    )


def test_nobody_follows_to_a_color_without_members(live, api):
    api.objects[SLICES] = slices_by_service(**{"": a_slice(), "-blue": a_slice()})

    assert not live.follows(TrafficSplit.all_to(BLUE))[0]


def test_an_api_server_that_is_away_is_an_error_and_not_nothing(silent_cluster):
    live = LiveService(silent_cluster, NAMES, may_adopt=True)

    with pytest.raises(DataPlaneError, match="does not answer"):
        live.route()
