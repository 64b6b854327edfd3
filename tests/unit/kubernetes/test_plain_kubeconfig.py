"""Which kubeconfigs are read without the Kubernetes client; what is asked is in test_cluster.py."""

import json
import ssl
import subprocess
import sys

import pytest
import yaml

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.plain_kubeconfig import plain_connection
from tests.unit.kubernetes.api_server import an_api_server
from tests.unit.kubernetes.certificate import encoded

SECRET = "hunter2"
POD = "/api/v1/namespaces/shops/pods/shop-1"
AUTHORITY, CERTIFICATE, KEY = "certificate-authority", "client-certificate", "client-key"


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch, tmp_path):
    """Without the kubeconfig and the proxy of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.fixture
def mutual_api(certificate):
    """One that wants a certificate from whoever asks."""
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.load_verify_locations(chain)
    context.verify_mode = ssl.CERT_REQUIRED
    with an_api_server(context) as server:
        server.objects[POD] = {"metadata": {"name": "shop-1"}}
        yield server


def plain_pod(access):
    """The pod, asked for without the client."""
    assert plain_connection(access) is not None
    return Cluster(access).get(POD)


def given(config):
    return ClusterAccess(json.dumps(config))


def test_the_client_is_not_loaded_for_a_plain_kubeconfig(api, tmp_path):
    api.objects[POD] = {"metadata": {"name": "shop-1"}}
    (tmp_path / ".kube").mkdir()
    config = api.kubeconfig(user={"token": SECRET})
    (tmp_path / ".kube" / "config").write_text(yaml.safe_dump(config))
    program = (
        "import sys\n"
        "from bluegreen.kubernetes.cluster import Cluster, ClusterAccess\n"
        "cluster = Cluster(ClusterAccess())\n"
        f"print(cluster.get({POD!r}), cluster.namespace, 'kubernetes' in sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "{'metadata': {'name': 'shop-1'}} shops False\n", done.stderr
    assert api.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_certificate_inside_says_who_asks(mutual_api, certificate):
    key, chain = (encoded(file) for file in certificate)
    user = {f"{CERTIFICATE}-data": chain, f"{KEY}-data": key}

    config = mutual_api.kubeconfig(user=user, **{f"{AUTHORITY}-data": chain})

    assert plain_pod(given(config)) is not None


@pytest.mark.parametrize("is_relative", [True, False])
def test_a_certificate_beside_it_says_who_asks(mutual_api, certificate, is_relative):
    key, chain = (file.name if is_relative else str(file) for file in certificate)
    config = mutual_api.kubeconfig(user={CERTIFICATE: chain, KEY: key}, **{AUTHORITY: chain})
    path = certificate[0].parent / f"kubeconfig-{is_relative}"
    path.write_text(yaml.safe_dump(config))

    assert plain_pod(ClusterAccess(str(path))) is not None


def test_what_other_programs_note_does_not_matter(api):
    api.objects[POD] = {"metadata": {"name": "shop-1"}}
    config = api.kubeconfig(extensions=[{"name": "cluster_info", "extension": {"version": "1"}}])
    config["users"].append({"name": "somebody", "user": {"exec": {"command": "login"}}})

    assert plain_pod(given(config)) is not None


@pytest.mark.parametrize(
    "cluster",
    [
        {"insecure-skip-tls-verify": True},
        {"tls-server-name": "kubernetes.default"},
        {"proxy-url": "http://127.0.0.1:1"},
        {"server": "ftp://127.0.0.1"},
        {"server": 7},
        {AUTHORITY: "/nobody"},
        {f"{AUTHORITY}-data": "bm9uc2Vuc2U="},
        {f"{AUTHORITY}-data": "bm9uc2Vuc2U=", AUTHORITY: "/nobody"},
        {"what-comes-next-year": "x"},
    ],
)
def test_what_is_special_about_a_cluster_is_left_to_the_client(cluster, api):
    config = api.kubeconfig(**({"server": "https://127.0.0.1:1"} | cluster))

    assert plain_connection(given(config)) is None


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "login"}},
        {"auth-provider": {"name": "oidc"}},
        {"tokenFile": "/token"},
        {"username": "ann", "password": SECRET},
        {"token": SECRET, "as": "root"},
        {"token": 7},
        {CERTIFICATE: "/chain"},
        {f"{KEY}-data": "bm9uc2Vuc2U="},
        {f"{KEY}-data": "bm9uc2Vuc2U=", f"{CERTIFICATE}-data": "bm9uc2Vuc2U="},
        None,
    ],
)
def test_whoever_asks_in_another_way_is_left_to_the_client(user, api):
    config = api.kubeconfig(server="https://127.0.0.1:1")
    config["users"][0]["user"] = user

    assert plain_connection(given(config)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"current-context": "elsewhere"},
        {"current-context": None},
        {"contexts": []},
        {"clusters": "x"},
        {"users": [{"user": {}}]},
        {"users": [{"name": "me", "user": {"token": "a"}}, {"name": "me", "user": {"token": "b"}}]},
    ],
)
def test_what_does_not_say_who_asks_whom_is_left_to_the_client(change, api):
    assert plain_connection(given(api.kubeconfig() | change)) is None


@pytest.mark.parametrize("path", ["~nobody-here/kubeconfig", "/nobody", "/"])
def test_a_path_that_leads_nowhere_is_left_to_the_client(path):
    assert plain_connection(ClusterAccess(path)) is None


def test_several_files_are_left_to_the_client(api, tmp_path, monkeypatch):
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        path.write_text(json.dumps(api.kubeconfig()))
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths)))

    assert plain_connection(ClusterAccess()) is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "http_proxy", "all_proxy"])
def test_a_proxy_of_the_environment_is_left_to_the_client(variable, api, monkeypatch):
    monkeypatch.setenv(variable, "http://127.0.0.1:1")

    assert plain_connection(given(api.kubeconfig())) is None


def test_a_locked_key_is_not_asked_for_at_the_terminal(certificate, tmp_path, api):
    key, chain = certificate
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:x", "-out"]
    subprocess.run([*command, str(locked)], check=True, capture_output=True, timeout=60)
    config = api.kubeconfig(
        server="https://127.0.0.1:1", user={CERTIFICATE: str(chain), KEY: str(locked)}
    )

    assert plain_connection(given(config)) is None
