"""What jobs and workers of both colors do before and after a switch, by the YAML of the docs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from tests.docs.pages import REPOSITORY, blocks
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tools.cluster.node_cluster import NodeCluster
from tools.cluster.processes import wait_until

PAGE = REPOSITORY / "docs" / "kubernetes.md"
COLORS = ("blue", "green")
PATIENCE_SECONDS = 120.0
# The kubelet looks once a minute, and its own memory of the object is as old at most.
MOUNT_SECONDS = 240.0


def written(kind: str, color: str) -> dict[str, Any]:
    """The object of that kind on the page, for one color, with an image that the node has."""
    (text,) = [block.text for block in blocks(PAGE, "yaml") if f"kind: {kind}\n" in block.text]
    assert "image: busybox:1" in text
    there = text.replace("green", color).replace("image: busybox:1", "image: local/busybox:1")
    found: dict[str, Any] = yaml.safe_load(there)
    return found


class Shop:
    def __init__(self, driver: KubernetesDriver) -> None:
        self.driver, self.api, self.names = driver, driver.api, driver.names

    def switch_to(self, color: str) -> None:
        self.driver.configure("active_color", color)
        result = self.driver.up()
        assert result.ok, result

    def run_job(self, color: str) -> str:
        """What one run of the color's CronJob says; as `kubectl create job --from` makes it."""
        jobs = self.names.group("batch/v1", "jobs")
        body = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"generateName": f"report-{color}-"},
            "spec": written("CronJob", color)["spec"]["jobTemplate"]["spec"],
        }
        name = self.api.create(jobs, body)["metadata"]["name"]

        def has_ended() -> bool:
            status = (self.api.get(f"{jobs}/{name}") or {}).get("status", {})
            assert not status.get("failed"), status
            return bool(status.get("succeeded"))

        wait_until(has_ended, PATIENCE_SECONDS)
        return self.logs(f"job-name={name}")

    def logs(self, selector: str) -> str:
        pods = self.api.items(self.names.core("pods"), labelSelector=selector)
        paths = [self.names.core("pods", f"{pod['metadata']['name']}/log") for pod in pods]
        return "".join(self.api.request("GET", path).body.decode() for path in paths)

    def start_worker(self, color: str) -> None:
        self.api.create(self.names.group("apps/v1", "deployments"), written("Deployment", color))

    def pieces_by(self, color: str) -> int:
        return self.logs(f"worker=shop-{color}").count(f"a piece of work by {color}")

    def flag(self) -> dict[str, str]:
        found = self.api.get(self.names.core("configmaps", "shop-active"))
        assert found is not None
        return dict(found["data"])


@pytest.fixture
def shop(node_cluster: NodeCluster) -> Iterator[Shop]:
    with service_driver(node_cluster) as driver:
        driver.configure("active_color", "blue")
        for color, release in (("blue", "1.0"), ("green", "1.1")):
            driver.configure(color, {"release": release, "replicas": 1})
        result = driver.up()
        assert result.ok, result
        yield Shop(driver)


def test_only_the_jobs_of_the_active_color_do_something(shop: Shop):
    first = shop.flag()
    assert first.keys() == {"color", "since"}
    before = {color: shop.run_job(color) for color in COLORS}

    shop.switch_to("green")

    after = {color: shop.run_job(color) for color in COLORS}
    assert before == {"blue": "the report of blue\n", "green": "not active\n"}
    assert after == {"blue": "not active\n", "green": "the report of green\n"}
    now = shop.flag()
    assert (now["color"], now["previous"]) == ("green", "blue")
    moments = [datetime.fromisoformat(each["since"]) for each in (first, now)]
    assert moments[0] < moments[1] <= datetime.now(UTC)


@pytest.mark.soak
def test_a_worker_takes_over_when_its_mounted_flag_has_changed(shop: Shop):
    for color in COLORS:
        shop.start_worker(color)
    wait_until(lambda: shop.pieces_by("blue") > 2, PATIENCE_SECONDS)
    assert shop.pieces_by("green") == 0

    shop.switch_to("green")
    switched = datetime.now(UTC)
    wait_until(lambda: shop.pieces_by("green") > 2, MOUNT_SECONDS)
    print(f"green works {(datetime.now(UTC) - switched).total_seconds():.0f} s after the switch")

    done = shop.pieces_by("blue")
    wait_until(lambda: shop.pieces_by("green") > 5, PATIENCE_SECONDS)
    # Each has its own mount; a last piece may have been under way.
    wait_until(lambda: _is_still(shop, "blue"), MOUNT_SECONDS)
    assert shop.pieces_by("blue") >= done


def _is_still(shop: Shop, color: str) -> bool:
    """Whether a color does nothing while the other one does three pieces."""
    done, others = shop.pieces_by(color), shop.pieces_by("green")
    wait_until(lambda: shop.pieces_by("green") > others + 3, PATIENCE_SECONDS)
    return shop.pieces_by(color) == done
