"""What an update waits for, and what it leaves behind when the wait is in vain."""

import subprocess
from typing import Any

import pytest
from kubernetes import client

from tests.providers.kubernetes.conftest import interrupt
from tools.cluster.processes import wait_until

# Our own components wait for nothing through the provider.
pytestmark = pytest.mark.soak
WAIT_SECONDS = 120

# No node is of that kind, so its pods wait for ever.
NOWHERE = "nowhere"

DEPLOYMENT = """
    deployment(
        "web",
        replicas=2,
        node=config.get("node") or "",
        annotations={"pulumi.com/timeoutSeconds": config.get("timeout") or "100"},
    )
"""


def test_a_deployment_is_waited_for_until_its_pods_are_ready(program, apps, namespace):
    stack = program(DEPLOYMENT)

    result = stack.up()

    assert result.ok, result
    assert apps.read_namespaced_deployment("web", namespace).status.ready_replicas == 2
    assert stack.resource("web")["outputs"]["status"]["readyReplicas"] == 2


def test_a_new_release_is_waited_for_too(program, apps, namespace):
    stack = program("""
        labels = {"app": "web"}
        container = {"name": "web", "image": f"local/shop:{config.require('release')}"}
        k8s.apps.v1.Deployment(
            "web",
            metadata=meta("web"),
            spec={
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        )
    """)
    stack.configure("release", "1.0")
    stack.put()

    stack.configure("release", "1.1")
    result = stack.up()

    assert result.ok, result
    live = apps.read_namespaced_deployment("web", namespace)
    assert live.status.observed_generation == live.metadata.generation
    assert live.status.updated_replicas == 2
    assert stack.resource("web")["outputs"]["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "2"
    }


def test_a_deployment_that_never_gets_ready_fails_and_is_in_the_state(program, apps, namespace):
    stack = program(DEPLOYMENT)
    stack.configure("node", NOWHERE)
    stack.configure("timeout", "3")

    result = stack.up()

    assert not result.ok
    assert "'web' timed out waiting to be Ready" in result.text
    assert "Minimum number of live Pods was not attained" in result.text
    assert apps.read_namespaced_deployment("web", namespace)
    left = stack.resource("web")
    assert left["id"] == f"{namespace}/web"
    assert any("timed out" in line for line in left["initErrors"])


def test_the_next_update_waits_again_and_passes_once_it_can(program, apps, namespace):
    stack = program(DEPLOYMENT)
    stack.configure("node", NOWHERE)
    stack.configure("timeout", "3")
    assert not stack.up().ok

    again = stack.up()
    stack.configure("node", None)
    stack.configure("timeout", "100")
    result = stack.up()

    assert not again.ok
    assert "timed out waiting to be Ready" in again.text
    assert result.ok, result
    assert "initErrors" not in stack.resource("web")
    assert apps.read_namespaced_deployment("web", namespace).status.ready_replicas == 2


def test_an_update_that_never_gets_ready_fails_and_is_in_the_state(program, apps, namespace):
    stack = program(DEPLOYMENT)
    stack.put()

    stack.configure("node", NOWHERE)
    stack.configure("timeout", "3")
    result = stack.up()

    assert not result.ok
    assert "failed to fully initialize or become live" in result.text
    inputs = stack.resource("web")["outputs"]["__inputs"]
    assert inputs["spec"]["template"]["spec"]["nodeSelector"] == {"kind": NOWHERE}
    # What served before still does.
    assert apps.read_namespaced_deployment("web", namespace).status.ready_replicas == 2


def test_custom_timeouts_go_before_the_annotation(program):
    stack = program("""
        options = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="3s"))
        deployment(
            "web", node="nowhere", annotations={"pulumi.com/timeoutSeconds": "500"}, opts=options
        )
    """)

    result = stack.up()

    assert not result.ok
    assert "'web' timed out waiting to be Ready" in result.text


def test_with_skip_await_nothing_is_waited_for(program, apps, namespace):
    stack = program("""
        deployment("web", node="nowhere", annotations=NO_AWAIT)
        k8s.core.v1.Service(
            "web-service",
            metadata=meta("web", annotations=NO_AWAIT),
            spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
        )
    """)

    result = stack.up()

    assert result.ok, result
    assert apps.read_namespaced_deployment("web", namespace).status.ready_replicas is None


def test_refresh_tells_that_a_deployment_is_not_ready(program, apps, namespace):
    stack = program(DEPLOYMENT)
    stack.put()
    body = {"spec": {"template": {"spec": {"nodeSelector": {"kind": NOWHERE}}}}}
    apps.patch_namespaced_deployment("web", namespace, body, field_manager="kubectl-edit")
    wait_until(lambda: _seen(apps, namespace), WAIT_SECONDS)

    stack.refresh()

    assert stack.resource("web")["initErrors"]


def _seen(apps: client.AppsV1Api, namespace: str) -> bool:
    live: Any = apps.read_namespaced_deployment("web", namespace)
    is_new = live.metadata.annotations["deployment.kubernetes.io/revision"] == "2"
    return bool(is_new and live.status.unavailable_replicas)


def test_a_service_takes_ten_seconds_and_is_content_with_no_pods_at_all(program):
    stack = program("""
        k8s.core.v1.Service(
            "web",
            metadata=meta("web"),
            spec={"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        )
    """)

    result = stack.up()

    assert result.ok, result
    assert result.seconds > 10


def test_a_job_is_waited_for_until_it_is_done(program, api, namespace):
    stack = program("""
        container = {"name": "web", "image": "local/shop:1"}
        k8s.batch.v1.Job(
            "once",
            metadata=meta("once"),
            spec={"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
        )
    """)

    result = stack.up()

    assert result.ok, result
    assert client.BatchV1Api(api).read_namespaced_job("once", namespace).status.succeeded == 1


def test_an_object_that_is_held_back_from_its_deletion_is_not_forgotten(program, core, namespace):
    stack = program("""
        options = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="3s"))
        held = meta("web", finalizers=["bluegreen.test/x"])
        k8s.core.v1.ConfigMap("web", metadata=held, opts=options)
    """)
    stack.put()

    result = stack.destroy()
    left = stack.resource("web")
    core.patch_namespaced_config_map("web", namespace, {"metadata": {"finalizers": None}})
    again = stack.destroy()

    assert not result.ok
    assert left is not None
    assert again.ok, again
    assert stack.resources() == []


def test_ctrl_c_ends_the_wait_and_keeps_what_was_made(program, apps, namespace):
    stack = program(DEPLOYMENT)
    stack.configure("node", NOWHERE)
    process = stack.start("up", "--yes", "--skip-preview")
    try:
        wait_until(lambda: bool(apps.list_namespaced_deployment(namespace).items), WAIT_SECONDS)
        interrupt(process.pid)
        stdout, stderr = process.communicate(timeout=WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise

    assert process.returncode != 0
    assert "Traceback" not in stdout + stderr
    assert stack.resource("web")["id"] == f"{namespace}/web"
