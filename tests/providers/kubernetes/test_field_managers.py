"""Who owns which field, and what happens where two want the same."""

import pytest
from kubernetes import client

# Minutes, and the platform's own tests show what of it matters to them.
pytestmark = pytest.mark.soak

SERVICE = """
    k8s.core.v1.Service(
        "web",
        metadata=meta(
            "web",
            annotations={
                **NO_AWAIT, **({"pulumi.com/patchForce": "true"} if config.get("force") else {})
            },
        ),
        spec={"selector": {"color": config.get("color") or "blue"}, "ports": [{"port": 80}]},
    )
"""


@pytest.fixture
def service(program):
    """A Service that has been created and updated, as any but the newest has."""
    stack = program(SERVICE)
    stack.configure("color", "grey")
    stack.put()
    stack.configure("color", "blue")
    stack.put()
    return stack


def managers(live) -> set[tuple[str, str]]:
    return {(entry.manager, entry.operation) for entry in live.metadata.managed_fields}


def take_selector(core: client.CoreV1Api, namespace: str, manager: str) -> None:
    """Somebody points production at green."""
    change = {"spec": {"selector": {"color": "green"}}}
    core.patch_namespaced_service("web", namespace, change, field_manager=manager)


def test_an_object_belongs_to_a_manager_of_its_own_that_stays(service, core, namespace):
    manager = service.resource("web")["outputs"]["__fieldManager"]
    assert manager.startswith("pulumi-kubernetes-")

    service.configure("color", "green")
    service.put()

    assert service.resource("web")["outputs"]["__fieldManager"] == manager
    assert managers(core.read_namespaced_service("web", namespace)) == {(manager, "Apply")}


def test_a_manager_can_be_named_and_the_one_from_before_lets_go(service, core, namespace):
    service.write(
        SERVICE.replace("**NO_AWAIT", '**NO_AWAIT, "pulumi.com/patchFieldManager": "shop"')
    )

    result = service.up()

    assert result.ok, result
    live = core.read_namespaced_service("web", namespace)
    assert managers(live) == {("shop", "Apply")}
    assert live.spec.selector == {"color": "blue"}


def test_a_field_that_somebody_else_has_taken_is_not_taken_back(service, core, namespace):
    take_selector(core, namespace, "argocd-controller")
    service.configure("color", "red")

    result = service.up()

    assert not result.ok
    assert 'conflict with "argocd-controller"' in result.text
    assert ".spec.selector" in result.text
    assert core.read_namespaced_service("web", namespace).spec.selector == {"color": "green"}


def test_a_conflict_is_told_by_the_preview(service, core, namespace):
    take_selector(core, namespace, "argocd-controller")
    service.configure("color", "red")

    result = service.preview()

    assert not result.ok
    assert 'conflict with "argocd-controller"' in result.text


def test_a_conflict_is_met_again_at_the_next_update(service, core, namespace):
    take_selector(core, namespace, "argocd-controller")
    service.configure("color", "red")
    assert not service.up().ok

    again = service.up()

    assert not again.ok
    assert 'conflict with "argocd-controller"' in again.text


def test_the_annotation_patch_force_takes_the_field(service, core, namespace):
    take_selector(core, namespace, "argocd-controller")
    service.configure("color", "red")
    service.configure("force", "true")

    result = service.up()

    assert result.ok, result
    live = core.read_namespaced_service("web", namespace)
    assert live.spec.selector == {"color": "red"}
    assert all(manager.startswith("pulumi-kubernetes-") for manager, _ in managers(live))


def test_what_kubectl_changed_is_refused_by_the_preview_and_taken_back_without_one(
    service, core, namespace
):
    take_selector(core, namespace, "kubectl-patch")
    service.configure("color", "red")

    preview = service.preview()
    result = service.run("up", "--yes", "--skip-preview")

    assert not preview.ok
    assert 'conflict with "kubectl-patch"' in preview.text
    assert result.ok, result
    assert core.read_namespaced_service("web", namespace).spec.selector == {"color": "red"}


def test_what_others_add_stays(service, core, namespace):
    change = {"metadata": {"labels": {"team": "shop"}}}
    core.patch_namespaced_service("web", namespace, change, field_manager="argocd-controller")

    service.configure("color", "green")
    result = service.up()

    assert result.ok, result
    live = core.read_namespaced_service("web", namespace)
    assert live.metadata.labels == {"team": "shop"}
    assert live.spec.selector == {"color": "green"}


REPLICAS = """
    labels = {"app": "web"}
    pod = {"containers": [{"name": "web", "image": "local/shop:1"}]}
    k8s.apps.v1.Deployment(
        "web",
        metadata=meta("web", annotations=NO_AWAIT),
        spec={
            **({} if config.get("handed_over") else {"replicas": 3}),
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"x": config.get("x") or "1"}},
                "spec": pod,
            },
        },
        opts=pulumi.ResourceOptions(
            ignore_changes=["spec.replicas"] if config.get("ignored") else []
        ),
    )
"""


def scale(apps: client.AppsV1Api, namespace: str, replicas: int) -> None:
    """As an autoscaler does it."""
    change = {"spec": {"replicas": replicas}}
    apps.patch_namespaced_deployment_scale("web", namespace, change, field_manager="autoscaler")


def test_ignored_replicas_are_left_to_who_manages_them(program, apps, namespace):
    stack = program(REPLICAS)
    stack.configure("ignored", "true")
    stack.put()
    scale(apps, namespace, 7)

    stack.configure("x", "2")
    result = stack.up()

    assert result.ok, result
    live = apps.read_namespaced_deployment("web", namespace)
    assert live.spec.template.metadata.annotations == {"x": "2"}
    assert live.spec.replicas == 7


def test_replicas_that_only_the_program_managed_fall_back_to_one_when_it_lets_them_go(
    program, apps, namespace
):
    stack = program(REPLICAS)
    stack.put()
    stack.configure("x", "2")
    stack.put()
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 3

    stack.configure("handed_over", "true")
    result = stack.up()

    assert result.ok, result
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 1


def test_what_exists_already_is_not_taken_over(program, core, namespace):
    body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 8080}]}}
    core.create_namespaced_service(namespace, body)
    stack = program(SERVICE)

    result = stack.up()

    assert not result.ok
    assert 'services "web" already exists' in result.text
    assert core.read_namespaced_service("web", namespace).spec.ports[0].port == 8080
    assert stack.resource("web") is None


def test_what_exists_already_is_taken_over_by_a_provider_that_may(program, core, namespace):
    body = {"metadata": {"name": "web"}, "data": {"color": "grey"}}
    made = core.create_namespaced_config_map(namespace, body, field_manager="argocd-controller")
    stack = program("""
        provider = k8s.Provider("cluster", upsert_existing_objects=True)
        k8s.core.v1.ConfigMap(
            "web",
            metadata=meta("web", annotations={"pulumi.com/patchForce": "true"}),
            data={"color": "blue"},
            opts=pulumi.ResourceOptions(provider=provider),
        )
    """)

    result = stack.up()

    assert result.ok, result
    live = core.read_namespaced_config_map("web", namespace)
    assert live.data == {"color": "blue"}
    assert live.metadata.uid == made.metadata.uid
