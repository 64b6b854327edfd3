import pytest

from bluegreen.aws.advice import AwsAdvice
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks import Failure
from tests.unit.aws.answers import BALANCER, LISTENER, FakeAws

GO_ON = "`pulumi up` goes on from there"
REFRESH = "`pulumi up --refresh` goes on from there"
PREFIX = "urn:pulumi:dev::shop::bluegreen:index:AsgService$aws"


def failed(kind, *errors, operation="create", **inputs):
    return Failure("it", f"{PREFIX}:{kind}::it", operation, inputs, errors)


def taken(identity, kind):
    return (
        "it is there already, made by an update that was killed, or by somebody else: "
        f"`pulumi refresh --yes --import-pending-creates {PREFIX}:{kind}::it,{identity}` takes "
        "over what a killed update of this stack has made"
    )


def test_what_has_no_way_out_of_its_own_is_tried_again():
    assert AwsAdvice(FakeAws())(failed("lb/listener:Listener", "InternalFailure")) == GO_ON


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("api error Throttling: Rate exceeded", "wait a minute"),
        ("RequestLimitExceeded", "wait a minute"),
        ("api error ExpiredToken: of yesterday", "log in again"),
        ("CertificateNotFound: none", "pulumi config set --path service.aws.certificate_arn ARN"),
    ],
)
def test_what_is_known_is_told_with_what_helps(said, told):
    advice = AwsAdvice(FakeAws())(failed("lb/listener:Listener", said, operation="update"))

    assert told in advice
    assert advice.endswith(f"; then {REFRESH}")


def test_a_listener_that_is_there_is_taken_over_by_its_arn():
    kind = "lb/listener:Listener"
    aws = FakeAws(
        describe_listeners={
            "Listeners": [
                {"ListenerArn": "other", "Port": 80},
                {"ListenerArn": LISTENER, "Port": 443},
            ]
        }
    )
    failure = failed(kind, "DuplicateListener: there", loadBalancerArn=BALANCER, port=443.0)

    assert AwsAdvice(aws)(failure) == taken(LISTENER, kind)


def test_a_rule_that_is_there_is_found_by_its_priority():
    kind = "lb/listenerRule:ListenerRule"
    rules = [{"RuleArn": "a", "Priority": "default"}, {"RuleArn": "b", "Priority": "10"}]
    failure = failed(kind, "PriorityInUse: 10", listenerArn=LISTENER, priority=10.0)

    assert AwsAdvice(FakeAws(describe_rules={"Rules": rules}))(failure) == taken("b", kind)


def test_what_has_a_fixed_name_is_taken_over_by_it():
    kind = "ssm/parameter:Parameter"
    failure = failed(kind, "ParameterAlreadyExists: there", name="/shop/active-color")

    assert AwsAdvice(FakeAws())(failure) == taken("/shop/active-color", kind)


def test_without_an_answer_of_aws_the_rest_is_told():
    kind = "lb/listener:Listener"
    aws = FakeAws(describe_listeners=DataPlaneError("not allowed"))
    failure = failed(kind, "DuplicateListener: there", loadBalancerArn=BALANCER, port=443.0)

    assert AwsAdvice(aws)(failure) == taken("ID", kind)


def test_an_update_is_never_told_to_take_something_over():
    failure = failed("ssm/parameter:Parameter", "ParameterAlreadyExists", operation="update")

    assert AwsAdvice(FakeAws())(failure) == REFRESH
