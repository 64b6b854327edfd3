"""The library's own stack for Kubernetes, as it is in the repository."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import REPOSITORY
from tests.engine.kubernetes_driver import with_provider
from tests.engine.pulumi_stack import ENGINE, PulumiStack
from tools.cluster.cluster import Cluster

pytestmark = pytest.mark.skipif(
    not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None,
    reason="no Pulumi engine; `make setup` makes one",
)

STACKS = REPOSITORY / "stacks"
NAME = "kubernetes"


@pytest.fixture
def stack(cluster: Cluster, directory: Path) -> PulumiStack:
    stack = PulumiStack(directory, main=STACKS, name=NAME, project="bluegreen")
    with_provider(stack.environment)
    stack.environment["KUBECONFIG"] = str(cluster.kubeconfig)
    config = yaml.safe_load((STACKS / f"Pulumi.{NAME}.yaml").read_text())["config"]
    for key, value in config.items():
        stack.configure_in(*key.split(":"), value)
    return stack


def test_the_stack_for_kubernetes_is_previewed_as_it_is(stack: PulumiStack):
    result = stack.preview()

    assert result.ok, result
    assert {step.op for step in result.planned} == {"create"}
    made = [f"shop-{color}{part}" for color in ("blue", "green") for part in ("", "-members")]
    assert {*made, "shop-route", "shop-flag", "shop-test"} <= set(result.plan)
    assert "gates of blue 6.7.0, asked after its fleet is changed: " in result.text
    # At most one warning, of the engine: where the provider comes from.
    warnings = [line for line in result.text.splitlines() if "warning:" in line]
    assert [line for line in warnings if "pulumi-resource-kubernetes from $PATH" not in line] == []
