"""The cluster with a real node: pods that serve behind a Service, and how they come and go."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
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
from tools.cluster.node_cluster import NodeCluster
from tools.cluster.processes import wait_until

READY = {"httpGet": {"path": "/health/ready", "port": 8080}, "periodSeconds": 1}


def a_shop(
    name: str, *, replicas: int = 1, release: str = "1.0", grace: int = 600, **app: str
) -> dict[str, Any]:
    """The application behind a readiness probe; `app` are settings of its own."""
    variables = {"BLUEGREEN_COLOR": "blue", "BLUEGREEN_RELEASE": release, **app}
    env = [{"name": key, "value": value} for key, value in variables.items()]
    image = f"local/shop:{release}"
    made = deployment(name, replicas=replicas, env=env, readinessProbe=READY, image=image)
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = grace
    return made


def a_job(name: str, script: str) -> dict[str, Any]:
    container = {"name": "job", "image": "local/busybox:1", "command": ["sh", "-c", script]}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


def job_ended(api: client.ApiClient, namespace: str, name: str) -> bool:
    status = client.BatchV1Api(api).read_namespaced_job(name, namespace).status
    return bool(status and (status.succeeded or status.failed))


def address_of(api: client.ApiClient, namespace: str, name: str) -> str:
    spec = client.CoreV1Api(api).read_namespaced_service(name, namespace).spec
    return f"http://{spec.cluster_ip}"


def served(address: str) -> Callable[[], bool]:
    """Whether somebody answers behind the Service by now."""

    def asked() -> bool:
        try:
            return httpx.get(address, timeout=2).is_success
        except httpx.TransportError:
            return False

    return asked


def own_network() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink())


def test_pods_answer_through_the_address_of_their_service(
    node_cluster: NodeCluster, node_namespace: str
):
    with node_cluster.asking() as api:
        create(api, a_shop("shop", replicas=3, release="1.2"), node_namespace)
        create(api, service("shop"), node_namespace)
        address = address_of(api, node_namespace, "shop")
        wait_until(served(address), PATIENCE_SECONDS)

        answers = Counter(httpx.get(address).text for _ in range(30))
        version = httpx.get(f"{address}/version").json()

    assert answers == {"blue 1.2\n": 30}
    assert version == {"version": "1.2", "color": "blue"}


def test_a_command_and_a_thread_can_be_where_the_cluster_is(
    node_cluster: NodeCluster, node_namespace: str
):
    with node_cluster.asking() as api:
        create(api, a_shop("shop"), node_namespace)
        create(api, service("shop"), node_namespace)
        address = address_of(api, node_namespace, "shop")
        wait_until(served(address), PATIENCE_SECONDS)
    before = own_network()
    code = f"import httpx; print(httpx.get({address!r}).text)"

    done = subprocess.run(
        node_cluster.command([sys.executable, "-c", code]), capture_output=True, text=True
    )
    with node_cluster.network():
        entered = own_network()
        answer = httpx.get(address).text
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout.strip() == child.stdout.strip() == answer.strip() == "blue 1.0"
    assert entered != before
    assert own_network() == before


def test_nothing_gets_out_of_the_network_of_the_cluster(node_cluster: NodeCluster):
    with node_cluster.network(), pytest.raises(httpx.TransportError):
        # An address for documentation: nobody has it.
        httpx.get("http://192.0.2.1", timeout=2)


def test_a_pod_that_is_not_ready_runs_and_is_given_nothing(
    node_cluster: NodeCluster, node_namespace: str
):
    with node_cluster.asking() as api:
        create(api, a_shop("shop", APP_MODE="never-ready"), node_namespace)
        create(api, service("shop"), node_namespace)

        wait_until(lambda: phases(api, node_namespace, "shop") == ["Running"], PATIENCE_SECONDS)
        wait_until(lambda: endpoints(api, node_namespace, "shop") == [False], PATIENCE_SECONDS)

        assert readiness(api, node_namespace, "shop") == [False]
        assert not served(address_of(api, node_namespace, "shop"))()


def test_a_pod_that_drains_answers_until_it_ends_but_is_not_ready(
    node_cluster: NodeCluster, node_namespace: str
):
    with node_cluster.asking() as api:
        create(api, a_shop("shop", APP_DRAIN_SECONDS="600"), node_namespace)
        create(api, service("shop"), node_namespace)
        address = address_of(api, node_namespace, "shop")
        wait_until(served(address), PATIENCE_SECONDS)
        (pod,) = pods(api, node_namespace, "shop")
        of_pod = f"http://{pod.status.pod_ip}:8080"

        client.AppsV1Api(api).delete_namespaced_deployment("shop", node_namespace)
        wait_until(
            lambda: httpx.get(f"{of_pod}/health/ready").text == "draining\n", PATIENCE_SECONDS
        )
        answer = httpx.get(of_pod)
        wait_until(lambda: True not in endpoints(api, node_namespace, "shop"), PATIENCE_SECONDS)

        client.CoreV1Api(api).delete_namespaced_pod(
            pod.metadata.name, node_namespace, grace_period_seconds=0
        )

    assert (answer.text, answer.headers["Connection"]) == ("blue 1.0\n", "close")
    assert answer.headers["X-Bluegreen-Condition"] == "draining"


def test_a_pod_that_does_not_drain_is_gone_long_before_its_grace_is_over(
    node_cluster: NodeCluster, node_namespace: str
):
    with node_cluster.asking() as api:
        create(api, a_shop("shop", grace=3600), node_namespace)
        wait_until(lambda: readiness(api, node_namespace, "shop") == [True], PATIENCE_SECONDS)

        client.AppsV1Api(api).delete_namespaced_deployment("shop", node_namespace)

        wait_until(lambda: not pods(api, node_namespace, "shop"), PATIENCE_SECONDS)


def test_a_shell_in_a_pod_asks_a_service(node_cluster: NodeCluster, node_namespace: str):
    with node_cluster.asking() as api:
        create(api, a_shop("shop"), node_namespace)
        create(api, service("shop"), node_namespace)
        address = address_of(api, node_namespace, "shop")
        wait_until(served(address), PATIENCE_SECONDS)

        create(
            api, a_job("ask", f"wget -q -O /tmp/answer {address}; cat /tmp/answer"), node_namespace
        )
        wait_until(lambda: job_ended(api, node_namespace, "ask"), PATIENCE_SECONDS)

        (pod,) = pods(api, node_namespace, "ask")
        said = client.CoreV1Api(api).read_namespaced_pod_log(pod.metadata.name, node_namespace)
    assert said == "blue 1.0\n"
