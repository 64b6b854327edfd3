import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import ANY

import pytest

from bluegreen.aws import aws_session
from bluegreen.aws.assumed_role import AssumedRole
from bluegreen.aws.aws_session import AwsAccess, AwsSession, NoAnswerError, NotFoundError
from bluegreen.errors import DataPlaneError

SECRET = "not-a-secret-key"
PARAMETER = {"Parameter": {"Name": "/a", "Value": "blue"}}


class Answers(BaseHTTPRequestHandler):
    """Says what the test wants, one after the other; the last one for ever."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(self.headers)
        said = self.server.said
        status, body = said.pop(0) if len(said) > 1 else said[0]
        is_xml = isinstance(body, str)
        content = (body if is_xml else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", "text/xml" if is_xml else "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nobody reads it."""


@contextlib.contextmanager
def an_endpoint(*said):
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.said, server.seen = list(said), []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def refused(code, message="", status=400):
    return status, {"__type": code, "message": message}


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch, tmp_path):
    """Without the profiles, the credentials and the instance of whoever runs the tests."""
    for variable in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def at(monkeypatch, server):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    return AwsSession(AwsAccess(region="eu-west-1"))


def line_of(session, error=DataPlaneError):
    with pytest.raises(DataPlaneError) as caught:
        session.call("ssm", "get_parameter", Name="/a")
    text = str(caught.value)
    assert type(caught.value) is error
    assert "\n" not in text
    assert SECRET not in text
    return text


def test_an_answer_is_given_as_it_is(monkeypatch):
    with an_endpoint((200, PARAMETER)) as server:
        answer = at(monkeypatch, server).call("ssm", "get_parameter", Name="/a")

    assert answer["Parameter"]["Value"] == "blue"


def test_a_list_is_read_to_its_end(monkeypatch):
    first = {"Parameters": [{"Version": 1}], "NextToken": "more"}
    with an_endpoint((200, first), (200, {"Parameters": [{"Version": 2}]})) as server:
        session = at(monkeypatch, server)
        found = session.pages("ssm", "get_parameter_history", "Parameters", Name="/a")

    assert [each["Version"] for each in found] == [1, 2]


def test_a_request_that_is_throttled_is_tried_again(monkeypatch):
    with an_endpoint(refused("ThrottlingException"), (500, {}), (200, PARAMETER)) as server:
        answer = at(monkeypatch, server).call("ssm", "get_parameter", Name="/a")
        tries = len(server.seen)

    assert answer["Parameter"]["Value"] == "blue"
    assert tries == 3


def test_trying_again_ends(monkeypatch):
    monkeypatch.setattr(aws_session, "_ATTEMPTS", 2)
    with an_endpoint(refused("ThrottlingException", "Rate exceeded")) as server:
        text = line_of(at(monkeypatch, server))
        tries = len(server.seen)

    assert text == (
        "ssm:GetParameter answers ThrottlingException: Rate exceeded, 2 times in a row; AWS has "
        "too many requests of this account: wait"
    )
    assert tries == 2


def test_a_missing_permission_is_named_as_a_policy_has_it(monkeypatch):
    denied = refused("AccessDeniedException", "User: arn:aws:iam::1:user/anna is not authorized")
    with an_endpoint(denied) as server:
        text = line_of(at(monkeypatch, server))

    assert text.startswith("not allowed to ask: the policy lacks ssm:GetParameter (AccessDenied")


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_credentials_that_are_not_valid_are_told(monkeypatch, code):
    with an_endpoint(refused(code)) as server:
        text = line_of(at(monkeypatch, server))

    assert text == f"ssm:GetParameter is refused: the credentials are not valid ({code})"


def test_credentials_that_were_valid_once_are_to_be_had_again(monkeypatch):
    with an_endpoint(refused("ExpiredTokenException")) as server:
        text = line_of(at(monkeypatch, server))

    assert text == (
        "ssm:GetParameter is refused: the credentials have expired (ExpiredTokenException); "
        "log in again, or get a new token"
    )


def test_what_is_not_there_is_told_apart(monkeypatch):
    with an_endpoint(refused("ParameterNotFound")) as server:
        text = line_of(at(monkeypatch, server), NotFoundError)

    assert text.startswith("ssm:GetParameter answers ParameterNotFound")


def test_nobody_at_the_address_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(aws_session, "_ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    text = line_of(AwsSession(AwsAccess(region="eu-west-1")), NoAnswerError)

    assert text.startswith("ssm:GetParameter has no answer: ")
    assert "http://127.0.0.1:9" in text


def test_without_credentials_it_says_how_to_give_them(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    text = line_of(AwsSession(AwsAccess(region="eu-west-1")), NoAnswerError)

    assert "there are no AWS credentials; set a profile, or AWS_ACCESS_KEY_ID" in text


def test_without_a_region_it_says_how_to_give_one():
    text = line_of(AwsSession(AwsAccess()), NoAnswerError)

    assert "there is no region; `pulumi config set aws:region REGION`, or set AWS_REGION" in text


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
    ],
    ids=["AWS_REGION", "AWS_DEFAULT_REGION", "both"],
)
def test_it_asks_in_the_region_where_the_provider_writes(monkeypatch, variables, region):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with an_endpoint((200, PARAMETER)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        session = AwsSession(AwsAccess())
        session.call("ssm", "get_parameter", Name="/a")
        (headers,) = server.seen

    assert session.region == region
    assert f"/{region}/ssm/aws4_request" in headers["authorization"]


def test_an_unknown_profile_is_named():
    text = line_of(AwsSession(AwsAccess(region="eu-west-1", profile="nobody")), NoAnswerError)

    assert "profile (nobody) could not be found" in text


def test_a_region_that_is_none_is_told():
    text = line_of(AwsSession(AwsAccess(region="eu west")), NoAnswerError)

    assert text.startswith("ssm:GetParameter ")
    assert "eu west" in text


def test_keys_of_the_provider_are_used_and_not_shown(monkeypatch):
    access = AwsAccess(region="eu-west-1", access_key="AKIDOFTHEPROVIDER", secret_key=SECRET)
    with an_endpoint((200, PARAMETER)) as server:
        at(monkeypatch, server)
        AwsSession(access).call("ssm", "get_parameter", Name="/a")
        (headers,) = server.seen

    assert "Credential=AKIDOFTHEPROVIDER/" in headers["authorization"]
    assert SECRET not in repr(access)


ROLE = "arn:aws:iam::123456789012:role/deployer"
ASSUMED = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>OTHER</AccessKeyId>"
    f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>token</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>"
)
NOT_ASSUMED = (
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not trusted</Message></Error>"
    "</ErrorResponse>"
)


def in_a_role(monkeypatch, server, **more):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    role = AssumedRole(role_arn=ROLE, **more)
    return AwsSession(AwsAccess(region="eu-west-1", roles=(role,)))


def test_what_is_asked_is_asked_in_the_role_and_the_role_once(monkeypatch):
    with an_endpoint((200, ASSUMED), (200, PARAMETER)) as server:
        session = in_a_role(monkeypatch, server)
        for _ in range(2):
            assert session.call("ssm", "get_parameter", Name="/a") == PARAMETER | {
                "ResponseMetadata": ANY
            }
        who = [each["authorization"].partition("Credential=")[2][:5] for each in server.seen]

    assert who == ["nobod", "OTHER", "OTHER"]
    assert session.region == "eu-west-1"


def test_a_role_that_may_not_be_taken_on_is_told_as_that(monkeypatch):
    with an_endpoint((403, NOT_ASSUMED)) as server:
        text = line_of(in_a_role(monkeypatch, server))

    assert text == (
        "not allowed to ask: the policy lacks sts:AssumeRole (AccessDenied: not trusted)"
    )
