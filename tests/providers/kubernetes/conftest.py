"""Small programs of raw Kubernetes resources, on the real engine and a real API server.

Everything here passes with the official plugin, too, when that one is on PATH.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from kubernetes import client, config

from tests.engine.pulumi_stack import ENGINE, PulumiStack

PLUGIN = "pulumi-resource-kubernetes"

# What every program starts with.
PRELUDE = """\
import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
namespace = config.require("namespace")
NO_AWAIT = {"pulumi.com/skipAwait": "true"}


def meta(name=None, **rest):
    named = {"name": name} if name else {}
    return {"namespace": namespace, **named, **rest}


def deployment(name, replicas=1, node="", annotations=None, opts=None, labels=None):
    labels = labels or {"app": name}
    container = {"name": "web", "image": "local/shop:1", "imagePullPolicy": "Never"}
    pod = {"containers": [container], **({"nodeSelector": {"kind": node}} if node else {})}
    return k8s.apps.v1.Deployment(
        name,
        metadata=meta(name, annotations=annotations or {}),
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        opts=opts,
    )
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if (ENGINE / "pulumi").exists() or shutil.which("pulumi") is not None:
        return
    for item in items:
        if "tests/providers" in str(item.path):
            item.add_marker(pytest.mark.skip(reason="no Pulumi engine; `make setup` makes one"))


class Program(PulumiStack):
    """A stack whose program is a text."""

    def write(self, source: str) -> None:
        """Replaces the program."""
        text = PRELUDE + dedent(source)
        (self.directory / "program" / "__main__.py").write_text(text)

    def put(self) -> None:
        """An update that is no question here; without its preview, which takes as long again."""
        result = self.run("up", "--yes", "--skip-preview")
        assert result.ok, result

    def resource(self, name: str) -> Any:
        """What the state says about one resource; None if nothing."""
        found = [entry for entry in self.resources() if entry["urn"].endswith(f"::{name}")]
        return found[0] if found else None


@pytest.fixture
def program(cluster: Any, namespace: str) -> Iterator[Callable[..., Program]]:
    """Makes stacks from the text of a program; each has the cluster in its environment."""
    with ExitStack() as folders:

        def make(source: str, kubeconfig: Path | None = None) -> Program:
            directory = tempfile.TemporaryDirectory(prefix="bg-", ignore_cleanup_errors=True)
            path = Path(folders.enter_context(directory))
            (path / "program").mkdir()
            stack = Program(path, main=path / "program")
            stack.environment["KUBECONFIG"] = str(kubeconfig or cluster.kubeconfig)
            stack.configure("namespace", namespace)
            stack.write(source)
            return stack

        yield make


@pytest.fixture
def api(cluster: Any) -> Iterator[client.ApiClient]:
    """Somebody else at the same cluster, with all rights."""
    with config.new_client_from_config(str(cluster.kubeconfig)) as connection:
        yield connection
        connection.rest_client.pool_manager.clear()


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: client.ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(api)


@pytest.fixture
def is_stand_in() -> bool:
    """Whether the plugin is ours."""
    return shutil.which(PLUGIN) is None


def interrupt(pid: int) -> None:
    """Ctrl-C."""
    os.killpg(pid, signal.SIGINT)
