import pytest

from bluegreen.errors import RolloutError
from bluegreen.kubernetes.live_http_route import LiveHttpRoute
from bluegreen.kubernetes.live_object_guard import LiveObjectGuard, owners_of
from bluegreen.kubernetes.live_service import LiveService
from tests.unit.fake_update import a_call, a_preview
from tests.unit.kubernetes.objects import (
    BLUE,
    GREEN,
    NAMES,
    a_backend,
    a_route_object,
    a_service_object,
    selects,
)

SERVICE = "/api/v1/namespaces/shops/services/shop"
HTTP_ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shops/httproutes/shop"
SELECTOR = ("spec", "selector", "color")


def owned(**owners):
    """Fields as the API server tells who owns them; Python names for managers."""
    return [
        {"manager": manager.replace("_", "-"), "fieldsType": "FieldsV1", "fieldsV1": fields}
        for manager, fields in owners.items()
    ]


ATOMIC = {"f:spec": {"f:ports": {".": {}}, "f:selector": {}}}
"""As the API server has it since 1.20: a selector belongs to one owner as a whole."""

GRANULAR = {"f:spec": {"f:selector": {".": {}, "f:app": {}, "f:color": {}}}}
ELSEWHERE = {"f:metadata": {"f:annotations": {"f:note": {}}}, "f:spec": {"f:type": {}}}
RULES = {"f:spec": {"f:rules": {}, "f:parentRefs": {}}}


@pytest.fixture
def guard(cluster):
    return LiveObjectGuard("shop", LiveService(cluster, NAMES, may_adopt=False))


def live_service(api, **metadata):
    api.objects[SERVICE] = a_service_object(selects(BLUE), **metadata)


def recorded(uid="uid-1"):
    return a_call(old={"metadata": {"uid": uid}})


def refusal_of(guard, call=None):
    with pytest.raises(RolloutError) as caught:
        guard(call or recorded())
    return str(caught.value)


def test_the_recorded_object_that_nobody_else_writes_passes(guard, api):
    live_service(api)

    guard(recorded())

    assert api.paths() == [SERVICE]


def test_another_object_than_the_recorded_one_is_refused(guard, api):
    live_service(api)

    assert refusal_of(guard, recorded("uid-0")) == (
        "shop: the gates found another Service than the one in the state (uid uid-1, recorded "
        "uid-0): either it was made anew by hand, and `pulumi refresh` takes it over, or the "
        "provider writes to another cluster than the gates ask, and `kubernetes:kubeconfig` or "
        "`kubernetes:context` should say which; production traffic has not been moved"
    )


@pytest.mark.parametrize("old", [None, {}, {"metadata": None}, {"metadata": {"name": "shop"}}])
def test_a_record_without_an_identity_is_not_another_object(guard, api, old):
    live_service(api)

    assert guard(a_call(old=old)) is None


def test_an_object_that_is_gone_is_the_gates_business(guard):
    assert guard(recorded()) is None


def test_an_api_server_that_is_away_is_the_gates_business(silent_cluster):
    guard = LiveObjectGuard("shop", LiveService(silent_cluster, NAMES, may_adopt=False))

    assert guard(recorded()) is None


@pytest.mark.parametrize("fields", [ATOMIC, GRANULAR])
def test_another_controller_that_writes_the_selector_is_refused(guard, api, fields):
    live_service(api, managedFields=owned(argo_rollouts=fields, pulumi_kubernetes=ELSEWHERE))

    assert refusal_of(guard) == (
        "shop: argo-rollouts also writes spec.selector.color of Service shop, and would move the "
        "traffic again; production traffic has not been moved; take the object out of that "
        "controller, and its entry out of metadata.managedFields"
    )


def test_a_preview_says_so_too(guard, api):
    live_service(api, managedFields=owned(argocd=ATOMIC))

    assert refusal_of(guard, a_preview(old={"metadata": {"uid": "uid-1"}})).startswith("shop: argo")


@pytest.mark.parametrize(
    "manager",
    ["kubectl", "kubectl_patch", "kubectl_edit", "pulumi_kubernetes", "before_first_apply"],
)
def test_somebodys_hands_and_ourselves_pass(guard, api, manager):
    live_service(api, managedFields=owned(**{manager: ATOMIC}))

    assert guard(recorded()) is None


def test_a_controller_that_writes_something_else_passes(guard, api):
    other_color = {"f:spec": {"f:selector": {".": {}, "f:app": {}}}}
    live_service(api, managedFields=owned(cloud_controller=ELSEWHERE, other=other_color))

    assert guard(recorded()) is None


def test_all_other_writers_are_named_once():
    live = a_service_object(
        selects(BLUE),
        managedFields=[
            *owned(flagger=ATOMIC, argocd=GRANULAR, nobody={}),
            *owned(flagger=GRANULAR),
            {"fieldsV1": ATOMIC},
            {"manager": "empty", "fieldsV1": None},
        ],
    )

    assert owners_of(live, SELECTOR) == ["argocd", "flagger", "unknown"]


def test_an_object_without_owners_has_none():
    assert owners_of(a_service_object(selects(BLUE)), SELECTOR) == []
    assert owners_of(a_service_object(selects(BLUE), managedFields=None), SELECTOR) == []


def test_another_controller_of_an_http_routes_rules_is_refused(cluster, api):
    guard = LiveObjectGuard("shop", LiveHttpRoute(cluster, NAMES))
    route = a_route_object(a_backend(BLUE, 100), a_backend(GREEN, 0))
    route["metadata"]["managedFields"] = owned(flagger=RULES)
    api.objects[HTTP_ROUTE] = route

    assert refusal_of(guard).startswith("shop: flagger also writes spec.rules of HTTPRoute shop,")
    route["metadata"]["managedFields"] = owned(
        gateway={"f:status": {"f:parents": {}}}, external_dns=ELSEWHERE
    )
    assert guard(recorded()) is None
