"""Objects of the Gateway API, whose kinds the cluster must be taught first."""

import pytest
from kubernetes import client

from tools.cluster.processes import wait_until

GROUP = "gateway.networking.k8s.io"
WAIT_SECONDS = 60

ROUTE = """
    share = config.get_int("green") or 0
    k8s.apiextensions.CustomResource(
        "web",
        api_version="gateway.networking.k8s.io/v1",
        kind="HTTPRoute",
        metadata=meta("web"),
        spec={
            "hostnames": ["shop.test"],
            "rules": [{"backendRefs": [
                {"name": "web-blue", "port": 80, "weight": 100 - share},
                {"name": "web-green", "port": 80, "weight": share},
            ]}],
        },
    )
"""


def definition(plural: str, kind: str) -> dict[str, object]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test's minimal schema"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


@pytest.fixture
def routes(api: client.ApiClient) -> client.CustomObjectsApi:
    """A cluster that knows HTTPRoutes."""
    definitions = client.ApiextensionsV1Api(api)
    name = f"httproutes.{GROUP}"
    if name not in [found.metadata.name for found in known(definitions)]:
        definitions.create_custom_resource_definition(definition("httproutes", "HTTPRoute"))
    wait_until(lambda: is_established(definitions, name), WAIT_SECONDS)
    return client.CustomObjectsApi(api)


def known(definitions: client.ApiextensionsV1Api) -> list[client.V1CustomResourceDefinition]:
    return definitions.list_custom_resource_definition().items


def is_established(definitions: client.ApiextensionsV1Api, name: str) -> bool:
    found = definitions.read_custom_resource_definition(name)
    conditions = (found.status and found.status.conditions) or []
    return any(each.type == "Established" and each.status == "True" for each in conditions)


def weights(routes: client.CustomObjectsApi, namespace: str) -> list[int]:
    live = routes.get_namespaced_custom_object(GROUP, "v1", namespace, "httproutes", "web")
    return [each["weight"] for each in live["spec"]["rules"][0]["backendRefs"]]


def test_a_route_is_made_changed_in_place_and_deleted(program, routes, namespace):
    stack = program(ROUTE)
    assert stack.up().ok
    assert weights(routes, namespace) == [100, 0]

    stack.configure("green", 10)
    result = stack.up()

    assert [(step.name, step.op) for step in result.steps] == [("web", "update")], result
    assert weights(routes, namespace) == [90, 10]
    assert stack.up().steps == ()
    assert stack.destroy().ok
    left = routes.list_namespaced_custom_object(GROUP, "v1", namespace, "httproutes")
    assert left["items"] == []


def test_weights_that_somebody_else_has_set_are_not_taken_back(program, routes, namespace):
    stack = program(ROUTE)
    assert stack.up().ok
    stack.configure("green", 10)
    assert stack.up().ok
    live = routes.get_namespaced_custom_object(GROUP, "v1", namespace, "httproutes", "web")
    live["spec"]["rules"][0]["backendRefs"][1]["weight"] = 50
    routes.replace_namespaced_custom_object(
        GROUP, "v1", namespace, "httproutes", "web", live, field_manager="flagger"
    )

    stack.configure("green", 20)
    result = stack.up()

    assert not result.ok
    assert 'conflict with "flagger"' in result.text
    assert weights(routes, namespace) == [90, 50]


@pytest.mark.soak
def test_a_kind_that_the_cluster_does_not_know_yet_is_previewed_and_then_refused(program, api):
    if f"gateways.{GROUP}" in [
        each.metadata.name for each in known(client.ApiextensionsV1Api(api))
    ]:
        pytest.skip("the cluster knows Gateways")
    stack = program("""
        k8s.apiextensions.CustomResource(
            "web",
            api_version="gateway.networking.k8s.io/v1",
            kind="Gateway",
            metadata=meta("web"),
            spec={"gatewayClassName": "none"},
        )
    """)

    preview = stack.preview()
    result = stack.up()

    assert preview.plan == ["web"], preview
    assert not result.ok
    assert "Verify that any required CRDs have been created" in result.text
    assert 'no matches for kind "Gateway"' in result.text
