import pytest

from bluegreen.settings.aws import ListenerProtocol
from tests.components.aws_service import RULE, aws_settings
from tests.unit.written import a_config, problem_of, problems_of, set_path

CIDRS = {"test_allowed_cidrs": ["10.0.0.0/8"]}
BAD_ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/front/1"


def on_aws(*, service=None, **aws):
    return {"platform": "aws", "aws": aws_settings(**aws), **(service or {})}


def the_problem(path, complaint, *, fix=None, place="service.aws", service=None, **aws):
    """Whether the settings have exactly this one problem, and this way out."""
    whole = f"{place}.{path}"
    said = problem_of(service=on_aws(service=service, **aws))
    assert said == f"shop:{whole}: {complaint}; nothing was changed; {fix or set_path(whole)}"


def test_a_service_on_aws_is_closed_and_encrypted_by_default():
    settings = a_config(service=on_aws()).service.aws

    assert settings.protocol is ListenerProtocol.HTTPS
    assert settings.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert settings.test_allowed_cidrs == ()
    assert not settings.public_addresses


def test_aws_has_defaults_of_its_own_for_port_and_readiness():
    service = a_config(service=on_aws()).service

    assert service.port == 443
    check = service.health_check
    assert (check.interval_seconds, check.timeout_seconds) == (30, 5)
    assert (check.healthy_threshold, check.unhealthy_threshold) == (2, 3)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("load_balancer_arn", BAD_ARN),
        ("vpc_id", "my-vpc"),
        ("certificate_arn", "shop.example"),
        ("ssl_policy", "TLS-1-0"),
        ("image_id", "debian-12"),
        ("instance_type", "large"),
        ("instance_profile", "my profile"),
        ("production_url", "shop.example"),
        ("flag_name", "active-color"),
    ],
)
def test_what_aws_would_not_take_is_refused_by_its_key(key, value):
    problem = problem_of(service=on_aws(**{key: value}))

    assert problem.startswith(f'shop:service.aws.{key}: "{value}"')
    assert "nothing was changed; " in problem


def test_who_is_let_in_needs_a_group_that_lets_them_in():
    given = CIDRS | {
        "load_balancer_security_group_id": None,
        "instance_security_group_ids": ["sg-2"],
    }
    problem = problem_of(service=on_aws(**given))

    assert "does not say which group is to let them in" in problem
    assert set_path("service.aws.load_balancer_security_group_id", "sg-ID") in problem


@pytest.mark.parametrize("range_", ["10.0.0.0", "10.0.0.0/33", "anyone"])
def test_a_range_is_one_of_addresses(range_):
    problem = problem_of(service=on_aws(test_allowed_cidrs=[range_]))

    assert problem.startswith(f'shop:service.aws.test_allowed_cidrs[0]: "{range_}"')


@pytest.mark.parametrize(
    ("range_", "why"),
    [
        ("10.0.0.1/8", "is an address in the range 10.0.0.0/8, and not the range"),
        ("2001:db8::1/32", "is an address in the range 2001:db8::/32, and not the range"),
        ("192.0.2.7", "is an address and not a range of them, which would be 192.0.2.7/32"),
        ("2001:db8::/129", "is not a range of addresses"),
    ],
)
def test_a_range_says_what_it_is(range_, why):
    assert why in problem_of(service=on_aws(test_allowed_cidrs=[range_]))


def test_ranges_may_be_of_ipv6_and_are_there_once():
    given = a_config(service=on_aws(**CIDRS | {"test_allowed_cidrs": ["2001:DB8:0:0::/32"]}))
    assert given.service.aws.test_allowed_cidrs == ("2001:db8::/32",)

    twice = ["2001:db8::/32", "2001:DB8::/32"]
    problem = problem_of(service=on_aws(test_allowed_cidrs=twice))
    assert "2001:db8::/32 is there twice" in problem
    assert "`pulumi config rm --path 'service.aws.test_allowed_cidrs[1]'`" in problem


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tags": {"AWS:owner": "me"}}, "tags that begin with AWS: are not yours to set"),
        ({"tags": {"team!": "me"}}, "a tag's name has 1 to 128 letters"),
        ({"tags": {"team": "x" * 257}}, "a tag's value has at most 256 letters"),
        ({"tags": {f"tag{number}": "x" for number in range(46)}}, "46 tags are more than 45"),
        ({"flag_name": "/AWS/color"}, "names that begin with /AWS are not yours to give"),
        ({"flag_name": "/a" * 16}, "it has 16 levels, and a parameter has at most 15"),
        ({"flag_name": "/shop//color"}, "does not match"),
        ({"events_retention_days": 2}, "2 is not a number of days that CloudWatch Logs knows"),
        ({"alarm_gate": {"names": ["x-{colour}"]}}, "has another word in braces than {color}"),
        ({"instance_profile": "rôle"}, "does not match"),
        ({"instance_profile": "x" * 129}, "has more than 128 characters"),
        ({"subnet_ids": ["subnet-1", "subnet-1"]}, "subnet-1 is there twice"),
        (
            {"alarms": {"topic_arns": ["arn:aws:sns:us-east-1:123456789012:x"]}},
            "service.aws.alarms.topic_arns[0]: it is in us-east-1, and the load balancer is in "
            "eu-west-1",
        ),
        (
            {"certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
            "service.aws.certificate_arn: it is in us-east-1, and the load balancer is in "
            "eu-west-1",
        ),
    ],
)
def test_what_aws_takes_differently_from_what_is_written_is_told(changes, why):
    problem = problem_of(service=on_aws(**changes))

    assert why in problem
    assert "nothing was changed" in problem


def test_a_certificate_of_iam_is_of_no_region():
    arn = "arn:aws:iam::123456789012:server-certificate/shop"

    assert a_config(service=on_aws(certificate_arn=arn)).service.aws.certificate_arn == arn


def test_a_rule_says_what_is_the_services_own():
    rule = {key: value for key, value in RULE.items() if key != "hosts"}

    assert "names neither hosts nor paths" in problem_of(service=on_aws(rule=rule))
    many = rule | {"paths": [f"/{index}" for index in range(6)]}
    assert "more than 5 hosts and paths" in problem_of(service=on_aws(rule=many))


def test_a_rule_is_on_a_listener_of_the_load_balancer():
    other = RULE["listener_arn"].replace("/front/", "/back/")
    problem = problem_of(service=on_aws(rule=RULE | {"listener_arn": other}))

    assert "is not a listener of load_balancer_arn" in problem
    a_config(service=on_aws(rule=RULE))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"protocol": "HTTP", "certificate_arn": None}, "leads to HTTPS, and protocol is HTTP"),
        ({"rule": RULE}, "would be a listener of a shared load balancer"),
    ],
)
def test_a_redirect_needs_something_to_lead_to(changes, why):
    service = on_aws(redirect_http=True, service={"port": 8000}, **changes)

    assert why in problem_of(service=service)


def test_own_tags_are_not_the_users():
    problem = problem_of(service=on_aws(tags={"bluegreen:color": "red"}))

    assert "tags that begin with bluegreen: are not yours to set" in problem


@pytest.mark.parametrize("text", ["#cloud-config\npackages: []", "MIME-Version: 1.0"])
def test_user_data_is_a_script(text):
    assert "user_data has to be a shell script" in problem_of(service=on_aws(user_data=text))


# What the values contradict each other in.


def test_plain_http_is_not_spoken_on_the_port_of_https():
    the_problem(
        "port",
        "443 is the port of HTTPS, and service.aws.protocol is HTTP",
        place="service",
        fix=set_path("service.port", "80"),
        protocol="HTTP",
    )


def test_the_test_listener_has_a_port_of_its_own():
    the_problem(
        "test_port",
        "443 is the port of production",
        fix=set_path("service.aws.test_port", "8443"),
        test_port=443,
    )


@pytest.mark.parametrize(
    ("check", "key", "complaint", "value"),
    [
        ({"interval_seconds": 2, "timeout_seconds": 2}, "interval_seconds", "2 is not a", "5"),
        ({"interval_seconds": 10.5}, "interval_seconds", "10.5 is not a whole number", "5"),
        ({"timeout_seconds": 1}, "timeout_seconds", "1 is not a whole number of 2", "2"),
        ({"interval_seconds": 5}, "timeout_seconds", "5 is not less than interval", "4"),
        ({"healthy_threshold": 1}, "healthy_threshold", "1 is not at least 2", "2"),
        ({"unhealthy_threshold": 1}, "unhealthy_threshold", "1 is not at least 2", "2"),
    ],
)
def test_a_health_check_that_no_target_group_makes_is_told(check, key, complaint, value):
    problems = problems_of(service=on_aws(service={"health_check": check}))

    (problem,) = [each for each in problems if f".{key}:" in each and complaint in each]
    assert problem.startswith(f"shop:service.health_check.{key}: {complaint}")
    assert problem.endswith(set_path(f"service.health_check.{key}", value))


def test_a_color_needs_an_image():
    problems = problems_of(service=on_aws(image_id=None))

    assert problems == [
        f"shop:{color}.image: is missing, and so is service.aws.image_id; nothing was changed; "
        "`pulumi config set --path service.aws.image_id ami-ID`"
        for color in ("blue", "green")
    ]


def test_an_image_is_the_id_of_an_ami():
    problem = problem_of(service=on_aws(), green={"release": "1.1", "image": "shop:1.1"})

    assert problem.startswith('shop:green.image: "shop:1.1" is not the id of an AMI; ')


def test_members_fit_below_the_largest_size():
    problem = problem_of(service=on_aws(max_size=2), blue={"release": "1.0", "replicas": 3})

    assert problem == (
        "shop:blue.replicas: 3 members are more than service.aws.max_size 2; nothing was changed; "
        "`pulumi config set --path service.aws.max_size 3`"
    )


def test_a_variable_has_a_name_that_a_shell_exports():
    problem = problem_of(service=on_aws(env={"MY-NAME": "x"}))

    assert problem.startswith(
        'shop:service.aws.env["MY-NAME"]: is not a name of a variable of a shell '
    )


@pytest.mark.parametrize(("key", "value"), [("command", "serve"), ("secrets", {"A": "1"})])
def test_what_this_platform_does_not_read_is_told(key, value):
    problem = problem_of(service=on_aws(), blue={"release": "1.0", key: value})

    assert problem.startswith(f"shop:blue.{key}: is not read on the platform aws; ")


def test_every_problem_is_told_at_once():
    service = on_aws(vpc_id="x", image_id=None, service={"health_check": {"healthy_threshold": 1}})

    assert len(problems_of(service=service)) == 1
    service["aws"]["vpc_id"] = "vpc-1"
    assert len(problems_of(service=service)) == 3
