"""What `pulumi up` says to mistakes in what is Kubernetes' own, each typed in full."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.kwok_driver import KwokDriver, kwok_driver
from tests.engine.pulumi_stack import Result
from tests.engine.test_bad_input import (
    PARTS,
    TEXT,
    Case,
    bad,
    diagnostics_of,
    no,
    program_said,
    to_remove,
    to_set,
    wrong,
)
from tools.cluster.cluster import Cluster

KUBERNETES = "service.kubernetes"
LABEL = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
NAME = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
VARIABLE = "is not a name of a variable on Kubernetes ([A-Za-z_][A-Za-z0-9_.-]*)"
NO_IMAGE = "'REGISTRY/NAME:{release}'"
SECRET = "hunter2-visibly-fake"


def key(name: str) -> str:
    return f"{KUBERNETES}.{name}"


def wrong_text(name: str, shown: str, pattern: str) -> str:
    return wrong(key(name), f'"{shown}" does not match {pattern}', TEXT)


CASES = [
    bad(
        "typo",
        {key("namespce"): "shop"},
        no(
            key("namespce"),
            "is not a known key, did you mean namespace?",
            to_remove(key("namespce")),
        ),
    ),
    bad(
        "namespace in capitals",
        {key("namespace"): "My_NS"},
        wrong_text("namespace", "My_NS", LABEL),
    ),
    bad(
        "unknown router",
        {key("router"): "ingress"},
        wrong(key("router"), '"ingress" is not service or http_route'),
    ),
    bad(
        "image with a blank",
        {key("image"): "local/shop 1"},
        wrong_text("image", "local/shop 1", "^\\S+$"),
    ),
    bad(
        "empty image of a color",
        {"green.image": ""},
        wrong("green.image", '"" has less than 1 characters', TEXT),
    ),
    bad(
        "no image",
        {key("image"): None},
        *(
            no(
                f"{color}.image",
                f"is missing, and so is {key('image')}",
                to_set(key("image"), NO_IMAGE),
            )
            for color in ("blue", "green")
        ),
    ),
    bad(
        "unknown pull policy",
        {key("image_pull_policy"): "Sometimes"},
        wrong(key("image_pull_policy"), '"Sometimes" is not Always, IfNotPresent or Never'),
    ),
    bad(
        "pull secrets that are no list",
        {key("image_pull_secrets"): "regcred"},
        no(
            key("image_pull_secrets"),
            '"regcred" is not a list',
            f"{to_remove(key('image_pull_secrets'))}, then set its items with "
            f"`pulumi config set --path '{key('image_pull_secrets')}[0]' {TEXT}`",
        ),
    ),
    bad(
        "port out of range",
        {key("container_port"): 70000},
        wrong(key("container_port"), "70000 is not at most 65535"),
    ),
    bad(
        "account in capitals",
        {key("service_account"): "Shop"},
        wrong_text("service_account", "Shop", NAME),
    ),
    bad(
        "quantity with a blank",
        {key("resources"): {"requests": {"cpu": "100 m"}}},
        wrong_text(
            "resources.requests.cpu",
            "100 m",
            r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$",
        ),
    ),
    bad(
        "unknown resource",
        {key("resources"): {"limits": {"gpu": "1"}}},
        no(
            key("resources.limits.gpu"),
            '"gpu" is not cpu, memory or ephemeral-storage',
            to_remove(key("resources.limits.gpu")),
        ),
    ),
    bad(
        "negative delay",
        {key("ready_initial_delay_seconds"): -1},
        wrong(key("ready_initial_delay_seconds"), "-1 is not at least 0"),
    ),
    bad(
        "startup that may not fail",
        {key("startup"): {"failure_threshold": 0}},
        wrong(key("startup.failure_threshold"), "0 is not at least 1"),
    ),
    bad(
        "liveness without a slash",
        {key("liveness"): {"path": "health"}},
        wrong_text("liveness.path", "health", "^/\\S*$"),
    ),
    bad(
        "members as root",
        {key("security"): {"run_as_user": 0}},
        wrong(key("security.run_as_user"), "0 is not at least 1"),
    ),
    bad(
        "long goodbye",
        {key("pre_stop_seconds"): 601},
        wrong(key("pre_stop_seconds"), "601 is not at most 600"),
    ),
    bad(
        "no time to get ready",
        {key("ready_timeout_seconds"): 0},
        wrong(key("ready_timeout_seconds"), "0 is not more than 0"),
    ),
    bad(
        "connections without a metric",
        {key("connections"): {"path": "/metrics"}},
        no(key("connections.metric"), "is missing", to_set(key("connections.metric"), TEXT)),
    ),
    bad(
        "fewest above most",
        {key("autoscaling"): {"min_replicas": 5, "max_replicas": 3}},
        no(
            key("autoscaling"),
            "min_replicas 5 is above max_replicas 3",
            to_set(key("autoscaling.min_replicas"), "3"),
        ),
    ),
    bad(
        "route without a gateway",
        {key("router"): "http_route"},
        no(
            KUBERNETES,
            "router is http_route, but gateway does not say which Gateway it belongs to",
            to_set(key("gateway.name"), "NAME"),
        ),
    ),
    bad(
        "gateway without a name",
        {key("router"): "http_route", key("gateway"): {"hostnames": ["shop.example"]}},
        no(key("gateway.name"), "is missing", to_set(key("gateway.name"), TEXT)),
    ),
    bad(
        "header with a blank",
        {key("gateway"): {"name": "edge", "pin_header": "X Color"}},
        wrong_text("gateway.pin_header", "X Color", "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"),
    ),
    bad(
        "address without http",
        {key("production_url"): "shop.example"},
        wrong_text("production_url", "shop.example", r"^https?://[^\s/]+(/+[^\s/]+)*$"),
    ),
    bad(
        "address of no color",
        {key("color_url"): "http://shop.example"},
        no(
            KUBERNETES,
            "color_url http://shop.example has no {color} in it, so it reaches no one color",
            to_set(key("color_url"), TEXT),
        ),
    ),
    bad(
        "job without an image",
        {key("follow_job"): {"timeout_seconds": 60}},
        no(key("follow_job.image"), "is missing", to_set(key("follow_job.image"), TEXT)),
    ),
    bad(
        "canary of a selector",
        {"canary": {"color": "green", "percent": 10}},
        no(
            "canary.percent",
            "10 % cannot be sent by a Service, whose selector is all or nothing",
            f"{to_set('canary.percent', '0')}, or use the router http_route",
        ),
    ),
    bad(
        "check that overlaps itself",
        {"service.health_check.timeout_seconds": 9},
        no(
            "service.health_check",
            "timeout_seconds 9 is longer than interval_seconds 1; a check would overlap the next "
            "one",
            to_set("service.health_check.timeout_seconds", "1"),
        ),
    ),
    bad(
        "command of another platform",
        {"green.command": "serve --port {port}"},
        no(
            "green.command",
            "is not read on the platform kubernetes",
            to_remove("green.command"),
        ),
    ),
    # Variables, which may be passwords.
    bad(
        "variable that Kubernetes would leave out",
        {"green.env": {"9 lives": SECRET}},
        no('green.env["9 lives"]', VARIABLE, to_remove("'green.env[\"9 lives\"]'")),
    ),
    bad(
        "password that Kubernetes would leave out",
        {key("secrets"): {"DB PASSWORD": SECRET}},
        no(
            key('secrets["DB PASSWORD"]'),
            VARIABLE,
            to_remove(f"'{key('secrets')}[\"DB PASSWORD\"]'"),
        ),
    ),
    bad(
        "variable that bluegreen sets",
        {key("env"): {"PORT": "80"}},
        no(key("env"), "PORT is set by bluegreen for every member", to_remove(key("env.PORT"))),
    ),
    bad(
        "password that is a number",
        {key("secrets"): {"PIN": 4711}},
        wrong(key("secrets.PIN"), "the value (not shown) is not text", TEXT),
    ),
    bad(
        "password in the place of all",
        {key("secrets"): SECRET},
        no(
            key("secrets"),
            "the value (not shown) is not a mapping",
            f"`pulumi config rm --path {key('secrets')}{PARTS}{key('secrets')}.KEY {TEXT}`",
        ),
    ),
    bad(
        "secret that is no number",
        {},
        wrong(key("container_port"), "the value (not shown) is not a whole number"),
        secret=(key("container_port"), SECRET),
    ),
]

FOUND_ON_PATH = "    warning: using pulumi-resource-kubernetes from $PATH"


class Stack:
    """A service that works: blue 1.0 is live, green 1.1 is idle."""

    def __init__(self, driver: KwokDriver) -> None:
        self.driver = driver
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 2})
        driver.configure("green", {"release": "1.1", "replicas": 2})
        driver.arrange()
        self.config = driver.stack.config_file.read_text()

    @property
    def state_file(self) -> Path:
        (file,) = (self.driver.stack.state / ".pulumi" / "stacks").rglob("test.json")
        return file

    def write(self, case: Case) -> None:
        self.put_back()
        for name, value in case.config.items():
            self.driver.configure(name, value)
        if case.secret:
            done = self.driver.stack.run("config", "set", "--secret", "--path", *case.secret)
            assert done.ok, done

    def put_back(self) -> None:
        self.driver.stack.config_file.write_text(self.config)

    def cluster(self) -> dict[str, str]:
        """What is there, by the version that every write changes."""
        names = self.driver.names
        paths = [
            names.core("services"),
            names.core("configmaps"),
            names.core("secrets"),
            names.group("apps/v1", "deployments"),
        ]
        return {
            f"{path} {each['metadata']['name']}": str(each.get("spec", each))
            for path in paths
            for each in self.driver.api.items(path)
        }


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Stack]:
    with kwok_driver(cluster) as driver:
        yield Stack(driver)


@pytest.fixture
def stack(shared: Stack) -> Iterator[Stack]:
    yield shared
    shared.put_back()


def said_by(result: Result) -> str:
    """The last diagnostics; not the engine's word that it found the provider on PATH."""
    *_, last = result.stdout.split("Diagnostics:\n")
    text = diagnostics_of(replace(result, stdout=f"Diagnostics:\n{last}"))
    lines = text.splitlines()
    return "\n".join(line for line in lines if not line.startswith(FOUND_ON_PATH))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_mistake_is_told_in_one_line_and_changes_nothing(stack: Stack, case: Case):
    stack.write(case)
    state, cluster = stack.state_file.read_bytes(), stack.cluster()

    result = stack.driver.up(**case.environment)

    assert said_by(result) == program_said(*case.says)
    assert result.exit_code in {1, 255}
    assert result.stderr == ""
    assert result.done == []
    assert stack.state_file.read_bytes() == state
    assert stack.cluster() == cluster
    assert "Traceback" not in result.text
    assert "hunter2" not in result.text
    assert "4711" not in result.text


def assert_refused(result: Result, name: str, *lines: str) -> None:
    """The one resource that is told about, and all that is told about it."""
    blocks = [block.splitlines() for block in said_by(result).split("\n\n")]
    (block,) = [each for each in blocks if each and f"({name}):" in each[0]]
    body = [line.strip().removeprefix("error: ").removeprefix("Preview failed: ") for line in block]
    assert body[1:] == list(lines)
    assert result.exit_code in {1, 255}
    assert "Traceback" not in result.text
    assert "hunter2" not in result.text


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param(
            None,
            "there is no kubeconfig (kubernetes:kubeconfig, KUBECONFIG or ~/.kube/config), and no "
            "account of a pod: Service host/port is not set.",
            id="missing",
        ),
        pytest.param(
            f"token: {SECRET}: {SECRET}\n  fake: [",
            "it is no kubeconfig (ScannerError)",
            id="garbage",
        ),
        pytest.param(f"<html>{SECRET}</html>", "it is no kubeconfig (TypeError)", id="a page"),
    ],
)
def test_a_kubeconfig_that_is_none_moves_nothing(stack: Stack, written: str | None, says: str):
    file = stack.driver.stack.directory / "kubeconfig"
    file.unlink(missing_ok=True)
    if written is not None:
        file.write_text(written)
    stack.driver.configure("active_color", "green")
    cluster = stack.cluster()

    result = stack.driver.up(KUBECONFIG=str(file))

    assert_refused(
        result,
        "shop-route",
        'before hook "shop-router-gate" failed: shop: cannot tell who is live: cannot tell which '
        f"cluster to ask: {says}; production traffic has not been moved",
    )
    assert stack.cluster() == cluster


def test_a_context_that_is_not_in_the_kubeconfig_moves_nothing(stack: Stack):
    stack.driver.stack.configure_in("kubernetes", "context", "elsewhere")
    stack.driver.configure("active_color", "green")
    cluster = stack.cluster()

    result = stack.driver.up()

    assert not result.ok
    (error,) = [line for line in said_by(result).splitlines() if "error: before hook" in line]
    assert "cannot tell which cluster to ask: " in error
    assert "elsewhere" in error
    assert error.endswith("; production traffic has not been moved")
    assert stack.cluster() == cluster


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[KwokDriver]:
    """Nothing is deployed."""
    with kwok_driver(cluster) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        yield driver


def test_a_namespace_that_does_not_exist_is_named(fresh: KwokDriver):
    fresh.configure("service.kubernetes.namespace", "no-such-namespace")

    result = fresh.up()

    errors = [line for line in said_by(result).splitlines() if "error: resource" in line]
    assert errors
    assert all(error.endswith('namespaces "no-such-namespace" not found') for error in errors)
    assert not result.ok
    assert "Traceback" not in result.text
    assert not any(each["type"].startswith("kubernetes:") for each in fresh.stack.resources())


def test_a_deployment_of_that_name_that_is_somebody_elses_is_left_alone(fresh: KwokDriver):
    labels = {"app": "other"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "x", "image": "local/other:1"}]},
    }
    deployments = fresh.names.group("apps/v1", "deployments")
    body = {
        "metadata": {"name": "shop-blue"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    before = fresh.api.create(deployments, body)

    result = fresh.up()

    assert_refused(
        result,
        "shop-blue-members",
        'resource "urn:pulumi:test::shop::bluegreen:index:DeploymentService$bluegreen:index:'
        'DeploymentFleet$kubernetes:apps/v1:Deployment::shop-blue-members" was not successfully '
        'created by the Kubernetes API server: Deployment.apps "shop-blue" is invalid: '
        'spec.selector: Invalid value: {"matchLabels":{"app":"shop","color":"blue"}}: field is '
        "immutable",
    )
    assert result.done == []
    found = fresh.api.get(f"{deployments}/shop-blue") or {}
    assert found["spec"] == before["spec"]


def test_a_service_of_that_name_that_is_somebody_elses_keeps_its_traffic(fresh: KwokDriver):
    services = fresh.names.core("services")
    spec = {"selector": {"app": "other"}, "ports": [{"port": 80}]}
    before = fresh.api.create(services, {"metadata": {"name": "shop"}, "spec": spec})

    result = fresh.up()

    assert_refused(
        result,
        "shop-route",
        'before hook "shop-router-gate" failed: shop: where production traffic goes cannot be '
        "read: the selector of Service shop is app=other; production traffic has not been moved by "
        "this update; no router is recorded in this stack that it could be moved back to; take out "
        "of the router what this library did not write, and run `pulumi up` again",
    )
    assert result.done == []
    found = fresh.api.get(f"{services}/shop") or {}
    assert found["spec"] == before["spec"]
