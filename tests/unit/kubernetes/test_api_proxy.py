import gzip
import http.client
import json
import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest

from bluegreen.gates.answers import ask
from bluegreen.kubernetes.api_proxy import TOKEN_HEADER, ApiProxy
from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from tests.unit.kubernetes.api_server import Said

SERVICE = "/api/v1/namespaces/shops/services/http:shop-green:80/proxy"
OTHER = "/api/v1/namespaces/shops/services/http:shop-blue:80/proxy"
SECRETS = "/api/v1/namespaces/shops/secrets"
API_TOKEN = "hunter2"


@pytest.fixture
def proxy(api):
    access = ClusterAccess(json.dumps(api.kubeconfig(user={"token": API_TOKEN})))
    return ApiProxy(Cluster(access))


@pytest.fixture
def endpoint(proxy):
    return proxy.endpoint(SERVICE)


def sent(endpoint, method="GET", path="", *, headers=None, body=None, token=None):
    """What comes back over a connection of its own; `path` is taken as it is."""
    place = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    own = {TOKEN_HEADER: token} if token is not None else dict(endpoint.headers)
    try:
        connection.request(method, place.path + path, body=body, headers={**own, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_a_gate_reaches_the_members_through_the_api_server(api, endpoint):
    api.objects[f"{SERVICE}/version"] = Said(
        200, b'{"version": "1.1"}', {"x-bluegreen-color": "green", "content-type": "text/plain"}
    )

    answer = ask(endpoint, "GET", "/version?full=1", 30)

    assert (answer.status, answer.field("version")) == (200, "1.1")
    assert answer.headers["x-bluegreen-color"] == "green"
    assert answer.headers["content-type"] == "text/plain"
    (asked,) = api.asked
    assert (asked.method, asked.path, asked.query) == ("GET", f"{SERVICE}/version", {"full": "1"})


def test_what_the_api_server_says_itself_is_passed_on_as_its_message(api, endpoint):
    message = 'User "me" cannot get resource "services/proxy"'
    api.objects[f"{SERVICE}/version"] = Said.refusal(403, message)

    status, body, headers = sent(endpoint, path="/version")

    assert (status, body) == (403, f"{message}\n".encode())
    assert "json" not in (headers["content-type"] or "")


@pytest.mark.parametrize("body", [b'{"kind": "Order"}', b'["Status"]', b"{", b""])
def test_what_a_member_says_is_passed_on_as_it_is(api, endpoint, body):
    api.objects[f"{SERVICE}/version"] = Said(403, body)

    assert sent(endpoint, path="/version")[:2] == (403, body)


def test_the_address_is_on_this_machine_only(endpoint):
    assert endpoint.url.startswith("http://127.0.0.1:")
    assert endpoint.url.endswith(SERVICE)
    assert len(endpoint.headers[TOKEN_HEADER]) >= 32


def test_two_colors_have_one_address_and_one_token(proxy, api):
    green, blue = proxy.endpoint(SERVICE), proxy.endpoint(OTHER)
    api.objects[f"{SERVICE}/"] = Said(200, b"green")
    api.objects[f"{OTHER}/"] = Said(200, b"blue")

    assert green.headers == blue.headers
    assert [ask(each, "GET", "/", 30).body for each in (green, blue)] == [b"green", b"blue"]


def test_two_proxies_do_not_share_a_token(proxy, cluster):
    other = ApiProxy(cluster).endpoint(SERVICE)

    assert proxy.endpoint(SERVICE).headers != other.headers


@pytest.mark.parametrize("token", ["", "guess", "ä"])
def test_nobody_else_on_this_machine_gets_through(api, endpoint, token):
    status, body, _ = sent(endpoint, token=token.encode().decode("latin-1"))

    assert (status, body) == (403, b"this address needs its token\n")
    assert api.asked == []


def test_a_request_without_any_token_does_not_get_through(api, endpoint):
    place = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request("GET", place.path)

    assert connection.getresponse().status == 403
    connection.close()
    assert api.asked == []


@pytest.mark.parametrize(
    "path",
    [
        SECRETS,
        "/",
        f"{SERVICE}y/secrets",
        f"{SERVICE}/../../../secrets",
        f"{SERVICE}/%2e%2e/%2E%2E/secrets",
        f"{SERVICE}/a/..%2f..%2fsecrets",
        f"{SERVICE}/./x",
        OTHER,
        f"http://127.0.0.1{SERVICE}",
    ],
)
def test_nothing_but_the_services_that_were_asked_for_is_reached(api, endpoint, path):
    bare = type(endpoint)(endpoint.url.removesuffix(SERVICE), endpoint.headers)
    status, body, _ = sent(bare, path=path)

    assert status == 403
    assert body == b"this address reaches the members of a color and nothing else\n"
    assert api.asked == []


@pytest.mark.parametrize("path", ["", "/", "?a=b", "/..a/b..", "/a?next=/../b"])
def test_all_paths_of_a_service_are_reached(api, endpoint, path):
    status, _, _ = sent(endpoint, path=path)

    # Nobody answers there, but it was asked.
    assert status == 404
    assert [asked.path for asked in api.asked] == [SERVICE + path.partition("?")[0]]


@pytest.mark.parametrize("status", [201, 204, 302, 404, 418, 503, 599])
def test_a_status_is_passed_on_as_it_is(api, endpoint, status):
    body = b"" if status == 204 else b"as it is"
    api.objects[SERVICE] = Said(status, body, {"location": "/elsewhere"})

    answered, said, headers = sent(endpoint)

    assert (answered, said, headers["location"]) == (status, body, "/elsewhere")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_passed_on_with_its_type(api, endpoint, method):
    api.answers[method, SERVICE] = lambda asked: Said(200, asked.body[::-1])

    status, body, _ = sent(
        endpoint, method, body=b"\0order\xff", headers={"Content-Type": "x/y", "X-Own": "1"}
    )

    assert (status, body) == (200, b"\xffredro\0")
    (asked,) = api.asked
    assert (asked.headers["content-type"], asked.headers["x-own"]) == ("x/y", "1")


def test_a_head_has_no_body(api, endpoint):
    api.answers["HEAD", SERVICE] = Said(200, b"unseen", {"x-a": "b"})

    status, body, headers = sent(endpoint, "HEAD")

    assert (status, body, headers["x-a"]) == (200, b"", "b")


def test_a_large_answer_is_passed_on_whole(api, endpoint):
    large = bytes(range(256)) * 12_000
    api.objects[SERVICE] = Said(200, large)

    assert sent(endpoint)[1] == large


def test_a_compressed_answer_comes_readable(api, endpoint):
    api.objects[SERVICE] = Said(200, gzip.compress(b"readable"), {"content-encoding": "gzip"})

    status, body, headers = sent(endpoint)

    assert (status, body) == (200, b"readable")
    assert "content-encoding" not in headers


def test_a_large_body_is_passed_on_and_a_huge_one_is_not(api, endpoint):
    api.answers["POST", SERVICE] = lambda asked: Said(200, str(len(asked.body)).encode())
    most = 10 * 1024 * 1024

    assert sent(endpoint, "POST", body=b"x" * most)[:2] == (200, str(most).encode())
    status, body, _ = sent(endpoint, "POST", headers={"Content-Length": str(most + 1)})
    assert (status, body) == (413, b"the body of 10485761 bytes is larger than 10485760\n")
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "headers", [{"Transfer-Encoding": "chunked"}, {"Content-Length": "-1"}, {"Content-Length": "x"}]
)
def test_a_body_of_unknown_length_is_refused_and_not_left_out(api, endpoint, headers):
    status, body, _ = sent(endpoint, "POST", headers=headers)

    assert (status, body) == (411, b"the body has to come with its length\n")
    assert api.asked == []


def test_the_way_into_the_cluster_is_the_hooks_own(api, endpoint):
    sent(endpoint, headers={"Authorization": "Bearer of-a-test", "Cookie": "a=b"})

    (asked,) = api.asked
    assert asked.headers["authorization"] == f"Bearer {API_TOKEN}"
    assert asked.headers["cookie"] == "a=b"
    assert TOKEN_HEADER.lower() not in asked.headers
    assert asked.headers["host"] == urlsplit(api.url).netloc


def test_without_a_token_of_its_own_nobodys_is_passed_on(api, cluster):
    sent(ApiProxy(cluster).endpoint(SERVICE), headers={"Authorization": "Basic b2Y="})

    assert "authorization" not in api.asked[0].headers


def test_the_clusters_token_is_not_in_an_answer(api, endpoint):
    api.objects[SERVICE] = Said(200, b"fine", {"audit-id": "1", "x-a": "b"})

    _, body, headers = sent(endpoint)

    assert API_TOKEN not in f"{body!r}{headers}"
    assert "audit-id" not in headers


def test_an_api_server_that_is_away_is_a_bad_gateway(silent_cluster):
    status, body, _ = sent(ApiProxy(silent_cluster).endpoint(SERVICE))

    assert status == 502
    assert body.startswith(b"the API server at http://127.0.0.1:")
    assert body.endswith(b"does not answer: Connection refused\n")


def test_several_clients_are_answered_at_the_same_time(api, endpoint):
    together = threading.Barrier(5)

    def behave(_):
        together.wait(30)
        return Said(200, b"together")

    api.objects[SERVICE] = behave
    found = []
    clients = [threading.Thread(target=lambda: found.append(sent(endpoint)[1])) for _ in range(4)]
    for client in clients:
        client.start()
    together.wait(30)
    for client in clients:
        client.join(30)

    assert found == [b"together"] * 4


def test_a_client_that_leaves_early_is_no_news(api, endpoint, capfd):
    came, left = threading.Event(), threading.Event()

    def behave(_):
        came.set()
        left.wait(30)
        return Said(200, b"x" * 5_000_000, {"connection": "close"})

    api.objects[SERVICE] = behave
    place = urlsplit(endpoint.url)
    before = set(threading.enumerate())
    client = socket.create_connection((place.hostname, place.port), 30)
    token = endpoint.headers[TOKEN_HEADER]
    head = f"GET {place.path} HTTP/1.1\r\nhost: x\r\n{TOKEN_HEADER}: {token}\r\n\r\n"
    client.sendall(head.encode())
    assert came.wait(30)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    left.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)

    assert capfd.readouterr() == ("", "")
