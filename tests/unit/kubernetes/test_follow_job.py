import subprocess

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.gates.answers import Answer, UnusableAnswerError
from bluegreen.kubernetes.follow_job import JobProduction, answers_in
from tests.unit.gates.web import served
from tests.unit.kubernetes.api_server import Said
from tests.unit.kubernetes.objects import NAMES, kubernetes_config

JOBS = "/apis/batch/v1/namespaces/shops/jobs"
PODS = "/api/v1/namespaces/shops/pods"
LOG = f"{PODS}/shop-follow-1-abc/log"
JOB = f"{JOBS}/shop-follow-1"

TWO = """HTTP/1.1 200 OK\r
X-Bluegreen-Color: green\r
Content-Type: application/json\r
\r
{"color": "green",
 "ready": true}
HTTP/1.1 503 Service Unavailable\r
\r
nobody is there
"""


def test_every_answer_in_a_log_has_its_status_headers_and_body():
    first, second = answers_in(TWO)

    assert first.status == 200
    assert first.headers == {"x-bluegreen-color": "green", "content-type": "application/json"}
    assert first.field("color") == "green"
    assert (second.status, second.is_success) == (503, False)
    assert second.excerpt == "nobody is there"


@pytest.mark.parametrize(
    "log",
    [
        "",
        "curl: (6) Could not resolve host: shop.shops.svc",
        "curl: (7) Failed to connect\ncurl: (7) Failed to connect",
        "HTTP/1.1",
        "HTTP/1.1 what",
    ],
)
def test_a_log_without_answers_has_none(log):
    assert list(answers_in(log)) == []


def test_what_failed_between_two_answers_is_no_answer():
    log = TWO.replace("HTTP/1.1 503", "curl: (28) timed out\nHTTP/1.1 503")

    assert [answer.status for answer in answers_in(log)] == [200, 503]


def test_an_answer_that_broke_off_in_its_head_has_no_body():
    assert list(answers_in("HTTP/1.0 204 No Content\r\nA: b")) == [Answer(204, b"", {"a": "b"})]


@pytest.fixture
def settings():
    job = {"image": "curl:8", "timeout_seconds": 5}
    return kubernetes_config({"follow": {"consecutive": 3}}, kubernetes={"follow_job": job}).service


@pytest.fixture
def production(cluster, api, settings):
    api.answers["POST", JOBS] = {"metadata": {"name": "shop-follow-1"}}
    api.answers["DELETE", JOB] = {}
    api.objects[LOG] = Said(200, TWO.encode())
    api.objects[PODS] = [a_job_pod("Succeeded")]
    return JobProduction(cluster, NAMES, settings, settings.kubernetes.follow_job)


def a_job_pod(phase):
    return {"metadata": {"name": "shop-follow-1-abc"}, "status": {"phase": phase}}


def the_job(api):
    (asked,) = [each for each in api.asked if (each.method, each.path) == ("POST", JOBS)]
    return asked.content


def test_production_is_the_service_as_a_pod_sees_it(production):
    assert production.name == "http://shop.shops.svc:80"


def test_the_answers_of_one_job_are_handed_out_one_by_one(production, api):
    statuses = [production.answer("/", 2).status for _ in range(3)]

    assert statuses == [200, 503, 200]
    assert api.paths("POST") == [JOBS, JOBS]
    assert api.paths("DELETE") == [JOB, JOB]


def test_a_job_asks_for_as_many_answers_as_have_to_be_in_a_row(production, api):
    production.answer("/version", 2)

    (container,) = the_job(api)["spec"]["template"]["spec"]["containers"]
    urls = [word for word in container["command"] if word.startswith("http")]
    assert urls == ["http://shop.shops.svc:80/version"] * 3
    assert container["image"] == "curl:8"


def test_a_job_may_do_nothing_and_goes_by_itself(production, api):
    production.answer("/", 2)

    spec = the_job(api)["spec"]
    pod = spec["template"]["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 5)
    assert spec["ttlSecondsAfterFinished"] == 600
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    # Nothing of it may be taken for a member of a color.
    assert "metadata" not in spec["template"]


def test_a_job_that_failed_tells_what_curl_said(production, api):
    api.objects[PODS] = [a_job_pod("Failed")]
    api.objects[LOG] = Said(200, b"curl: (6) Could not resolve host\n")

    with pytest.raises(UnusableAnswerError) as caught:
        production.answer("/", 2)
    assert str(caught.value) == (
        "the Job that asked http://shop.shops.svc:80 had no answer: curl: (6) Could not resolve "
        "host"
    )


def test_a_job_that_does_not_end_is_removed_and_told(production, api):
    api.objects[PODS] = [a_job_pod("Pending")]

    with pytest.raises(UnusableAnswerError) as caught:
        production.answer("/", 2)
    assert str(caught.value) == (
        "the Job that asks http://shop.shops.svc:80 did not end within 5 s: its pod is Pending"
    )
    assert api.paths("DELETE") == [JOB]


def test_a_job_is_waited_for(production, api):
    phases = iter(["Pending", "Running", "Succeeded"])
    api.objects[PODS] = lambda _: [a_job_pod(next(phases))]

    assert production.answer("/", 2).status == 200
    assert {each.query["labelSelector"] for each in api.asked if each.path == PODS} == {
        "job-name=shop-follow-1"
    }


def test_a_log_that_may_not_be_read_is_told(production, api):
    api.objects[LOG] = Said.refusal(403, "pods/log is forbidden")

    with pytest.raises(DataPlaneError, match="the log of pod shop-follow-1-abc cannot be read"):
        production.answer("/", 2)
    assert api.paths("DELETE") == [JOB]


def test_a_job_that_may_not_be_made_is_told(production, api):
    api.answers["POST", JOBS] = Said.refusal(403, "jobs is forbidden")

    with pytest.raises(DataPlaneError, match="answers 403: jobs is forbidden"):
        production.answer("/", 2)


@pytest.mark.parametrize(
    "body",
    [
        b'{"color": "green"}',
        b'{"color":\n "green"}\n',
        '{"color": "green", "text": "\u2028"}'.encode(),
    ],
)
def test_what_curl_really_prints_is_read(production, api, body):
    """Runs the Job's own command, at an address where somebody answers."""
    production.answer("/color", 2)
    (container,) = the_job(api)["spec"]["template"]["spec"]["containers"]
    with served(lambda visit: visit.reply(200, body, "X-Color: green\r\n")) as web:
        command = [
            word.replace("http://shop.shops.svc:80", web.url) for word in container["command"]
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        except FileNotFoundError:
            pytest.skip("no curl on this machine")

    answers = list(answers_in(done.stdout))
    assert [answer.field("color") for answer in answers] == ["green"] * 3
    assert {answer.headers["x-color"] for answer in answers} == {"green"}
    assert len(web.heads) == 3
