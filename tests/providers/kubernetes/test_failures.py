"""What the user reads when the cluster says no, or nothing; and what a kill leaves behind."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.providers.kubernetes.conftest import PLUGIN, Program
from tools.cluster.processes import wait_until

WAIT_SECONDS = 120

SERVICE = """
    k8s.core.v1.Service(
        "web",
        metadata=meta("web", annotations=NO_AWAIT),
        spec={"selector": {"color": config.get("color") or "blue"}, "ports": [{"port": 80}]},
    )
"""

NEVER_READY = """
    deployment("web", node="nowhere", annotations={"pulumi.com/timeoutSeconds": "100"})
"""


@pytest.fixture
def nobody_there(cluster: Any, tmp_path: Path) -> Path:
    """The kubeconfig of the cluster, with an address where nothing listens."""
    text = re.sub(r"server: .*", "server: https://127.0.0.1:1", cluster.kubeconfig.read_text())
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    return path


def test_without_an_api_server_previews_work_and_updates_say_what_is_wrong(program, nobody_there):
    stack = program(SERVICE, kubeconfig=nobody_there)

    preview = stack.preview()
    result = stack.up()

    assert preview.plan == ["web"], preview
    assert not result.ok
    assert "configured Kubernetes cluster is unreachable" in result.text
    assert "127.0.0.1:1" in result.text
    assert "connection refused" in result.text
    assert "Traceback" not in result.text
    assert stack.resource("web") is None


def test_without_an_api_server_nothing_is_forgotten(program, core, namespace, nobody_there):
    stack = program(SERVICE)
    stack.put()
    stack.environment["KUBECONFIG"] = str(nobody_there)

    refreshed, destroyed = stack.refresh(), stack.destroy()

    assert not refreshed.ok
    assert not destroyed.ok
    assert "unreachable" in refreshed.text
    assert "unreachable" in destroyed.text
    assert stack.resource("web") is not None
    assert core.read_namespaced_service("web", namespace)


def test_an_object_goes_where_the_kubeconfig_says_also_while_nobody_answers(
    program, cluster, core, namespace, nobody_there
):
    may = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}
    kubeconfig = cluster.kubeconfig_for("writer", [may], namespace=namespace)
    stack = program(
        'k8s.core.v1.ConfigMap("flag", metadata={"name": "flag"})', kubeconfig=kubeconfig
    )

    result = stack.up()
    address = re.search("server: .*", nobody_there.read_text())[0]
    nobody_there.write_text(re.sub("server: .*", address, kubeconfig.read_text()))
    stack.environment["KUBECONFIG"] = str(nobody_there)
    preview = stack.preview()

    assert result.ok, result
    assert core.read_namespaced_config_map("flag", namespace)
    assert preview.ok, preview
    assert preview.plan == []


def test_a_kubeconfig_that_is_not_there_is_named(program, tmp_path):
    stack = program(SERVICE, kubeconfig=tmp_path / "missing")

    result = stack.up()

    assert not result.ok
    assert "configured Kubernetes cluster is unreachable" in result.text
    assert "Traceback" not in result.text


@pytest.mark.soak
def test_an_api_server_that_goes_away_while_waiting_loses_nothing(program, own_cluster, namespace):
    stack = program("""
        deployment("web", node="nowhere", annotations={"pulumi.com/timeoutSeconds": "15"})
    """)
    process = stack.start("up", "--yes", "--skip-preview")
    try:
        with own_cluster.asking() as api:
            apps = client.AppsV1Api(api)
            wait_until(lambda: bool(apps.list_namespaced_deployment(namespace).items), WAIT_SECONDS)
        own_cluster.stop_api_server()
        stdout, stderr = process.communicate(timeout=WAIT_SECONDS)
    finally:
        own_cluster.start_api_server()

    assert process.returncode != 0
    assert "'web' timed out waiting to be Ready" in stdout + stderr
    assert stack.resource("web")["id"] == f"{namespace}/web"


def test_a_missing_permission_is_told_by_verb_resource_and_user(program, cluster, namespace):
    may = {"apiGroups": [""], "resources": ["services"], "verbs": ["get", "create"]}
    kubeconfig = cluster.kubeconfig_for("deployer", [may], namespace=namespace)
    stack = program(SERVICE, kubeconfig=kubeconfig)
    stack.put()

    stack.configure("color", "green")
    result = stack.up()

    assert not result.ok
    assert 'User "deployer" cannot patch resource "services"' in result.text
    assert f'in the namespace "{namespace}"' in result.text


def test_a_namespace_that_is_going_takes_nothing_new(program, core, namespace):
    held = {"metadata": {"name": "held", "finalizers": ["bluegreen.test/x"]}}
    core.create_namespaced_config_map(namespace, held)
    core.delete_namespace(namespace)
    try:
        result = program(SERVICE).up()
    finally:
        change = {"metadata": {"finalizers": None}}
        core.patch_namespaced_config_map("held", namespace, change)

    assert not result.ok
    assert "because it is being terminated" in result.text


def test_a_quota_that_is_used_up_is_named(program, core, namespace):
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"services": "0"}}}
    core.create_namespaced_resource_quota(namespace, quota)
    wait_until(
        lambda: bool(core.read_namespaced_resource_quota("small", namespace).status.hard),
        WAIT_SECONDS,
    )
    stack = program(SERVICE)

    result = stack.run("up", "--yes", "--skip-preview")

    assert not result.ok
    assert "exceeded quota: small" in result.text
    assert core.list_namespaced_service(namespace).items == []


@pytest.mark.soak
def test_a_namespace_that_comes_a_little_later_is_waited_for(program, core, namespace):
    stack = program("""
        other = f"{namespace}-later"
        k8s.core.v1.ConfigMap("flag", metadata={"name": "flag", "namespace": other})
        # Takes its ten seconds.
        slow = k8s.core.v1.Service(
            "web", metadata=meta("web"), spec={"selector": {"app": "x"}, "ports": [{"port": 80}]}
        )
        options = pulumi.ResourceOptions(depends_on=[slow])
        k8s.core.v1.Namespace("other", metadata={"name": other}, opts=options)
    """)

    result = stack.up()

    assert result.ok, result
    assert core.read_namespaced_config_map("flag", f"{namespace}-later")
    assert stack.destroy().ok


def killed_while_it_waits(stack: Program, apps: client.AppsV1Api, namespace: str) -> None:
    """An update whose engine is killed once the Deployment is in the cluster."""
    process = stack.start("up", "--yes", "--skip-preview")
    wait_until(lambda: bool(apps.list_namespaced_deployment(namespace).items), WAIT_SECONDS)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=WAIT_SECONDS)


def plugins_of(stack: Program) -> Iterator[int]:
    """The plugins that an engine of this stack has started."""
    home = f"PULUMI_HOME={stack.environment['PULUMI_HOME']}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_plugin = PLUGIN.encode() in (folder / "cmdline").read_bytes()
            if is_plugin and home in (folder / "environ").read_bytes():
                yield int(folder.name)


def test_a_plugin_ends_with_a_killed_engine(program, apps, namespace):
    stack = program(NEVER_READY)

    killed_while_it_waits(stack, apps, namespace)

    wait_until(lambda: list(plugins_of(stack)) == [], WAIT_SECONDS)


def test_after_a_kill_what_was_made_is_known_only_to_the_cluster(program, apps, namespace):
    stack = program(NEVER_READY)
    killed_while_it_waits(stack, apps, namespace)
    assert stack.run("cancel", "--yes").ok

    result = stack.up()

    assert not result.ok
    assert 'deployments.apps "web" already exists' in result.text


def test_after_a_kill_a_provider_that_may_take_over_goes_on(program, apps, namespace):
    # The name of the field manager, else made up, is lost with the engine: what the lost one owns
    # would stay, and be in the way of every later change.
    source = """
        own = {"pulumi.com/patchFieldManager": "shop", "pulumi.com/timeoutSeconds": "100"}
        deployment("web", node=config.get("node") or "", annotations=own)
    """
    stack = program(source)
    stack.environment["PULUMI_K8S_UPSERT_EXISTING_OBJECTS"] = "true"
    stack.configure("node", "nowhere")
    killed_while_it_waits(stack, apps, namespace)
    before = apps.read_namespaced_deployment("web", namespace)
    assert stack.run("cancel", "--yes").ok

    stack.configure("node", None)
    result = stack.up()

    assert result.ok, result
    after = apps.read_namespaced_deployment("web", namespace)
    assert after.metadata.uid == before.metadata.uid
    assert after.spec.template.spec.node_selector is None
    assert after.status.ready_replicas == 1
