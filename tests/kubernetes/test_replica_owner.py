"""The hand-over of a Deployment's replicas, step by step, on a real API server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client

from bluegreen.colors import Color
from bluegreen.errors import RolloutError
from bluegreen.gate_hooks import HookCall
from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.names import AUTOSCALED, ObjectNames
from bluegreen.kubernetes.replica_owner import ReplicaOwner
from bluegreen.overrides import Overrides
from bluegreen.plan import make_plan
from tests.cluster.objects import deployment
from tests.unit.written import a_config
from tools.cluster.api import create
from tools.cluster.cluster import Cluster as TestCluster

CONTROLLER = "kube-controller-manager"
DEPLOYMENTS = {"apiGroups": ["apps"], "resources": ["deployments"]}


class Raced(Cluster):
    """Somebody is faster: does `meanwhile` once, after an object was read and before the write."""

    meanwhile: Callable[[], None] | None = None

    def get(self, path: str) -> dict[str, Any] | None:
        found = super().get(path)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        return found


class Blue:
    """The Deployment of blue, somebody with all rights at it, and who hands its replicas over."""

    def __init__(self, api: client.ApiClient, cluster: TestCluster, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self.apps = client.AppsV1Api(api)
        self.names = ObjectNames("shop", namespace)
        self.connection = Raced(ClusterAccess(kubeconfig=str(cluster.kubeconfig)))

    def owner(self, *, autoscaling: bool, connection: Cluster | None = None) -> ReplicaOwner:
        kubernetes: dict[str, Any] = {"image": "shop:1", "resources": {"requests": {"cpu": "1m"}}}
        if autoscaling:
            kubernetes["autoscaling"] = {"min_replicas": 3, "max_replicas": 12}
        config = a_config(  # type: ignore[no-untyped-call]
            service={"platform": "kubernetes", "kubernetes": kubernetes}
        )
        plan = make_plan(config, Overrides()).fleets[Color.BLUE]
        return ReplicaOwner("shop", connection or self.connection, self.names, plan)

    def make(self, replicas: int) -> None:
        create(self.api, deployment("shop-blue", replicas=replicas), self.namespace)

    def make_autoscaler(self) -> None:
        body = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "shop-blue"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                "maxReplicas": 12,
            },
        }
        create(self.api, body, self.namespace)

    def has_autoscaler(self) -> bool:
        found = client.AutoscalingV2Api(self.api).list_namespaced_horizontal_pod_autoscaler(
            self.namespace
        )
        return bool(found.items)

    def scale(self, replicas: int) -> None:
        """As the autoscaler does."""
        self.apps.patch_namespaced_deployment_scale(
            "shop-blue",
            self.namespace,
            {"spec": {"replicas": replicas}},
            field_manager=CONTROLLER,
        )

    @property
    def replicas(self) -> int:
        return int(self._read().spec.replicas)

    @property
    def owners(self) -> set[str]:
        return {
            entry.manager
            for entry in self._read().metadata.managed_fields
            if "f:replicas" in (entry.fields_v1 or {}).get("f:spec", {})
        }

    def _read(self) -> client.V1Deployment:
        return self.apps.read_namespaced_deployment("shop-blue", self.namespace)


@pytest.fixture
def blue(cluster: TestCluster, namespace: str) -> Iterator[Blue]:
    with cluster.asking() as api:
        yield Blue(api, cluster, namespace)


def recorded(*, autoscaled: bool) -> HookCall:
    template = {"metadata": {}, "spec": {"containers": []}}
    annotations = {AUTOSCALED: "3-12"} if autoscaled else {}
    old = {"metadata": {"annotations": annotations}, "spec": {"replicas": 5, "template": template}}
    return HookCall(is_preview=False, old=old, new={})


@pytest.mark.parametrize("present", [0, 1, 5, 20])
def test_before_the_write_the_present_number_gets_another_owner(blue: Blue, present: int) -> None:
    blue.make(present)

    blue.owner(autoscaling=True).before_write(recorded(autoscaled=False))

    assert blue.replicas == present
    assert "bluegreen-replicas" in blue.owners


def test_a_number_that_changes_in_the_same_moment_is_the_one_that_is_kept(blue: Blue) -> None:
    blue.make(5)
    blue.connection.meanwhile = lambda: blue.scale(7)

    blue.owner(autoscaling=True).before_write(recorded(autoscaled=False))

    assert blue.replicas == 7
    assert blue.owners == {"bluegreen-replicas", CONTROLLER}


@pytest.mark.parametrize(("present", "after"), [(0, 3), (1, 3), (3, 3), (5, 5), (20, 20)])
def test_after_the_write_there_are_as_many_as_an_autoscaler_keeps(
    blue: Blue, present: int, after: int
) -> None:
    blue.make(present)

    blue.owner(autoscaling=True).after_write(recorded(autoscaled=False))

    assert blue.replicas == after


def test_a_color_that_grows_in_the_same_moment_is_not_made_smaller(blue: Blue) -> None:
    blue.make(1)
    blue.connection.meanwhile = lambda: blue.scale(9)

    blue.owner(autoscaling=True).after_write(recorded(autoscaled=False))

    assert blue.replicas == 9


def test_the_autoscaler_is_gone_before_the_program_writes_its_number(blue: Blue) -> None:
    blue.make(5)
    blue.make_autoscaler()

    blue.owner(autoscaling=False).before_write(recorded(autoscaled=True))

    assert not blue.has_autoscaler()
    assert blue.replicas == 5


def test_an_autoscaler_that_this_library_did_not_make_is_left_alone(blue: Blue) -> None:
    blue.make(5)
    blue.make_autoscaler()

    blue.owner(autoscaling=False).before_write(recorded(autoscaled=False))

    assert blue.has_autoscaler()


def test_a_number_that_is_the_programs_is_not_touched(blue: Blue) -> None:
    blue.make(1)
    owners = blue.owners

    blue.owner(autoscaling=False).before_write(recorded(autoscaled=False))
    blue.owner(autoscaling=False).after_write(recorded(autoscaled=False))

    assert (blue.replicas, blue.owners) == (1, owners)


def test_where_there_is_no_deployment_none_is_made(blue: Blue) -> None:
    blue.owner(autoscaling=True).before_write(recorded(autoscaled=False))
    blue.owner(autoscaling=True).after_write(recorded(autoscaled=False))

    assert blue.apps.list_namespaced_deployment(blue.namespace).items == []


@pytest.mark.parametrize(
    ("step", "autoscaling", "text"),
    [
        (
            "before_write",
            True,
            "shop: cannot keep the members of blue for its autoscaler: PATCH ",
        ),
        (
            "after_write",
            True,
            "shop: blue has been deployed, but cannot be given the 3 members that its autoscaler "
            "starts from: PATCH ",
        ),
        ("before_write", False, "shop: cannot end the autoscaler of blue: DELETE "),
    ],
)
def test_a_missing_permission_stops_the_update_and_is_named(
    blue: Blue, cluster: TestCluster, step: str, *, autoscaling: bool, text: str
) -> None:
    blue.make(1)
    rules = [DEPLOYMENTS | {"verbs": ["get"]}]
    kubeconfig = cluster.kubeconfig_for("reader", rules, namespace=blue.namespace)
    reader = Cluster(ClusterAccess(kubeconfig=str(kubeconfig)))
    owner = blue.owner(autoscaling=autoscaling, connection=reader)

    with pytest.raises(RolloutError) as caught:
        getattr(owner, step)(recorded(autoscaled=True))

    said = str(caught.value)
    verb, kind = ("patch", "deployments") if autoscaling else ("delete", "horizontalpodautoscalers")
    assert said.startswith(text)
    assert f'cannot {verb} resource "{kind}"' in said
    assert said.endswith("`pulumi up` tries again")
    assert blue.replicas == 1
