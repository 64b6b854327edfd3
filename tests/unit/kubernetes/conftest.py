import json

import pytest

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from tests.ports import nobody_listens
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
    with nobody_listens() as port:
        server = {"server": f"http://127.0.0.1:{port}"}
        context = {"name": "here", "context": {"cluster": "it", "user": "me"}}
        yield Cluster(
            ClusterAccess(
                json.dumps(
                    {
                        "current-context": "here",
                        "contexts": [context],
                        "clusters": [{"name": "it", "cluster": server}],
                        "users": [{"name": "me", "user": {}}],
                    }
                )
            )
        )
