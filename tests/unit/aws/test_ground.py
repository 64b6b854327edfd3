import pytest

from bluegreen.aws.ground import ground_of
from bluegreen.errors import ConfigError
from bluegreen.settings.aws import AwsSettings
from tests.components.aws_service import BALANCER, CERTIFICATE, aws_settings


def settings(**changes):
    return AwsSettings(**aws_settings(**changes))


def missing(settings, **given):
    with pytest.raises(ConfigError) as caught:
        ground_of(settings, **given)
    return list(caught.value.problems)


def test_what_the_config_says_is_what_it_stands_on():
    ground = ground_of(settings())

    assert ground.load_balancer_arn == BALANCER
    assert (ground.vpc_id, ground.subnet_ids) == ("vpc-1", ["subnet-1", "subnet-2"])
    assert ground.certificate_arn == CERTIFICATE


def test_what_the_program_gives_goes_first():
    ground = ground_of(settings(), vpc_id="vpc-9", subnet_ids=["subnet-9"])

    assert (ground.vpc_id, ground.subnet_ids) == ("vpc-9", ["subnet-9"])


def test_without_tls_no_certificate_is_wanted():
    ground = ground_of(settings(protocol="HTTP", certificate_arn=None))

    assert ground.certificate_arn is None


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("load_balancer_arn", "service.aws.load_balancer_arn ARN"),
        ("vpc_id", "service.aws.vpc_id vpc-ID"),
        ("subnet_ids", "'service.aws.subnet_ids[0]' subnet-ID"),
        ("certificate_arn", "service.aws.certificate_arn ARN"),
    ],
)
def test_what_is_missing_is_told_with_both_ways_to_give_it(key, command):
    assert missing(settings(**{key: None})) == [
        f"service.aws.{key}: is missing; nothing was changed; `pulumi config set --path {command}`"
        f", or give AsgServiceArgs({key}=…) in the program"
    ]


def test_members_that_would_let_nobody_in_are_told():
    (problem,) = missing(settings(load_balancer_security_group_id=None))

    assert problem.startswith("service.aws.load_balancer_security_group_id: is missing, and so is ")
    ground_of(settings(load_balancer_security_group_id=None, instance_security_group_ids=["sg-2"]))
