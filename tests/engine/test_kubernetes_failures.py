"""What users are told when a cluster refuses, is away, or was changed by somebody else.

Each failure with the whole message, what did not happen, and the way out that the message names.
The members are pretended where nobody has to answer; see `kwok_driver`.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bluegreen.traffic import TrafficSplit
from tests.conftest import started_cluster
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tests.engine.kwok_driver import KwokDriver, kwok_driver
from tests.engine.pulumi_stack import Result
from tests.engine.test_kubernetes_bad_input import said_by
from tools.cluster.cluster import Cluster
from tools.cluster.kwok_cluster import KwokCluster
from tools.cluster.kwok_stages import NEVER_READY
from tools.cluster.node_cluster import NodeCluster

BLUE, GREEN = TrafficSplit(blue=100, green=0), TrafficSplit(blue=0, green=100)
NOT_MOVED = "production traffic has not been moved"


def eventually(is_true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def configured(driver: KwokDriver) -> KwokDriver:
    driver.configure("active_color", "blue")
    driver.configure("blue", {"release": "1.0", "replicas": 2})
    driver.configure("green", {"release": "1.1", "replicas": 2})
    return driver


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[KwokDriver]:
    with kwok_driver(cluster) as driver:
        result = configured(driver).up()
        assert result.ok, result
        yield driver


@pytest.fixture
def both(shared: KwokDriver) -> Iterator[KwokDriver]:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    config = shared.stack.config_file.read_text()
    yield shared
    shared.stack.config_file.write_text(config)
    shared.arrange(refresh=True)


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[KwokDriver]:
    """Nothing is deployed."""
    with kwok_driver(cluster) as driver:
        yield configured(driver)


@contextlib.contextmanager
def running_up(driver: KwokDriver) -> Iterator[Callable[[], Result]]:
    """`pulumi up` while the test goes on; what is yielded waits for its end."""
    results: list[Result] = []
    running = threading.Thread(target=lambda: results.append(driver.up()))
    running.start()

    def update() -> Result:
        running.join()
        return results[0]

    try:
        yield update
    finally:
        running.join()


def errors_of(result: Result) -> list[str]:
    """Each error once, without the engine's own closing words."""
    found: dict[str, None] = {}
    for line in said_by(result).splitlines():
        text = line.strip().removeprefix("error: ").removeprefix("Preview failed: ")
        if line.strip().startswith("error: ") and text not in {"preview failed", "update failed"}:
            found[text] = None
    return list(found)


def assert_refused(result: Result, *errors: str) -> None:
    assert not result.ok
    assert "Traceback" not in result.text
    assert errors_of(result) == list(errors)


def assert_gates_refused(result: Result, *gates: str) -> None:
    """Headline, then one line per gate that refused."""
    (headline,) = errors_of(result)
    assert "not switching to green" in headline
    assert "refused; production traffic has not moved" in headline
    lines = [line.strip() for line in said_by(result).splitlines()]
    for gate in gates:
        assert any(line.startswith(gate) for line in lines), lines


def scale(driver: KubernetesDriver, color: str, replicas: int) -> None:
    """As `kubectl scale` does."""
    path = driver.names.group("apps/v1", "deployments", f"shop-{color}/scale")
    driver.patch_at(path, {"spec": {"replicas": replicas}})


def replicas(driver: KubernetesDriver, color: str) -> int:
    path = driver.names.group("apps/v1", "deployments", f"shop-{color}")
    deployment = driver.api.get(path)
    assert deployment is not None
    return int(deployment["spec"]["replicas"])


def pods(driver: KubernetesDriver, color: str) -> list[dict[str, Any]]:
    return driver.api.items(driver.names.core("pods"), labelSelector=f"app=shop,color={color}")


# Somebody else writes.


def test_a_router_that_a_controller_writes_too_is_not_fought_over(both: KwokDriver):
    path = both.names.core("services", "shop")
    selector = {"spec": {"selector": {"app": "shop", "color": "blue"}}}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}} | selector
    both.api.apply(path, body, manager="argocd-controller", force=True)
    both.configure("active_color", "green")

    refused = both.up()
    # What the message asks for: an apply of nothing gives all fields up.
    both.api.apply(
        path, {k: v for k, v in body.items() if k != "spec"}, manager="argocd-controller"
    )
    result = both.up()

    assert_refused(
        refused,
        'before hook "shop-router-guard" failed: shop: argocd-controller also writes '
        "spec.selector.color of Service shop, and would move the traffic again; production traffic "
        "has not been moved; take the object out of that controller, and its entry out of "
        "metadata.managedFields",
    )
    assert result.ok, result
    assert both.live() == GREEN


@pytest.mark.soak
def test_a_live_color_that_was_scaled_up_by_hand_is_not_made_smaller_in_passing(both: KwokDriver):
    scale(both, "blue", 5)
    both.configure("blue.replicas", 3)

    refused = both.up()
    unrelated = replicas(both, "blue")
    both.configure("blue.replicas", 5)
    result = both.up()
    again = both.preview(refresh=True)

    assert_refused(
        refused,
        'before hook "shop-blue-guard" failed: shop: blue has 100 % of production traffic and it '
        "would shrink from 5 to 3 members; nothing was changed; keep them with `pulumi config set "
        "--path blue.replicas 5`, or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'",
    )
    assert unrelated == 5
    assert result.ok, result
    assert replicas(both, "blue") == 5
    assert again.ok, again
    assert "update" not in {step.op for step in again.planned}
    both.configure("blue.replicas", 2)
    assert both.up(BLUEGREEN_ALLOW_LIVE_CHANGE="blue:enough").ok
    assert replicas(both, "blue") == 2


@pytest.mark.soak
def test_an_idle_color_that_was_scaled_down_by_hand_is_not_switched_to_until_it_is_back(
    both: KwokDriver,
):
    scale(both, "green", 1)
    eventually(lambda: len(pods(both, "green")) == 1)
    both.configure("service.gates.capacity.timeout_seconds", 1)
    both.configure("active_color", "green")

    refused = both.up()
    seen = both.preview(refresh=True)
    result = both.up(refresh=True)

    assert_gates_refused(refused, "capacity: 1 of 2 needed members of green are ready (1 desired)")
    assert seen.ok, seen
    assert "green fleet" in seen.plan
    assert result.ok, result
    assert both.live() == GREEN
    assert replicas(both, "green") == 2


@pytest.mark.soak
def test_another_image_on_the_live_color_is_seen_and_not_taken_away_without_permission(
    both: KwokDriver,
):
    path = both.names.group("apps/v1", "deployments", "shop-blue")
    containers = [{"name": "app", "image": "local/shop:hotfix"}]
    change = {"spec": {"template": {"spec": {"containers": containers}}}}
    answer = both.api.request(
        "PATCH",
        f"{path}?fieldManager=kubectl-edit",
        body=change,
        content_type="application/strategic-merge-patch+json",
    )
    assert answer.status == 200, answer

    refused = both.preview(refresh=True)
    result = both.up(refresh=True, BLUEGREEN_ALLOW_LIVE_CHANGE="blue:the hotfix is over")

    (error,) = errors_of(refused)
    assert "release 1.0 would be started differently" in error
    assert "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'" in error
    assert result.ok, result
    assert both.live() == BLUE


@pytest.mark.parametrize(
    ("kind", "name", "resource"),
    [
        ("services", "shop", "router"),
        ("services", "shop-test", "shop-test"),
        ("configmaps", "shop-active", "flag"),
        ("deployments", "shop-green", "green fleet"),
    ],
)
def test_an_object_that_was_deleted_by_hand_is_seen_and_made_again(
    both: KwokDriver, kind: str, name: str, resource: str
):
    names = both.names
    path = names.group("apps/v1", kind, name) if kind == "deployments" else names.core(kind, name)
    both.api.delete(path)
    eventually(lambda: both.api.get(path) is None)

    seen = both.stack.preview("--refresh")
    result = both.up(refresh=True)

    assert seen.ok, seen
    assert {"router": "shop-route", "flag": "shop-flag", "green fleet": "shop-green-members"}.get(
        resource, resource
    ) in [step.name for step in seen.planned if step.op == "create"]
    assert result.ok, result
    assert both.api.get(path) is not None
    assert both.live() == BLUE


@pytest.mark.soak
def test_a_router_that_was_made_anew_by_hand_is_taken_over_by_a_refresh_only(both: KwokDriver):
    path = both.names.core("services", "shop")
    before = both.router()
    assert before is not None
    both.api.delete(path)
    kept = {key: before["metadata"][key] for key in ("name", "labels", "annotations")}
    spec = {key: before["spec"][key] for key in ("ports", "selector")}
    services = f"{both.names.core('services')}?fieldManager=kubectl-create"
    made = both.api.create(services, {"metadata": kept, "spec": spec})
    both.configure("active_color", "green")

    refused = both.up()
    live = both.live()
    result = both.up(refresh=True)

    old, new = before["metadata"]["uid"], made["metadata"]["uid"]
    assert_refused(
        refused,
        'before hook "shop-router-guard" failed: shop: the gates found another Service than the '
        f"one in the state (uid {new}, recorded {old}): either it was made anew by hand, and "
        "`pulumi refresh` takes it over, or the provider writes to another cluster than the gates "
        "ask, and `kubernetes:kubeconfig` or `kubernetes:context` should say which; production "
        "traffic has not been moved",
    )
    assert live == BLUE
    assert result.ok, result
    assert both.live() == GREEN


# The cluster refuses.


@pytest.mark.soak
def test_a_quota_is_named_as_the_reason_and_holds_up_the_switch_only(both: KwokDriver):
    quotas = both.names.core("resourcequotas")
    both.api.create(quotas, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "5"}}})
    eventually(lambda: "hard" in (both.api.get(f"{quotas}/few") or {}).get("status", {}))
    both.configure("green.replicas", 4)
    both.configure("service.kubernetes.ready_timeout_seconds", 8)
    both.configure("service.gates.capacity.timeout_seconds", 1)

    deployed = both.up()
    both.configure("active_color", "green")
    switched = both.up()
    both.configure("active_color", "blue")
    unrelated = both.up()
    both.api.delete(f"{quotas}/few")

    (error,) = errors_of(deployed)
    assert "3 of 4 members of green 1.1 are ready after 8 seconds (FailedCreate: pods" in error
    assert "exceeded quota: few, requested: pods=1, used: pods=5, limited: pods=5" in error
    assert "green has been deployed, production traffic has not been moved by this update" in error
    assert_gates_refused(
        switched, "capacity: 3 of 4 needed members of green are ready (4 desired; FailedCreate: "
    )
    assert unrelated.ok, unrelated
    assert both.live() == BLUE


@pytest.mark.soak
def test_members_that_stop_being_ready_are_not_switched_to_and_hold_up_nothing_else(
    both: KwokDriver,
):
    for pod in pods(both, "green"):
        path = both.names.core("pods", pod["metadata"]["name"])
        both.patch_at(path, {"metadata": {"annotations": {NEVER_READY: "true"}}})
    both.configure("service.gates.capacity.timeout_seconds", 1)
    both.configure("active_color", "green")

    refused = both.up()
    both.configure("active_color", "blue")
    both.configure("service.gates.capacity.timeout_seconds", 2)
    unrelated = both.up()
    for pod in pods(both, "green"):
        path = both.names.core("pods", pod["metadata"]["name"])
        both.patch_at(path, {"metadata": {"annotations": {NEVER_READY: None}}})
    both.configure("service.gates.capacity.timeout_seconds", 60)
    both.configure("active_color", "green")
    result = both.up()

    assert_gates_refused(
        refused,
        "capacity: 0 of 2 needed members of green are ready (2 desired; running, but its readiness "
        "check does not pass)",
    )
    assert unrelated.ok, unrelated
    assert result.ok, result
    assert both.live() == GREEN


@pytest.mark.soak
def test_members_whose_readiness_flaps_are_not_switched_to_until_they_are_steady(
    both: KwokDriver,
):
    ready = {"path": "/health/ready", "interval_seconds": 0.1, "timeout_seconds": 2}
    both.configure("service.gates.http", {"ready": ready})
    both.configure("active_color", "green")
    both.colors.is_flapping = True

    refused = both.up()
    both.colors.is_flapping = False
    result = both.up()

    assert_gates_refused(refused, "ready: ")
    assert "GET /health/ready answered 503, not 200" in refused.text
    assert result.ok, result
    assert both.live() == GREEN


@pytest.mark.soak
def test_a_node_with_a_live_member_can_be_drained(both: KwokDriver):
    budgets = both.names.group("policy/v1", "poddisruptionbudgets", "shop-blue")
    eventually(lambda: (both.api.get(budgets) or {})["status"].get("disruptionsAllowed") == 1)
    name = pods(both, "blue")[0]["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}

    answer = both.api.request("POST", both.names.core("pods", f"{name}/eviction"), body=body)

    assert answer.status == 201, answer
    eventually(lambda: (both.api.get(budgets) or {})["status"].get("currentHealthy") == 2)
    assert name not in {pod["metadata"]["name"] for pod in pods(both, "blue")}


@pytest.mark.soak
def test_a_namespace_that_is_about_to_end_takes_nothing(fresh: KwokDriver):
    names = fresh.names
    keeper = {"metadata": {"name": "keeper", "finalizers": ["bluegreen.test/stays"]}}
    fresh.api.create(names.core("configmaps"), keeper)
    fresh.api.delete(f"/api/v1/namespaces/{names.namespace}")
    eventually(lambda: _phase_of(fresh) == "Terminating")
    try:
        refused = fresh.up()
    finally:
        fresh.patch_at(names.core("configmaps", "keeper"), {"metadata": {"finalizers": None}})

    assert not refused.ok
    assert "Traceback" not in refused.text
    assert errors_of(refused)
    for error in errors_of(refused):
        assert f"unable to create new content in namespace {names.namespace}" in error
        assert "because it is being terminated" in error
    assert fresh.router() is None


def _phase_of(driver: KwokDriver) -> str:
    found = driver.api.get(f"/api/v1/namespaces/{driver.names.namespace}") or {}
    return str(found.get("status", {}).get("phase"))


# Another place.


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("service.kubernetes.namespace", "elsewhere", "its namespace would change from"),
        ("service.kubernetes.router", "http_route", "its router would change from service"),
    ],
)
def test_a_service_is_not_moved_to_another_place(cluster: Cluster, key: str, value: str, what: str):
    with kwok_driver(cluster) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        assert driver.up().ok
        driver.configure("service.kubernetes.gateway", {"name": "edge"})
        driver.configure(key, value)

        preview, refused = driver.preview(), driver.up()

        for result in (preview, refused):
            assert result.exit_code != 0
            assert what in result.text
            assert "nothing was changed" in result.text
        assert refused.done == []
        assert driver.live() == TrafficSplit(blue=100, green=0)


# The API server is away.


def test_without_a_cluster_a_preview_tells_what_it_can_and_an_update_moves_nothing(
    both: KwokDriver,
):
    nowhere = both.stack.directory / "nowhere"
    text = both.stack.environment["KUBECONFIG"]
    server = both.api._connection.url
    with open(text) as file:  # noqa: PTH123
        nowhere.write_text(file.read().replace(server, "https://127.0.0.1:1"))
    both.configure("active_color", "green")

    preview = both.preview(KUBECONFIG=str(nowhere))
    refused = both.up(KUBECONFIG=str(nowhere))

    away = "cannot tell who is live: the API server at https://127.0.0.1:1 does not answer: "
    assert preview.ok, preview
    assert preview.plan == ["router", "flag"]
    assert f"shop: {away}Connection refused; the same in an update would be a refusal" in (
        preview.text
    )
    assert_refused(
        refused,
        f'before hook "shop-router-gate" failed: shop: {away}Connection refused; {NOT_MOVED}',
    )
    assert both.live() == BLUE


@pytest.mark.alone
def test_an_api_server_that_ends_after_the_write_is_told_and_the_next_update_finishes(
    request: pytest.FixtureRequest,
):
    # On a cluster of its own: others would go on without an API server where this fails.
    with ExitStack() as stack:
        crashing = started_cluster(KwokCluster, stack, request)
        driver = configured(stack.enter_context(kwok_driver(crashing)))
        deployed = driver.up()
        assert deployed.ok, deployed
        driver.configure("service.kubernetes.propagation_seconds", 8)
        driver.configure("service.follow.timeout_seconds", 12)
        driver.configure("active_color", "green")

        with running_up(driver) as update:
            eventually(lambda: driver.live() == GREEN)
            # The provider reads once more what it has written; then the hook is at work.
            time.sleep(2)
            crashing.stop_api_server()
            stopped = update()
        crashing.start_api_server()
        result = driver.up()

        assert not stopped.ok
        assert "Traceback" not in stopped.text
        (error,) = [each for each in errors_of(stopped) if "traffic does not follow" in each]
        assert "the API server at https://127.0.0.1:" in error
        assert " does not answer: " in error
        assert "the router has been written, the active flag has not; `pulumi up` asks again" in (
            stopped.text
        )
        assert result.ok, result
        assert "flag" in result.done
        assert driver.outputs()["active_color"] == "green"


# Members of a real node: last, because from here on this process is in the node's network.


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        pytest.param(
            {"image": "local/none:1"},
            "ErrImageNeverPull",
            id="no such image",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"image": "Local/Shop:1"},
            "InvalidImageName",
            id="image in capitals",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"env": {"APP_MODE": "wrong"}},
            "CrashLoopBackOff",
            id="ends at once",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"env": {"APP_MODE": "never-ready"}},
            "running, but its readiness check does not pass",
            id="never ready",
        ),
    ],
)
def test_members_that_do_not_start_are_told_with_their_reason(
    on_node: KubernetesDriver, wrong: dict[str, Any], reason: str
):
    on_node.configure("green", {"release": "1.2", "replicas": 1} | wrong)

    deployed = on_node.up()
    on_node.configure("active_color", "green")
    switched = on_node.up()
    on_node.configure("active_color", "blue")
    unrelated = on_node.up()

    (error,) = errors_of(deployed)
    assert "0 of 1 members of green 1.2 are ready after 15 seconds (" in error
    assert reason in error
    assert_gates_refused(
        switched, "capacity: 0 of 1 needed members of green are ready (1 desired; "
    )
    assert unrelated.ok, unrelated
    assert on_node.ask("production", 4) == {"blue 1.0": 4}


@pytest.fixture(scope="module")
def node_service(node_cluster: NodeCluster) -> Iterator[KubernetesDriver]:
    with service_driver(node_cluster) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("service.gates.capacity.timeout_seconds", 1)
        result = driver.up()
        assert result.ok, result
        yield driver


@pytest.fixture
def on_node(node_service: KubernetesDriver) -> KubernetesDriver:
    """Blue 1.0 is live."""
    return node_service
