"""The cluster with pretended nodes: what it shows of pods, and how their readiness is steered."""

from kubernetes import client

from tests.cluster.objects import (
    PATIENCE_SECONDS,
    deployment,
    endpoints,
    phases,
    pods,
    readiness,
    service,
)
from tools.cluster.api import create
from tools.cluster.cluster import Cluster, OwnCluster
from tools.cluster.kwok_stages import NEVER_READY, READY_AFTER
from tools.cluster.processes import wait_until


def test_pods_of_a_deployment_become_ready_behind_their_service(cluster: Cluster, namespace: str):
    with cluster.asking() as api:
        create(api, deployment("shop", replicas=3), namespace)
        create(api, service("shop"), namespace)

        wait_until(lambda: readiness(api, namespace, "shop") == [True] * 3, PATIENCE_SECONDS)
        wait_until(lambda: endpoints(api, namespace, "shop") == [True] * 3, PATIENCE_SECONDS)

        addresses = {pod.status.pod_ip for pod in pods(api, namespace, "shop")}
        assert len(addresses) == 3


def test_a_pod_that_is_told_so_runs_and_is_not_ready_until_it_is_told_otherwise(
    own_cluster: OwnCluster, namespace: str
):
    with own_cluster.asking() as api:
        create(api, deployment("shop", annotations={NEVER_READY: "true"}), namespace)
        create(api, service("shop"), namespace)
        wait_until(lambda: phases(api, namespace, "shop") == ["Running"], PATIENCE_SECONDS)
        wait_until(lambda: endpoints(api, namespace, "shop") == [False], PATIENCE_SECONDS)
        assert readiness(api, namespace, "shop") == [False]

        for value, expected in ((None, True), ("true", False), ("false", True)):
            (pod,) = pods(api, namespace, "shop")
            change = {"metadata": {"annotations": {NEVER_READY: value}}}
            client.CoreV1Api(api).patch_namespaced_pod(pod.metadata.name, namespace, change)
            wait_until(lambda: endpoints(api, namespace, "shop") == [expected], PATIENCE_SECONDS)  # noqa: B023


def test_a_pod_is_pending_as_long_as_it_is_told(own_cluster: OwnCluster, namespace: str):
    with own_cluster.asking() as api:
        create(api, deployment("late", annotations={READY_AFTER: "3600s"}), namespace)
        create(api, deployment("soon", annotations={READY_AFTER: "1s"}), namespace)

        wait_until(lambda: readiness(api, namespace, "soon") == [True], PATIENCE_SECONDS)

        assert phases(api, namespace, "late") == ["Pending"]


def test_a_job_succeeds(own_cluster: OwnCluster, namespace: str):
    container = {"name": "job", "image": "local/busybox:1"}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "check"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }
    with own_cluster.asking() as api:
        create(api, job, namespace)

        jobs = client.BatchV1Api(api)
        wait_until(
            lambda: jobs.read_namespaced_job("check", namespace).status.succeeded == 1,
            PATIENCE_SECONDS,
        )
