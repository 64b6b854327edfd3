"""A small real run of the benchmark of Kubernetes; nothing is timed."""

from pathlib import Path

from benchmarks.kubernetes.stack import stack_of
from tools.cluster.node_cluster import NodeCluster

OURS = Path(__file__).resolve().parents[2] / "benchmarks" / "kubernetes" / "ours"


def test_a_switch_asks_the_api_server_what_the_table_says_and_writes_only_followers(
    node_cluster: NodeCluster,
):
    with node_cluster.network(), stack_of(OURS, node_cluster) as stack:
        stack.deploy()
        done = stack.switch()
        requests = stack.requests()
        stack.up()
        after_no_change = stack.requests()
        judged_seconds = stack.judged_seconds()

    assert 0 < judged_seconds < done.seconds
    written = {
        (phase, hook, request): count
        for (phase, hook, request), count in requests.items()
        if not request.startswith("GET ")
    }
    assert written == {
        ("update", "flag-write", "PATCH configmaps"): 1,
        ("update", "flag-record", "POST events"): 1,
    }
    asking = {hook for phase, hook, _ in requests if phase == "update"}
    assert asking >= {"router-guard", "router-gate", "router-follow", "flag-follow"}
    assert after_no_change == requests
