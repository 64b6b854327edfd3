"""What only the AWS platform needs to know."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bluegreen.settings.aws_values import (
    AlarmName,
    CertificateArn,
    Cidr,
    HostPattern,
    ImageId,
    ListenerArn,
    LoadBalancerArn,
    LogGroupName,
    ParameterName,
    PathPattern,
    RetentionDays,
    SecurityGroupId,
    SubnetId,
    Tags,
    TopicArn,
    UserData,
    VpcId,
    each_once,
)
from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.gate import GateSettings, Seconds
from bluegreen.settings.kubernetes import BaseUrl
from bluegreen.settings.member import MemberEnvironment

__all__ = [
    "AlarmGateSettings",
    "AlarmSettings",
    "AwsSettings",
    "ListenerProtocol",
    "ListenerRuleSettings",
    "NoDataPolicy",
]

_MOST_CONDITION_VALUES = 5


class ListenerProtocol(StrEnum):
    """What production and the test endpoint speak."""

    HTTPS = "HTTPS"
    """With a certificate and a TLS policy."""

    HTTP = "HTTP"
    """Without either: only where something in front of the load balancer ends TLS."""


class NoDataPolicy(StrEnum):
    """What an alarm without data counts as."""

    REFUSE = "refuse"
    """Nobody knows, which counts as a no."""

    PASS = "pass"  # noqa: S105  # no password
    """No data is no alarm."""


class ListenerRuleSettings(SettingsModel):
    """Production as one rule of a listener that was there before, on a shared load balancer."""

    listener_arn: ListenerArn
    """The listener, of the load balancer in `load_balancer_arn`."""

    priority: int = Field(ge=1, le=50000)
    """The rule's place among the others; lower goes first, and no two may be the same."""

    hosts: tuple[HostPattern, ...] = ()
    """Host names that are the service's; `*` and `?` stand for others."""

    paths: tuple[PathPattern, ...] = ()
    """Paths that are the service's, for example `/shop/*`."""

    @model_validator(mode="after")
    def _says_what_is_its_own(self) -> Self:
        if not self.hosts and not self.paths:
            msg = "names neither hosts nor paths, so it would take everything"
            raise MisfitError(msg, "hosts", 0)
        if len(self.hosts) + len(self.paths) > _MOST_CONDITION_VALUES:
            msg = f"has more than {_MOST_CONDITION_VALUES} hosts and paths, which a rule cannot"
            raise MisfitError(msg, "paths", value=None)
        return self


class AlarmSettings(SettingsModel):
    """CloudWatch alarms of each color."""

    target_5xx_per_minute: int = Field(default=10, ge=1)
    """Answers 5xx of a color's members in a minute."""

    p99_seconds: float = Field(default=0.5, gt=0)
    """99th percentile of a color's response time, in a minute."""

    unhealthy_hosts: int = Field(default=1, ge=1)
    """Members that fail their health check."""

    minutes: int = Field(default=3, ge=1, le=60)
    """Minutes in a row before an alarm goes off."""

    topic_arns: Annotated[tuple[TopicArn, ...], AfterValidator(each_once)] = ()
    """Who is told; default nobody, the alarms can be seen and asked."""


class AlarmGateSettings(GateSettings):
    """The gate `alarms`: CloudWatch alarms are OK before a color's share rises."""

    names: Annotated[tuple[AlarmName, ...], AfterValidator(each_once)] = ()
    """Alarms of your own; `{color}` is filled in. A color's own `alarms` are always asked."""

    no_data: NoDataPolicy = NoDataPolicy.REFUSE
    """What INSUFFICIENT_DATA counts as. A color without traffic has no figures of its traffic, but
    its own alarms count that as OK, some minutes after they were made."""

    timeout_seconds: Seconds = 60
    """How long to wait for them to become OK; default 60."""

    slow: bool = True
    """True when a rollback skips this gate; default true, because a rollback does not wait for
    figures."""


class AwsSettings(SettingsModel):
    """Auto Scaling groups behind an Application Load Balancer."""

    load_balancer_arn: LoadBalancerArn | None = None
    """The load balancer, made by somebody else; or given by the program."""

    vpc_id: VpcId | None = None
    """VPC of the members; or given by the program."""

    subnet_ids: Annotated[tuple[SubnetId, ...], AfterValidator(each_once)] = ()
    """Subnets of the members, in at least two zones for a service that is to last; or given by the
    program."""

    protocol: ListenerProtocol = ListenerProtocol.HTTPS
    """What production and the test endpoint speak."""

    certificate_arn: CertificateArn | None = None
    """Certificate of production and the test endpoint; or given by the program."""

    ssl_policy: str = Field(
        default="ELBSecurityPolicy-TLS13-1-2-2021-06", pattern=r"^ELBSecurityPolicy-[A-Za-z0-9-]+$"
    )
    """TLS policy of both; TLS 1.2 and 1.3 by default."""

    redirect_http: bool = False
    """A listener on port 80 that sends clients to production."""

    rule: ListenerRuleSettings | None = None
    """Production as a rule of a listener that is there; default a listener of its own on
    `service.port`."""

    test_port: int = Field(default=8443, ge=1, le=65535)
    """Port of the test listener, which has the load balancer's address."""

    test_allowed_cidrs: Annotated[tuple[Cidr, ...], AfterValidator(each_once)] = ()
    """Who may reach the test listener, ranges of IPv4 or IPv6: a rule each in
    `load_balancer_security_group_id`. Default none; the gates ask there, so what runs `pulumi up`
    has to be among them."""

    load_balancer_security_group_id: SecurityGroupId | None = None
    """A security group of the load balancer: whom the members' own group lets in."""

    production_url: BaseUrl | None = None
    """Address of production as it is reached from where `pulumi up` runs; with `color_from` it is
    what is asked whether traffic follows. Default: the load balancer's own name, which is not
    asked."""

    test_url: BaseUrl | None = None
    """Address of the test listener as it is reached from there. Default: `production_url`, else the
    load balancer's own name, with `test_port`."""

    canary_stickiness_seconds: int = Field(default=3600, ge=1, le=604800)
    """How long a client keeps its color while there is a canary."""

    target_port: int = Field(default=8080, ge=1, le=65535)
    """Port that a member listens on; it is also told as `PORT`."""

    image_id: ImageId | None = None
    """AMI of every member; a color's own `image` goes first."""

    instance_type: str = Field(default="t3.small", pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    """Type of every member."""

    user_data: UserData = Field(default="", repr=False)
    """Shell script that starts a member. It finds `BLUEGREEN_SERVICE`, `BLUEGREEN_COLOR`,
    `BLUEGREEN_RELEASE`, `PORT` and the variables of `env` in its environment."""

    env: MemberEnvironment = Field(default_factory=dict, repr=False)
    """Environment variables of both colors; a color's own `env` goes on top. Not for passwords: who
    may read a launch template may read them."""

    instance_security_group_ids: Annotated[
        tuple[SecurityGroupId, ...], AfterValidator(each_once)
    ] = ()
    """Security groups of the members; default one of their own, which only lets the load balancer
    in."""

    # Not `\w{1,128}`: all letters of Unicode, so many times, take 40 ms of every program's start.
    instance_profile: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_+=,.@-]+$", max_length=128
    )
    """Name of the instance profile of the members."""

    public_addresses: bool = False
    """Whether members get a public address."""

    max_size: int | None = Field(default=None, ge=1, le=1000)
    """Most members of a color, for scaling policies of your own; `COLOR.replicas` is the fewest
    then. Default: as many as `COLOR.replicas`, which is the number then."""

    health_check_grace_seconds: int = Field(default=60, ge=0, le=7200)
    """Seconds after a member's start before a failed health check ends it."""

    ready_timeout_seconds: float = Field(default=600.0, gt=0, le=3600)
    """Seconds that a deployed color's members may take to become ready."""

    propagation_seconds: float = Field(default=5.0, ge=0, le=300)
    """Where production is not asked: seconds to wait after the listener has changed, for the load
    balancer's nodes."""

    flag_name: ParameterName | None = None
    """SSM parameter that says which color is active; default `/<service>/active-color`."""

    events_log_group: LogGroupName | None = None
    """A log group that is there, for the audit trail; default one that is made,
    `/<service>/deployments`."""

    events_retention_days: RetentionDays = 365
    """How long the made one keeps events; one of the numbers that CloudWatch Logs knows."""

    alarms: AlarmSettings | None = Field(default_factory=AlarmSettings)
    """Alarms of both colors; null for none."""

    alarm_gate: AlarmGateSettings | None = None
    """Asks alarms before a color's share rises; default none."""

    tags: Tags = Field(default_factory=dict)
    """Tags of everything that is made, beside `bluegreen:…`."""

    @model_validator(mode="after")
    def _who_is_let_in_is_let_in_somewhere(self) -> Self:
        if self.test_allowed_cidrs and self.load_balancer_security_group_id is None:
            msg = (
                "test_allowed_cidrs is written, but load_balancer_security_group_id does not say "
                "which group is to let them in"
            )
            raise MisfitError(msg, "load_balancer_security_group_id", value="sg-ID")
        return self

    @model_validator(mode="after")
    def _only_https_is_redirected_to(self) -> Self:
        if not self.redirect_http:
            return self
        if self.protocol is ListenerProtocol.HTTP:
            msg = "redirect_http leads to HTTPS, and protocol is HTTP"
            raise MisfitError(msg, "redirect_http", value=None)
        if self.rule is not None:
            msg = "redirect_http would be a listener of a shared load balancer, with rule"
            raise MisfitError(msg, "redirect_http", value=None)
        return self

    @model_validator(mode="after")
    def _the_rule_is_on_the_load_balancer(self) -> Self:
        if self.rule is None or self.load_balancer_arn is None:
            return self
        listener = self.rule.listener_arn.replace(":listener/", ":loadbalancer/")
        if listener.rpartition("/")[0] != self.load_balancer_arn:
            msg = "rule.listener_arn is not a listener of load_balancer_arn"
            raise MisfitError(msg, "rule", "listener_arn")
        return self
