from datetime import UTC, datetime

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.gates.answers import ask
from bluegreen.gates.data_plane import HttpProduction
from bluegreen.kubernetes.data_plane import KubernetesDataPlane
from bluegreen.kubernetes.follow_job import JobProduction
from bluegreen.kubernetes.live_service import LiveService
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.kubernetes.api_server import Said
from tests.unit.kubernetes.objects import (
    BLUE,
    GREEN,
    NAMES,
    a_deployment,
    a_pod,
    a_service_object,
    a_slice,
    kubernetes_config,
    selects,
)

ROOT = "/namespaces/shops"
PODS = f"/api/v1{ROOT}/pods"
SERVICES = f"/api/v1{ROOT}/services"
SLICES = f"/apis/discovery.k8s.io/v1{ROOT}/endpointslices"
DEPLOYMENTS = f"/apis/apps/v1{ROOT}/deployments"
ALL_GREEN = TrafficSplit.all_to(GREEN)


@pytest.fixture
def plane(cluster):
    def build(**kubernetes):
        settings = kubernetes_config(kubernetes=kubernetes).service
        return KubernetesDataPlane(
            cluster, NAMES, settings, LiveService(cluster, NAMES, may_adopt=False)
        )

    return build


def test_the_router_says_who_is_live(plane, api):
    api.objects[f"{SERVICES}/shop"] = a_service_object(selects(GREEN))

    assert plane().live_route() == Route(GREEN, ALL_GREEN)


def test_members_are_counted_from_deployment_pods_and_slices_of_their_color(plane, api):
    api.objects[f"{DEPLOYMENTS}/shop-green"] = a_deployment(replicas=3, release="1.1")
    api.objects[PODS] = [a_pod("a"), a_pod("b")]
    api.objects[SLICES] = [a_slice("a"), a_slice("b")]

    found = plane().readiness(GREEN)

    assert (found.ready, found.desired) == (2, 3)
    asked = {each.path: each.query.get("labelSelector") for each in api.asked}
    assert asked[PODS] == "app=shop,color=green"
    assert asked[SLICES] == "kubernetes.io/service-name=shop-green"


def test_a_colors_release_is_its_deployments(plane, api):
    api.objects[f"{DEPLOYMENTS}/shop-green"] = a_deployment(release="1.1")

    assert plane().release(GREEN) == "1.1"
    assert plane().release(BLUE) is None


def test_nobody_counts_sessions(plane):
    assert plane().sessions(BLUE) is None


def test_a_color_is_reached_through_the_api_server(plane, api):
    api.objects[f"{SERVICES}/http:shop-green:80/proxy/version"] = Said(200, b"1.1")

    answer = ask(plane().pinned_endpoint(GREEN), "GET", "/version", 30)

    assert answer.body == b"1.1"


def test_a_color_is_reached_at_its_own_address_where_it_has_one(plane):
    endpoint = plane(color_url="http://{color}.shop.example/api").pinned_endpoint(GREEN)

    assert (endpoint.url, dict(endpoint.headers)) == ("http://green.shop.example/api", {})


def test_production_is_asked_where_it_is_reached(plane):
    job = {"image": "curl"}

    assert isinstance(plane(production_url="http://a", follow_job=job).production(), HttpProduction)
    assert isinstance(plane(follow_job=job).production(), JobProduction)
    assert plane().production() is None
    assert plane(production_url="http://shop.example").production().name == "http://shop.example"


def followed(api, *, production=("g",)):
    lists = {"shop": a_slice(*production), "shop-green": a_slice("g")}
    api.objects[SLICES] = lambda asked: [lists[asked.query["labelSelector"].partition("=")[2]]]


SEEN = "the EndpointSlices of Service shop list 1 green members"


def test_endpoints_that_have_changed_are_given_time_to_be_followed(plane, api):
    followed(api)
    data_plane = plane(propagation_seconds=300)

    follows, says = data_plane.control_view(ALL_GREEN)

    assert not follows
    assert says.startswith(f"{SEEN}, for 0.")
    assert says.endswith(" of 300 s")


def test_once_they_had_that_time_they_are_followed(plane, api):
    followed(api)

    assert plane(propagation_seconds=0).control_view(ALL_GREEN) == (True, f"{SEEN}, for 0.0 of 0 s")


def test_the_time_begins_anew_when_the_endpoints_change_back(plane, api):
    followed(api)
    data_plane = plane(propagation_seconds=0.05)
    data_plane.control_view(ALL_GREEN)
    followed(api, production=("b",))
    assert data_plane.control_view(ALL_GREEN) == (
        False,
        "the EndpointSlices of Service shop list 1 members, green has 1, and 0 are the same",
    )
    followed(api)

    assert not data_plane.control_view(ALL_GREEN)[0]


def test_the_time_begins_anew_for_another_wish(plane, api):
    api.objects[SLICES] = [a_slice("m")]
    data_plane = plane(propagation_seconds=300)
    data_plane.control_view(TrafficSplit.all_to(BLUE))
    first = data_plane._following_since

    data_plane.control_view(ALL_GREEN)

    assert data_plane._following_since != first


def test_the_flag_tells_the_last_switch(plane, api):
    data = {"color": "green", "since": "2026-03-01T15:00:00+00:00", "previous": "blue"}
    api.objects[f"/api/v1{ROOT}/configmaps/shop-active"] = {"data": data}
    api.objects[f"{SERVICES}/shop"] = a_service_object(
        selects(GREEN), creationTimestamp="2026-03-01T12:00:00Z"
    )

    assert plane().last_switch() == datetime(2026, 3, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "question",
    [
        lambda plane: plane.live_route(),
        lambda plane: plane.readiness(BLUE),
        lambda plane: plane.release(BLUE),
        lambda plane: plane.control_view(ALL_GREEN),
        lambda plane: plane.last_switch(),
    ],
)
def test_every_question_to_a_cluster_that_is_away_is_an_error(silent_cluster, question):
    router = LiveService(silent_cluster, NAMES, may_adopt=False)
    plane = KubernetesDataPlane(silent_cluster, NAMES, kubernetes_config().service, router)

    with pytest.raises(DataPlaneError, match="does not answer: Connection refused"):
        question(plane)
