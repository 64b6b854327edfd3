"""A drill on a copy of a stack that is not on this machine: real traffic, and nothing is left."""

import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bluegreen.load import BackgroundLoad, LoadPlan
from tests.engine.aws_driver import AwsDriver
from tests.engine.command import Typed, typed
from tests.engine.drilled import assert_drilled
from tests.engine.front_door import front_door
from tests.engine.kubernetes_driver import KubernetesDriver, http_route_driver, service_driver
from tests.engine.kwok_driver import kwok_driver
from tests.engine.pulumi_stack import REPOSITORY
from tests.engine.stack_driver import StackDriver
from tools.cluster.cluster import Cluster
from tools.cluster.node_cluster import NodeCluster

COPY = re.compile(r"drill-[0-9a-f]{6}")
GONE_SECONDS = 30


def deployed(driver: StackDriver) -> None:
    """Blue 1.0 is live, green 1.1 idle."""
    driver.configure("active_color", "blue")
    driver.configure("blue", {"release": "1.0", "replicas": 1})
    driver.configure("green", {"release": "1.1", "replicas": 1})
    driver.arrange()


def drilled_beside(driver: StackDriver, url: str, *words: str) -> Typed:
    """Runs a drill while the service itself has requests, which notice nothing of it."""
    config, state = driver.stack.config_file.read_text(), driver.stack.resources()
    plan = LoadPlan(url=f"{url}/version", rate=20, seconds=170, fresh_share=0.5)
    with BackgroundLoad(plan) as load:
        done = typed(driver.stack, "drill", "--path", "/version", "--rate", "50", "--json", *words)
        recording = load.stop()

    print(done.stdout, f"the service itself: {len(recording)} requests, {recording.by_color()}")
    assert recording.failed() == 0
    assert set(recording.by_color()) == {"blue"}
    assert driver.stack.config_file.read_text() == config
    assert driver.stack.resources() == state
    assert "drill-" not in driver.stack.run("stack", "ls", "--json").stdout
    return done


def account(driver: AwsDriver) -> dict[str, Any]:
    """What there is that a service is made of, by what AWS itself calls it."""
    logs, ssm, ec2 = (driver.cloud.client(name) for name in ("logs", "ssm", "ec2"))
    listeners = driver.elb.describe_listeners(LoadBalancerArn=driver.balancer)["Listeners"]
    groups = driver.elb.describe_target_groups()["TargetGroups"]
    return {
        "listeners": {each["ListenerArn"]: each["DefaultActions"] for each in listeners},
        "rules": [
            rule["RuleArn"]
            for each in listeners
            for rule in driver.elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"]
        ],
        "target groups": [each["TargetGroupArn"] for each in groups],
        "fleets": {
            each["AutoScalingGroupName"]: [one["InstanceId"] for one in each["Instances"]]
            for each in driver.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        },
        "templates": [
            each["LaunchTemplateId"] for each in ec2.describe_launch_templates()["LaunchTemplates"]
        ],
        "security groups": [
            each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]
        ],
        "logs": [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]],
        "flags": [each["Name"] for each in ssm.describe_parameters()["Parameters"]],
    }


@pytest.mark.alone
@pytest.mark.soak
def test_a_drill_on_aws_has_listeners_of_its_own_and_leaves_nothing(aws: AwsDriver):
    deployed(aws)
    aws.configure("service.windows", {"freeze": [{"first": "2001-01-01", "last": "2101-01-01"}]})
    before, events = account(aws), aws.events()

    done = drilled_beside(aws, aws.url("production"))

    assert_drilled(done)
    assert account(aws) == before
    assert aws.events() == events


def objects(driver: KubernetesDriver) -> dict[str, set[str]]:
    """The names of what a service is made of in its namespace."""
    names = driver.names
    paths = {
        "pods": names.core("pods"),
        "services": names.core("services"),
        "config maps": names.core("configmaps"),
        "secrets": names.core("secrets"),
        "deployments": names.group("apps/v1", "deployments"),
        "budgets": names.group("policy/v1", "poddisruptionbudgets"),
        "endpoints": names.group("discovery.k8s.io/v1", "endpointslices"),
    }
    return {
        kind: {each["metadata"]["name"] for each in driver.api.items(path)}
        for kind, path in paths.items()
    }


@pytest.mark.alone
@pytest.mark.soak
def test_a_drill_on_kubernetes_has_a_service_of_its_own_and_leaves_nothing(
    node_cluster: NodeCluster,
):
    with service_driver(node_cluster) as driver, front_door(partial(copy_of, driver)) as port:
        drill_and_compare(driver, f"http://127.0.0.1:{port}")


@pytest.mark.alone
@pytest.mark.soak
def test_a_drill_behind_a_gateway_has_a_host_of_its_own_and_leaves_nothing(
    node_cluster: NodeCluster,
):
    with http_route_driver(node_cluster) as driver:
        # Of the same Gateway: the service itself is asked by address.
        drill_and_compare(driver, driver.production_url.replace("127.0.0.1", "localhost"))


WITH_SETTINGS = f"""
import runpy
import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

runpy.run_path({str(REPOSITORY / "stacks" / "__main__.py")!r}, run_name="__main__")
namespace = pulumi.Config().require_object("service")["kubernetes"]["namespace"]
ConfigMap("settings", metadata={{"name": "settings", "namespace": namespace}}, data={{"a": "b"}})
"""


def test_what_has_a_name_of_its_own_is_neither_taken_over_nor_removed(
    cluster: Cluster, tmp_path: Path
):
    (tmp_path / "__main__.py").write_text(WITH_SETTINGS)
    with kwok_driver(cluster, main=tmp_path) as driver:
        deployed(driver)
        before = objects(driver)

        done = typed(driver.stack, "drill", "--url", "http://127.0.0.1:9")

        assert done.exit_code == 1, done
        named = f"kubernetes:core/v1:ConfigMap {driver.names.namespace}/settings"
        assert f"under names that test has already: {named}; nothing was made" in done.stderr
        assert objects(driver) == before
        assert "drill-" not in driver.stack.run("stack", "ls", "--json").stdout


def copy_of(driver: KubernetesDriver) -> tuple[str, int] | None:
    """Where production of the copy is: the ClusterIP of its Service, which stays."""
    services = driver.api.items(driver.names.core("services"))
    found = [each for each in services if COPY.fullmatch(each["metadata"]["name"])]
    return (found[0]["spec"]["clusterIP"], 80) if found else None


def drill_and_compare(driver: KubernetesDriver, url: str) -> None:
    """A drill that is asked at an address of its own."""
    deployed(driver)
    before, written = objects(driver), driver.router()
    assert written is not None

    done = drilled_beside(driver, driver.production_url, "--url", url)

    assert_drilled(done)
    end = time.monotonic() + GONE_SECONDS
    while objects(driver) != before and time.monotonic() < end:
        # Pods take their time to end.
        time.sleep(0.5)
    assert objects(driver) == before
    now = driver.router()
    assert now is not None
    assert (now["metadata"]["uid"], now["spec"]) == (written["metadata"]["uid"], written["spec"])
