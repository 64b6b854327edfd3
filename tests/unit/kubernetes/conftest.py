import json
import socket

import pytest

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from tests.unit.kubernetes.api_server import an_api_server
from tests.unit.kubernetes.certificate import made_certificate


@pytest.fixture
def api():
    with an_api_server() as server:
        yield server


@pytest.fixture
def cluster(api):
    return Cluster(ClusterAccess(json.dumps(api.kubeconfig())))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A key and a certificate that is its own authority."""
    return made_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def silent_cluster():
    """One that nobody answers for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    clusters = [{"name": "it", "cluster": {"server": url}}]
    context = {"name": "here", "context": {"cluster": "it", "user": "me"}}
    return Cluster(
        ClusterAccess(
            json.dumps(
                {
                    "current-context": "here",
                    "contexts": [context],
                    "clusters": clusters,
                    "users": [{"name": "me", "user": {}}],
                }
            )
        )
    )
