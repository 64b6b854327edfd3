"""Users that a test makes: they may do what the test says and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kubernetes import client, config

from tools.cluster.cluster import Cluster

READ = {"apiGroups": [""], "resources": ["configmaps", "pods/log"], "verbs": ["get", "list"]}
WRITE = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "delete"]}
NAMED = {
    "apiGroups": ["apps"],
    "resources": ["deployments"],
    "resourceNames": ["shop"],
    "verbs": ["get"],
}


def status_of(ask: Callable[[], object]) -> int:
    """What the API server answers."""
    try:
        ask()
    except client.ApiException as error:
        return int(error.status or 0)
    return 200


def asks(kubeconfig: Path, namespace: str) -> dict[str, int]:
    """What the user of the kubeconfig is answered."""
    with config.new_client_from_config(str(kubeconfig)) as api:
        core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="made"))
        return {
            "list": status_of(lambda: core.list_namespaced_config_map(namespace)),
            "list elsewhere": status_of(lambda: core.list_namespaced_config_map("default")),
            "list pods": status_of(lambda: core.list_namespaced_pod(namespace)),
            "create": status_of(lambda: core.create_namespaced_config_map(namespace, body)),
            "get shop": status_of(lambda: apps.read_namespaced_deployment("shop", namespace)),
            "get other": status_of(lambda: apps.read_namespaced_deployment("other", namespace)),
        }


def test_a_user_may_do_what_the_rules_say_and_nothing_else(cluster: Cluster, namespace: str):
    kubeconfig = cluster.kubeconfig_for("reader", [READ, NAMED], namespace=namespace)

    assert asks(kubeconfig, namespace) == {
        "list": 200,
        "list elsewhere": 403,
        "list pods": 403,
        "create": 403,
        # Allowed: there just is no such deployment.
        "get shop": 404,
        "get other": 403,
    }


def test_rules_that_are_given_again_replace_those_from_before(cluster: Cluster, namespace: str):
    first = cluster.kubeconfig_for("writer", [READ], namespace=namespace)
    before = asks(first, namespace)

    second = cluster.kubeconfig_for("writer", [WRITE], namespace=namespace)

    assert second == first
    after = asks(first, namespace)
    assert (before["list"], before["create"]) == (200, 403)
    assert (after["list"], after["create"]) == (403, 200)


def test_the_user_is_known_by_its_name(cluster: Cluster, namespace: str):
    kubeconfig = cluster.kubeconfig_for("deployer", [], namespace=namespace)

    with (
        config.new_client_from_config(str(kubeconfig)) as api,
        pytest.raises(client.ApiException) as refused,
    ):
        client.CoreV1Api(api).list_namespaced_secret(namespace)

    assert 'User \\"deployer\\" cannot list resource \\"secrets\\"' in str(refused.value.body)
