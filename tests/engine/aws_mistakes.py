"""What people write wrongly about a service on AWS, and the one line that each of it is told in.

`<name>` stands for what is in the account; see `tests.engine.test_aws_bad_input.Account`.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.engine.test_bad_input import TEXT, no, to_remove, to_set, wrong

__all__ = ["CHEAP", "REST", "Mistake"]

AWS = "service.aws"
SECRET = "hunter2-visibly-fake"
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
BALANCER_KIND = (
    "is not the ARN of an Application Load Balancer (arn:aws:elasticloadbalancing:REGION:ACCOUNT:"
    "loadbalancer/app/NAME/ID)"
)
RULE = {"listener_arn": "<shared_listener>", "priority": 10, "hosts": ["cart.example"]}
NOT_FOLLOWED = (
    ": the provider would follow it, and the gates cannot, which have to ask where it writes; "
    "nothing was changed;"
)
PORT_OF_SHOP = (
    "a listener of the service shop of the stack shop/test has port 80 of the load balancer"
)
HTTPS = {"protocol": "HTTPS", "certificate_arn": "<certificate>"}


@dataclass(frozen=True)
class Mistake:
    name: str
    config: dict[str, Any]
    """By dotted key; None takes a key out."""

    says: str
    others: dict[str, Any] = field(default_factory=dict)
    """Config of other namespaces: `aws:…`."""

    secret: tuple[str, ...] = ()


def key(name: str) -> str:
    return f"{AWS}.{name}"


def aws(name: str, config: dict[str, Any], says: str) -> Mistake:
    """Keys of the platform's own section."""
    return Mistake(name, {key(part): value for part, value in config.items()}, says)


# What can be told of the config alone.
WRITTEN = [
    aws(
        "network load balancer",
        {"load_balancer_arn": f"{ARN}:loadbalancer/net/front/50dc6c495c0c9188"},
        wrong(
            key("load_balancer_arn"),
            f'"{ARN}:loadbalancer/net/front/50dc6c495c0c9188" {BALANCER_KIND}',
            TEXT,
        ),
    ),
    aws(
        "certificate of another region",
        {**HTTPS, "certificate_arn": "<foreign_certificate>"},
        no(
            key("certificate_arn"),
            "it is in eu-west-1, and the load balancer is in us-east-1, which uses its own "
            "region's only",
            to_set(key("certificate_arn"), "ARN"),
        ),
    ),
    aws(
        "rule without hosts",
        {"rule": {"listener_arn": "<shared_listener>", "priority": 10}},
        no(
            key("rule"),
            "names neither hosts nor paths, so it would take everything",
            to_set(f"'{key('rule.hosts[0]')}'", TEXT),
        ),
    ),
    aws(
        "tag of aws",
        {"tags": {"AWS:owner": "me"}},
        no(
            key("tags"),
            "tags that begin with AWS: are not yours to set",
            f"`pulumi config rm --path '{key('tags')}[\"AWS:owner\"]'`",
        ),
    ),
    aws(
        "script that is too long",
        {"user_data": "x" * 16380},
        no(
            key("user_data"),
            "with the variables of blue it has 16502 bytes, and a launch template takes 16384",
            "keep the script in the image or in a bucket, and start it from here",
        ),
    ),
    Mistake(
        "secret that is no type",
        {},
        wrong(
            key("instance_type"),
            r"the value (not shown) does not match ^[a-z0-9-]+\.[a-z0-9-]+$",
            TEXT,
        ),
        secret=(key("instance_type"), SECRET),
    ),
    Mistake(
        "role that the gates cannot take on",
        {},
        f"aws:assumeRoleWithWebIdentity{NOT_FOLLOWED} set AWS_WEB_IDENTITY_TOKEN_FILE and "
        "AWS_ROLE_ARN, which both read, or use a profile instead, and `pulumi config rm "
        "aws:assumeRoleWithWebIdentity`",
        others={"aws:assumeRoleWithWebIdentity": {"roleArn": "arn:aws:iam::123456789012:role/x"}},
    ),
]

# What the account says.
FOUND = [
    aws(
        "no such load balancer",
        {"load_balancer_arn": "<lost_balancer>"},
        no(
            key("load_balancer_arn"),
            "there is no load balancer <lost_balancer> in this account",
            to_set(key("load_balancer_arn"), "ARN"),
        ),
    ),
    aws(
        "load balancer of another region",
        {"load_balancer_arn": "<foreign_balancer>"},
        no(
            key("load_balancer_arn"),
            "the load balancer is in eu-west-1, and this update works in us-east-1",
            "`pulumi config set aws:region eu-west-1`, or set AWS_REGION to it, or name a load "
            "balancer of us-east-1; with a provider of your own say AsgServiceArgs(region=…)",
        ),
    ),
    aws(
        "network of another load balancer",
        {"vpc_id": "<other_vpc>"},
        no(
            key("vpc_id"),
            "<other_vpc> is not where the load balancer is, which is in <vpc>",
            to_set(key("vpc_id"), "<vpc>"),
        ),
    ),
    aws(
        "no such subnet",
        {"subnet_ids": ["subnet-00000000"]},
        no(
            key("subnet_ids"),
            "there is no subnet-00000000 in this account and region",
            to_set(f"'{key('subnet_ids')}[0]'", "subnet-ID"),
        ),
    ),
    aws(
        "subnet of another network",
        {"subnet_ids": ["<subnet>", "<other_subnet>"]},
        no(
            key("subnet_ids"),
            "<other_subnet> is not in <vpc>",
            to_set(f"'{key('subnet_ids')}[1]'", "subnet-ID"),
        ),
    ),
    aws(
        "subnet that the load balancer does not serve",
        {"subnet_ids": ["<unserved_subnet>"]},
        no(
            key("subnet_ids"),
            "members in us-east-1c would get no requests: the load balancer is in us-east-1a, "
            "us-east-1b",
            to_set(f"'{key('subnet_ids')}[0]'", "subnet-ID"),
        ),
    ),
    aws(
        "group that is not the load balancer's",
        {"load_balancer_security_group_id": "<other_group>"},
        no(
            key("load_balancer_security_group_id"),
            "<other_group> is no group of the load balancer, which has <group>: the members would "
            "let nobody in",
            to_set(key("load_balancer_security_group_id"), "<group>"),
        ),
    ),
    aws(
        "group of another network",
        {"instance_security_group_ids": ["<other_group>"]},
        no(
            key("instance_security_group_ids"),
            "there is no <other_group> in <vpc>",
            to_set(f"'{key('instance_security_group_ids')}[0]'", "sg-ID"),
        ),
    ),
    Mistake(
        "no such image",
        {"green.image": "ami-00000000"},
        no(
            "green.image",
            "there is no image ami-00000000 in us-east-1 that this account may use",
            to_set("green.image", "ami-ID"),
        ),
    ),
    aws(
        "no such type",
        {"instance_type": "t99.huge"},
        no(
            key("instance_type"),
            "us-east-1 has no instances of type t99.huge",
            to_set(key("instance_type"), "TYPE"),
        ),
    ),
    aws(
        "no such profile",
        {"instance_profile": "nobody"},
        no(
            key("instance_profile"),
            "there is no instance profile nobody in this account",
            to_set(key("instance_profile"), "NAME"),
        ),
    ),
    aws(
        "no such certificate",
        {**HTTPS, "certificate_arn": "<lost_certificate>"},
        no(
            key("certificate_arn"),
            "there is no certificate <lost_certificate>",
            to_set(key("certificate_arn"), "ARN"),
        ),
    ),
    aws(
        "certificate that is not issued",
        {**HTTPS, "certificate_arn": "<pending_certificate>"},
        no(
            key("certificate_arn"),
            "the certificate is not issued, it is pending validation",
            to_set(key("certificate_arn"), "ARN"),
        ),
    ),
    aws(
        "no such tls policy",
        {**HTTPS, "ssl_policy": "ELBSecurityPolicy-TLS-9-9"},
        no(
            key("ssl_policy"),
            "load balancers know no TLS policy ELBSecurityPolicy-TLS-9-9",
            to_set(key("ssl_policy"), "ELBSecurityPolicy-TLS13-1-2-2021-06"),
        ),
    ),
    aws(
        "test port of another service",
        {"test_port": 8443},
        no(
            key("test_port"),
            "a listener of the service shop of the stack shop/test has port 8443 of the load "
            "balancer",
            to_set(key("test_port"), "PORT"),
        ),
    ),
    aws(
        "priority of somebody else",
        {"rule": {**RULE, "priority": 7}},
        no(
            key("rule.priority"),
            "a rule of somebody else has the priority 7",
            to_set(key("rule.priority"), "NUMBER"),
        ),
    ),
    aws(
        "flag of another stack",
        {"flag_name": "/shop/active-color"},
        no(
            key("flag_name"),
            "the parameter /shop/active-color is there and belongs to the service shop of the "
            "stack shop/test",
            to_set(key("flag_name"), "/shop/active-color-2"),
        ),
    ),
    Mistake(
        "log group of somebody else",
        {"service.name": "till"},
        no(
            key("events_log_group"),
            "the log group /till/deployments is there and belongs to somebody else",
            "to write into it all the same: "
            f"{to_set(key('events_log_group'), '/till/deployments')}",
        ),
    ),
]

CHEAP = [*WRITTEN, *FOUND]
"""Enough of them for every `make test`; the rest is `make soak`'s."""

REST = [
    aws(
        "https without a certificate",
        {"protocol": "HTTPS"},
        no(
            key("certificate_arn"),
            "is missing",
            f"{to_set(key('certificate_arn'), 'ARN')}, or give AsgServiceArgs(certificate_arn=…) "
            "in the program",
        ),
    ),
    aws(
        "no network",
        {"vpc_id": None},
        no(
            key("vpc_id"),
            "is missing",
            f"{to_set(key('vpc_id'), 'vpc-ID')}, or give AsgServiceArgs(vpc_id=…) in the program",
        ),
    ),
    aws(
        "test port of production",
        {"test_port": 81},
        no(key("test_port"), "81 is the port of production", to_set(key("test_port"), "8443")),
    ),
    aws(
        "range that is none",
        {"test_allowed_cidrs": ["10.0.0.0/33"]},
        wrong(
            f"{key('test_allowed_cidrs')}[0]",
            '"10.0.0.0/33" is not a range of addresses such as 192.0.2.0/24 or 2001:db8::/32',
            TEXT,
        ).replace(
            f"--path {key('test_allowed_cidrs')}[0]", f"--path '{key('test_allowed_cidrs')}[0]'"
        ),
    ),
    Mistake(
        "more replicas than the most",
        {key("max_size"): 2, "green.replicas": 3},
        no(
            "green.replicas",
            "3 members are more than service.aws.max_size 2",
            to_set(key("max_size"), "3"),
        ),
    ),
    Mistake(
        "check that no target group makes",
        {"service.health_check.interval_seconds": 7.5},
        no(
            "service.health_check.interval_seconds",
            "7.5 is not a whole number of 5 to 300, which is what a target group takes",
            to_set("service.health_check.interval_seconds", "5"),
        ),
    ),
    Mistake(
        "command of another platform",
        {"green.command": "serve --port {port}"},
        no("green.command", "is not read on the platform aws", to_remove("green.command")),
    ),
    aws(
        "target group for a load balancer",
        {"load_balancer_arn": f"{ARN}:targetgroup/shop/50dc6c495c0c9188"},
        wrong(
            key("load_balancer_arn"),
            f'"{ARN}:targetgroup/shop/50dc6c495c0c9188" {BALANCER_KIND}',
            TEXT,
        ),
    ),
    aws(
        "rule on a listener of another load balancer",
        {"rule": {**RULE, "listener_arn": f"{ARN}:listener/app/other/1/2"}},
        no(
            AWS,
            "rule.listener_arn is not a listener of load_balancer_arn",
            to_set(key("rule.listener_arn"), TEXT),
        ),
    ),
    aws(
        "rule on a listener that is gone",
        {"rule": {**RULE, "listener_arn": "<lost_listener>"}},
        no(
            key("rule.listener_arn"),
            "there is no listener <lost_listener>",
            to_set(key("rule.listener_arn"), "ARN"),
        ),
    ),
    aws(
        "rule of too much",
        {"rule": {**RULE, "paths": [f"/{number}" for number in range(5)]}},
        no(
            "service.aws.rule",
            "has more than 5 hosts and paths, which a rule cannot",
            to_remove("service.aws.rule.paths"),
        ),
    ),
    aws(
        "address instead of a range",
        {"test_allowed_cidrs": ["10.0.0.1/8"]},
        no(
            "service.aws.test_allowed_cidrs[0]",
            '"10.0.0.1/8" is an address in the range 10.0.0.0/8, and not the range',
            to_set("'service.aws.test_allowed_cidrs[0]'", "VALUE --type string"),
        ),
    ),
    aws(
        "range that is there twice",
        {"test_allowed_cidrs": ["2001:db8::/32", "2001:DB8::/32"]},
        no(
            "service.aws.test_allowed_cidrs",
            "2001:db8::/32 is there twice",
            to_remove("'service.aws.test_allowed_cidrs[1]'"),
        ),
    ),
    aws(
        "subnet that is there twice",
        {"subnet_ids": ["<subnet>", "<subnet>"]},
        no(
            "service.aws.subnet_ids",
            "subnet-1 is there twice",
            to_remove("'service.aws.subnet_ids[1]'"),
        ),
    ),
    Mistake(
        "path that is too long",
        {"service.health_check.path": "/" + "x" * 1024},
        no(
            "service.health_check.path",
            "it has 1025 characters, and a target group takes 1024",
            to_set("service.health_check.path", "PATH"),
        ),
    ),
    aws(
        "tags that are too many",
        {"tags": {f"tag{number}": "x" for number in range(46)}},
        no(
            "service.aws.tags",
            "46 tags are more than 45, which AWS has place for beside ours",
            to_remove("service.aws.tags.tag45"),
        ),
    ),
    aws(
        "flag of aws",
        {"flag_name": "/aws/active-color"},
        no(
            "service.aws.flag_name",
            "names that begin with /aws are not yours to give",
            to_set("service.aws.flag_name", "VALUE --type string"),
        ),
    ),
    aws(
        "days that nobody knows",
        {"events_retention_days": 2},
        no(
            "service.aws.events_retention_days",
            (
                "2 is not a number of days that CloudWatch Logs knows (1, 3, 5, 7, 14, 30, "
                "60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, "
                "3288, 3653)"
            ),
            to_set("service.aws.events_retention_days", "VALUE"),
        ),
    ),
    aws(
        "alarm of an unknown word",
        {"alarm_gate": {"names": ["api-{colour}"]}},
        no(
            "service.aws.alarm_gate.names[0]",
            '"api-{colour}" has another word in braces than {color}',
            to_set("'service.aws.alarm_gate.names[0]'", "VALUE --type string"),
        ),
    ),
    aws(
        "redirect to nowhere",
        {"redirect_http": True},
        no(
            "service.aws",
            "redirect_http leads to HTTPS, and protocol is HTTP",
            to_remove("service.aws.redirect_http"),
        ),
    ),
    aws(
        "no log group",
        {"events_log_group": "/nobody/here"},
        no(
            key("events_log_group"),
            "there is no log group /nobody/here",
            f"make it, or {to_remove(key('events_log_group'))} has one made",
        ),
    ),
    aws(
        "typo",
        {"subnets": ["subnet-1"]},
        no(
            "service.aws.subnets",
            "is not a known key, did you mean subnet_ids?",
            to_remove("service.aws.subnets"),
        ),
    ),
    aws(
        "another format of a script",
        {"user_data": "#cloud-config\npackages: [x]\n"},
        no(
            "service.aws.user_data",
            (
                "user_data has to be a shell script, because the variables of a color are "
                "put in front of it; start it with #!/bin/bash, or with the first command"
            ),
            to_set("service.aws.user_data", "VALUE --type string"),
        ),
    ),
    aws(
        "topic that is none",
        {"alarms": {"topic_arns": ["arn:aws:sqs:us-east-1:1:x"]}},
        no(
            "service.aws.alarms.topic_arns[0]",
            (
                '"arn:aws:sqs:us-east-1:1:x" is not the ARN of an SNS topic '
                "(arn:aws:sns:REGION:ACCOUNT:NAME)"
            ),
            to_set("'service.aws.alarms.topic_arns[0]'", "VALUE --type string"),
        ),
    ),
    Mistake(
        "name that is too long",
        {"service.name": "a-cart-with-a-long-name"},
        no(
            "service.name",
            "service name 'a-cart-with-a-long-name' has 23 characters; the limit is 18",
            to_set("service.name", "VALUE --type string"),
        ),
    ),
    Mistake(
        "variable that no shell takes",
        {"green.env": {"9 lives": SECRET}},
        no(
            'green.env["9 lives"]',
            "is not a name of a variable of a shell ([A-Za-z_][A-Za-z0-9_]*)",
            to_remove("'green.env[\"9 lives\"]'"),
        ),
    ),
    Mistake(
        "passwords, which are not read",
        {"green.secrets": {"DB": SECRET}},
        no("green.secrets", "is not read on the platform aws", to_remove("green.secrets")),
    ),
    Mistake(
        "canary of the live color",
        {"canary": {"color": "blue", "percent": 5}},
        no(
            "canary.percent",
            "5 % is meant for blue, which is the active color; a later rollback would keep that "
            "share on it",
            to_set("canary.percent", "0"),
        ),
    ),
    Mistake(
        "image that is none",
        {"green.image": "debian-12"},
        no("green.image", '"debian-12" is not the id of an AMI', to_set("green.image", "ami-ID")),
    ),
    Mistake(
        "production port of another service",
        {"service.port": 80},
        no(
            "service.port",
            PORT_OF_SHOP,
            to_set("service.port", "PORT"),
        ),
    ),
    Mistake(
        "redirect on the port of another service",
        {key("redirect_http"): True, **{key(part): value for part, value in HTTPS.items()}},
        no(
            key("redirect_http"),
            PORT_OF_SHOP,
            to_remove(key("redirect_http")),
        ),
    ),
    Mistake(
        "configuration files of its own",
        {},
        f"aws:sharedConfigFiles{NOT_FOLLOWED} set AWS_CONFIG_FILE instead, and `pulumi config rm "
        "aws:sharedConfigFiles`",
        others={"aws:sharedConfigFiles": ["/x"]},
    ),
]
