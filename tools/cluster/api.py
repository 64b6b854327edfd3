"""What is asked of an API server here, by the official client."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config, utils

from tools.cluster.errors import ClusterError
from tools.cluster.network import Network
from tools.cluster.processes import wait_until

__all__ = ["apply_definitions", "asking", "can_run_pods", "create", "nodes_ready"]

DEFINITION_SECONDS = 30.0


@contextmanager
def asking(kubeconfig: Path, network: Network) -> Iterator[client.ApiClient]:
    """A client, with the calling thread where it reaches the API server."""
    with network.entered(), config.new_client_from_config(str(kubeconfig)) as api:
        yield api


def create(api: client.ApiClient, body: Mapping[str, Any], namespace: str = "default") -> None:
    """Creates an object of any kind that the client knows."""
    utils.create_from_dict(api, dict(body), namespace=namespace)


def can_run_pods(api: client.ApiClient, namespace: str) -> bool:
    """Whether pods can be made in the namespace: they run as its default service account."""
    try:
        client.CoreV1Api(api).read_namespaced_service_account("default", namespace)
    except client.ApiException as error:
        if error.status in (403, 404):
            return False
        raise
    return True


def nodes_ready(api: client.ApiClient) -> int:
    """How many nodes are ready to be given pods."""
    nodes = client.CoreV1Api(api).list_node().items
    return sum(_is(node, "Ready") and not (node.spec and node.spec.taints) for node in nodes)


def apply_definitions(api: client.ApiClient, folder: Path) -> None:
    """Creates the custom resource definitions in a folder, and waits until they are served.

    One that is there already is left as it is.

    Raises:
        ClusterError: The API server does not take one, or does not serve it.
    """
    for file in sorted(folder.glob("*.yaml")):
        try:
            utils.create_from_yaml(api, str(file))
        except utils.FailToCreateError as error:
            reasons = [json.loads(each.body) for each in error.api_exceptions]
            refused = [each["message"] for each in reasons if each["reason"] != "AlreadyExists"]
            if refused:
                msg = f"{file} was refused: {'; '.join(refused)}"
                raise ClusterError(msg) from error
        except yaml.YAMLError as error:
            msg = f"{file} is not YAML: {' '.join(str(error).split())}"
            raise ClusterError(msg) from error
    try:
        wait_until(lambda: _all_established(api), DEFINITION_SECONDS)
    except TimeoutError as error:
        msg = f"not every definition in {folder} is served after {DEFINITION_SECONDS:.0f} s"
        raise ClusterError(msg) from error


def _all_established(api: client.ApiClient) -> bool:
    found = client.ApiextensionsV1Api(api).list_custom_resource_definition().items
    return all(_is(definition, "Established") for definition in found)


def _is(thing: client.V1Node | client.V1CustomResourceDefinition, condition: str) -> bool:
    conditions = (thing.status and thing.status.conditions) or ()
    return any(each.type == condition and each.status == "True" for each in conditions)
