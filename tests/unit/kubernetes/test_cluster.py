import base64
import json
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from bluegreen.errors import DataPlaneError
from bluegreen.kubernetes.cluster import Cluster, ClusterAccess, ConflictError, ForbiddenError
from tests.unit.kubernetes.api_server import Said, an_api_server
from tests.unit.kubernetes.certificate import encoded

SECRET = "hunter2"
PODS = "/api/v1/namespaces/shops/pods"
POD = f"{PODS}/shop-1"


def reached_with(access):
    """A cluster that has been asked something."""
    cluster = Cluster(access)
    assert cluster.get(POD) == {"metadata": {"name": "shop-1"}}
    return cluster


def line_of(ask, error=DataPlaneError):
    with pytest.raises(DataPlaneError) as caught:
        ask()
    assert type(caught.value) is error
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch, tmp_path):
    """Without the kubeconfig of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def a_pod_is_there(api):
    api.objects[POD] = {"metadata": {"name": "shop-1"}}


# What is asked.


def test_one_object_is_asked_for_by_its_path(cluster, api):
    api.objects[POD] = {"metadata": {"name": "shop-1"}}

    assert cluster.get(POD) == {"metadata": {"name": "shop-1"}}
    assert api.asked[0].headers["accept"] == "application/json"


def test_an_object_that_is_not_there_is_none(cluster):
    assert cluster.get(POD) is None


def test_a_list_is_read_to_its_last_page(cluster, api):
    def page(asked):
        start = int(asked.query.get("continue") or 0)
        items = [{"metadata": {"name": f"pod-{n}"}} for n in range(start, start + 2)]
        token = str(start + 2) if start < 4 else ""
        return {"items": items, "metadata": {"continue": token}}

    api.objects[PODS] = page

    found = cluster.items(PODS, labelSelector="app=shop,color=blue", fieldSelector="")

    assert [each["metadata"]["name"] for each in found] == [f"pod-{n}" for n in range(6)]
    selectors = [{**asked.query, "continue": asked.query.get("continue")} for asked in api.asked]
    assert selectors == [
        {"labelSelector": "app=shop,color=blue", "limit": "500", "continue": token}
        for token in (None, "2", "4")
    ]


@pytest.mark.parametrize("page", [{}, {"items": None}, {"items": [], "metadata": {}}])
def test_an_empty_list_has_no_items(cluster, api, page):
    api.objects[PODS] = page

    assert cluster.items(PODS) == []


def test_a_list_of_a_kind_that_the_cluster_does_not_know_is_an_error(cluster):
    assert line_of(lambda: cluster.items(PODS)) == (f"GET {PODS} answers 404: {PODS} not found")


def test_an_object_of_a_kind_that_the_cluster_does_not_know_is_an_error(cluster, api):
    path = "/apis/example.com/v1/namespaces/shop/routes/web"
    api.answers["GET", path] = Said(404, b"404 page not found\n")

    assert line_of(lambda: cluster.get(path)) == (
        "the cluster does not serve /apis/example.com/v1/namespaces/shop/routes: it lacks that "
        "API, or its definitions (CRDs)"
    )


def test_an_object_is_made_with_what_is_in_it(cluster, api):
    api.answers["POST", PODS] = lambda asked: asked.content | {"status": {}}

    made = cluster.create(PODS, {"metadata": {"name": "ä"}})

    assert made == {"metadata": {"name": "ä"}, "status": {}}
    assert api.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(("force", "said"), [(False, "false"), (True, "true")])
def test_fields_are_applied_in_somebodys_name(cluster, api, force, said):
    api.answers["PATCH", POD] = {"metadata": {"name": "shop-1"}}

    cluster.apply(POD, {"spec": {}}, manager="somebody", force=force)

    (asked,) = api.asked
    assert asked.query == {"fieldManager": "somebody", "force": said}
    assert asked.headers["content-type"] == "application/apply-patch+yaml"
    assert asked.content == {"spec": {}}


def test_what_is_removed_goes_with_what_it_owns(cluster, api):
    api.answers["DELETE", POD] = {}

    cluster.delete(POD)

    assert api.asked[0].content == {"propagationPolicy": "Background"}


def test_what_is_gone_already_is_removed(cluster, api):
    cluster.delete(POD)

    assert api.paths("DELETE") == [POD]


# What goes wrong.


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (
            Said.refusal(403, 'pods is forbidden: User "me"\ncannot get'),
            ForbiddenError,
            'answers 403: pods is forbidden: User "me" cannot get',
        ),
        (Said.refusal(401, "Unauthorized"), ForbiddenError, "answers 401: Unauthorized"),
        (Said.refusal(500, "etcd is away"), DataPlaneError, "answers 500: etcd is away"),
        (Said.refusal(409, "conflict"), ConflictError, "answers 409: conflict"),
        (Said(502, b"<html>Bad\nGateway</html>"), DataPlaneError, "answers 502: <html>Bad Gateway"),
        (Said(200, b"certainly no JSON"), DataPlaneError, "answers 200: certainly no JSON"),
        (Said(200, b"[1, 2]"), DataPlaneError, "answers 200: [1, 2]"),
        (Said(503, b"7"), DataPlaneError, "answers 503: 7"),
        (Said(500, b'{"kind": "Status"}'), DataPlaneError, 'answers 500: {"kind": "Status"}'),
        (Said(503), DataPlaneError, "answers 503: "),
        (Said(500, b"\xff\xfe"), DataPlaneError, "answers 500: "),
        (Said(302, b"", {"location": "/elsewhere"}), DataPlaneError, "answers 302: "),
    ],
)
def test_an_answer_that_is_no_object_is_told_in_one_line(cluster, api, answer, error, text):
    api.answers["GET", POD] = answer
    api.answers["POST", PODS] = answer

    asked = line_of(lambda: cluster.get(POD), error)
    made = line_of(lambda: cluster.create(PODS, {}), error)

    assert asked.startswith(f"GET {POD} {text}")
    assert made.startswith(f"POST {PODS} {text}")


def test_a_redirect_is_not_followed(cluster, api):
    api.answers["GET", POD] = Said(302, b"", {"location": "/elsewhere"})
    line_of(lambda: cluster.get(POD))

    assert api.paths() == [POD]


def test_a_long_refusal_is_cut(cluster, api):
    api.answers["GET", POD] = Said.refusal(422, "x" * 10_000)

    assert len(line_of(lambda: cluster.get(POD))) < 600


def test_a_server_that_is_away_is_told_by_its_address(silent_cluster):
    text = line_of(lambda: silent_cluster.get(POD))

    assert text.startswith("the API server at http://127.0.0.1:")
    assert text.endswith(" does not answer: Connection refused")


def test_a_server_that_hangs_is_not_waited_for_for_ever(cluster, api):
    api.answers["GET", POD] = lambda _: api.closing.wait(30) and None

    text = line_of(lambda: cluster.request("GET", POD, timeout_seconds=0.1))

    assert text.startswith(f"the API server at {api.url} does not answer: ")
    assert "timed out" in text


def test_a_host_that_nobody_knows_is_told(api):
    config = api.kubeconfig()
    config["clusters"][0]["cluster"]["server"] = "https://nobody.invalid:6443"

    text = line_of(lambda: Cluster(ClusterAccess(json.dumps(config))).get(POD))

    assert text.startswith("the API server at https://nobody.invalid:6443 does not answer: ")


def test_any_status_of_a_plain_request_is_an_answer(cluster, api):
    api.answers["GET", f"{POD}/log"] = Said(400, b"no log yet", {"x-a": "b"})

    answer = cluster.request("GET", f"{POD}/log")

    assert (answer.status, answer.body, answer.headers["x-a"]) == (400, b"no log yet", "b")


# Which cluster.


def test_a_kubeconfig_may_be_given_as_its_path(api, a_pod_is_there, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(api.kubeconfig()))

    assert reached_with(ClusterAccess(str(path))).namespace == "shops"


def test_a_path_may_begin_at_home(api, a_pod_is_there, tmp_path):
    (tmp_path / "kubeconfig").write_text(json.dumps(api.kubeconfig()))

    reached_with(ClusterAccess("~/kubeconfig"))


@pytest.mark.parametrize("written", [yaml.safe_dump, json.dumps])
def test_a_kubeconfig_may_be_given_as_its_content(api, a_pod_is_there, written):
    assert reached_with(ClusterAccess(written(api.kubeconfig()))).namespace == "shops"


@pytest.mark.parametrize("is_path", [True, False])
def test_a_context_may_be_named(api, a_pod_is_there, tmp_path, is_path):
    content = json.dumps(api.kubeconfig())
    (tmp_path / "kubeconfig").write_text(content)
    given = str(tmp_path / "kubeconfig") if is_path else content

    # It has no namespace, and the current one has.
    assert reached_with(ClusterAccess(given, "bare")).namespace == "default"


def test_a_context_goes_to_its_own_cluster(api, a_pod_is_there):
    config = api.kubeconfig()
    config["clusters"].append({"name": "other", "cluster": {"server": "http://127.0.0.1:1"}})
    config["contexts"][1]["context"]["cluster"] = "other"

    text = line_of(lambda: Cluster(ClusterAccess(json.dumps(config), "bare")).get(POD))

    assert text.startswith("the API server at http://127.0.0.1:1 does not answer")


def test_without_a_word_it_is_the_one_of_kubectl(api, a_pod_is_there, tmp_path):
    """In a process of its own: the client reads the environment when it is loaded."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(json.dumps(api.kubeconfig()))

    assert asked_elsewhere() == "shop-1 in shops"


def test_the_environment_may_name_another_one(api, a_pod_is_there, tmp_path, monkeypatch):
    (tmp_path / "other").write_text(json.dumps(api.kubeconfig()))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'nobody'}:{tmp_path / 'other'}")

    assert asked_elsewhere() == "shop-1 in shops"


def asked_elsewhere():
    program = (
        "from bluegreen.kubernetes.cluster import Cluster, ClusterAccess\n"
        "cluster = Cluster(ClusterAccess())\n"
        f"found = cluster.get({POD!r})\n"
        "print(found['metadata']['name'], 'in', cluster.namespace)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_a_kubeconfig_and_outside_of_a_pod_all_places_are_named():
    assert line_of(lambda: Cluster(ClusterAccess()).get(POD)) == (
        "cannot tell which cluster to ask: there is no kubeconfig (kubernetes:kubeconfig, "
        "KUBECONFIG or ~/.kube/config), and no account of a pod: Service host/port is not set."
    )


def test_a_pod_without_an_account_is_told(monkeypatch):
    if Path("/var/run/secrets/kubernetes.io").exists():
        pytest.skip("this is a pod with an account")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    text = line_of(lambda: Cluster(ClusterAccess()).get(POD))

    assert text.endswith("no account of a pod: Service token file does not exist.")


def broken(**changes):
    """A kubeconfig with a part that is wrong; it has a secret in it."""
    user = {"name": "me", "user": {"token": SECRET}}
    context = {"name": "here", "context": {"cluster": "it", "user": "me"}}
    cluster = {"name": "it", "cluster": {"server": "http://127.0.0.1:1"}}
    whole = {
        "current-context": "here",
        "contexts": [context],
        "clusters": [cluster],
        "users": [user],
    }
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    ("kubeconfig", "text"),
    [
        (broken(contexts=[]), "Expected object with name here in kube-config/contexts list"),
        (broken(clusters=[]), "Expected object with name it in kube-config/clusters list"),
        (broken(clusters=None), "Expected key clusters in kube-config"),
        (broken(contexts=SECRET), "it is no kubeconfig (AttributeError)"),
        (broken(clusters=[{"name": "it", "cluster": {"server": 7}}]), "it is no kubeconfig ("),
        (
            broken(clusters=[{"name": "it", "cluster": {}}]),
            "the server of a cluster is an address with http:// or https://",
        ),
        (
            broken(clusters=[{"name": "it", "cluster": {"server": "ftp://it"}}]),
            "the server of a cluster is an address with http:// or https://",
        ),
        (
            broken(
                clusters=[
                    {
                        "name": "it",
                        "cluster": {
                            "server": "https://127.0.0.1:1",
                            "certificate-authority": "/nobody",
                        },
                    }
                ]
            ),
            "File does not exist: /nobody",
        ),
        (f"users:\n- token: {SECRET}: x\n", "it is no kubeconfig (ScannerError)"),
        (f"{{users: [{SECRET}", "it is no kubeconfig (ParserError)"),
        (f"\n- {SECRET}\n- b\n", "Expected key current-context in kube-config"),
        ("a: b\nc: d\n", "Expected key current-context in kube-config"),
        (base64.b64encode(broken().encode()).decode(), "Invalid kube-config file. No conf"),
    ],
)
def test_a_kubeconfig_that_is_none_is_told_and_not_shown(kubeconfig, text):
    said = line_of(lambda: Cluster(ClusterAccess(kubeconfig)).get(POD))

    assert said.startswith("cannot tell which cluster to ask: kubeconfig: ")
    assert text in said
    assert SECRET not in said
    assert kubeconfig[:40] not in said


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "Invalid kube-config file. No configuration found."),
        ("", "is empty"),
        (f"- {SECRET}", "it is no kubeconfig (TypeError)"),
        (SECRET, "it is no kubeconfig (TypeError)"),
        (b"\xff\xfe\0", "it is no kubeconfig (UnicodeDecodeError)"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_told_by_its_path(tmp_path, content, text):
    path = tmp_path / "config"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    said = line_of(lambda: Cluster(ClusterAccess(str(path))).get(POD))

    assert said.startswith(f"cannot tell which cluster to ask: kubeconfig {path}: ")
    assert text in said
    assert SECRET not in said


@pytest.mark.parametrize("is_path", [True, False])
def test_a_context_that_is_not_there_is_told_by_its_name(api, tmp_path, is_path):
    content = json.dumps(api.kubeconfig())
    (tmp_path / "kubeconfig").write_text(content)
    given = str(tmp_path / "kubeconfig") if is_path else content

    said = line_of(lambda: Cluster(ClusterAccess(given, "production")).get(POD))

    assert "Expected object with name production in " in said


def test_a_namespace_cannot_be_told_without_a_kubeconfig():
    assert "there is no kubeconfig" in line_of(lambda: Cluster(ClusterAccess()).namespace)


# Who asks.


def test_a_token_says_who_asks(api, a_pod_is_there):
    reached_with(ClusterAccess(json.dumps(api.kubeconfig(user={"token": SECRET}))))

    assert api.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_name_and_a_password_say_who_asks(api, a_pod_is_there):
    user = {"username": "ann", "password": SECRET}
    reached_with(ClusterAccess(json.dumps(api.kubeconfig(user=user))))

    basic = base64.b64encode(f"ann:{SECRET}".encode()).decode()
    assert api.asked[0].headers["authorization"] == f"Basic {basic}"


def logged_in_by(program, **status):
    """A user whose program notes each of its runs in a file beside it."""
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": SECRET, **status},
    }
    text = json.dumps(credential)
    program.write_text(f"#!/bin/sh\necho >> {program}.runs\ncat <<'E'\n{text}\nE\n")
    program.chmod(0o755)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(program),
            "interactiveMode": "Never",
        }
    }


def test_a_program_may_say_who_asks(api, a_pod_is_there, tmp_path):
    user = logged_in_by(tmp_path / "login")
    reached_with(ClusterAccess(json.dumps(api.kubeconfig(user=user)))).get(POD)

    assert [asked.headers["authorization"] for asked in api.asked] == [f"Bearer {SECRET}"] * 2
    assert (tmp_path / "login.runs").read_text() == "\n"


def test_a_token_that_has_run_out_is_fetched_anew(api, a_pod_is_there, tmp_path):
    user = logged_in_by(tmp_path / "login", expirationTimestamp="2020-01-01T00:00:00Z")
    cluster = reached_with(ClusterAccess(json.dumps(api.kubeconfig(user=user))))
    before = (tmp_path / "login.runs").read_text()
    cluster.get(POD)

    assert len((tmp_path / "login.runs").read_text()) > len(before)


@pytest.fixture
def secure_api(certificate):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.load_verify_locations(chain)
    context.verify_mode = ssl.CERT_OPTIONAL
    with an_api_server(context) as server:
        server.objects[POD] = {"metadata": {"name": "shop-1"}}
        yield server


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_server_is_known_by_the_authority_in_the_kubeconfig(secure_api, certificate, is_inside):
    _, chain = certificate
    authority = (
        {"certificate-authority-data": encoded(chain)}
        if is_inside
        else {"certificate-authority": str(chain)}
    )

    reached_with(ClusterAccess(json.dumps(secure_api.kubeconfig(**authority))))


def test_a_client_certificate_may_say_who_asks(secure_api, certificate):
    key, chain = certificate
    user = {"client-certificate-data": encoded(chain), "client-key-data": encoded(key)}
    authority = {"certificate-authority-data": encoded(chain)}

    reached_with(ClusterAccess(json.dumps(secure_api.kubeconfig(user=user, **authority))))


def test_a_server_that_nobody_vouches_for_is_not_asked(secure_api):
    cluster = Cluster(ClusterAccess(json.dumps(secure_api.kubeconfig())))

    text = line_of(lambda: cluster.get(POD))

    assert text.startswith(f"the API server at {secure_api.url} does not answer: ")
    assert "certificate verify failed" in text
    assert secure_api.asked == []


def test_an_authority_that_is_none_is_told(secure_api):
    nonsense = base64.b64encode(b"nonsense").decode()
    config = secure_api.kubeconfig(**{"certificate-authority-data": nonsense})

    text = line_of(lambda: Cluster(ClusterAccess(json.dumps(config))).get(POD))

    assert text.startswith(f"the API server at {secure_api.url} does not answer: ")
    assert secure_api.asked == []


def test_hooks_in_several_threads_ask_the_same_cluster(api):
    api.objects[PODS] = [{"metadata": {"name": "shop-1"}}]
    cluster = Cluster(ClusterAccess(json.dumps(api.kubeconfig())))
    start, found = threading.Barrier(8), []

    def ask():
        start.wait(30)
        found.extend(cluster.items(PODS) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert found == [[{"metadata": {"name": "shop-1"}}]] * 80


def test_a_cluster_that_could_not_be_told_is_tried_again(tmp_path, api, a_pod_is_there):
    path = tmp_path / "kubeconfig"
    cluster = Cluster(ClusterAccess(str(path)))
    line_of(lambda: cluster.get(POD))
    path.write_text(json.dumps(api.kubeconfig()))

    assert cluster.get(POD) is not None
