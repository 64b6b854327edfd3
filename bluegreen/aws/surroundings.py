"""What somebody else made in the account, as it is now."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bluegreen.aws.aws_session import AwsSession, NotFoundError
from bluegreen.aws.finding import Finding
from bluegreen.aws.names import SERVICE_TAG, STACK_TAG, AwsNames, tags_of_list
from bluegreen.colors import Color
from bluegreen.settings.service import ServiceSettings

__all__ = ["Surroundings"]

_Description = Mapping[str, Any]


class Surroundings:
    """Each method raises `DataPlaneError` without a usable answer."""

    def __init__(
        self,
        aws: AwsSession,
        names: AwsNames,
        settings: ServiceSettings,
        image_keys: Mapping[Color, str],
    ) -> None:
        """Takes whom to ask; asks nobody.

        Args:
            aws: The account and region.
            names: Whose service it is.
            settings: What is written about it.
            image_keys: The key that names the image, by color.
        """
        self._aws = aws
        self._names = names
        self.settings = settings
        self.image_keys = image_keys
        self._balancers: dict[str, _Description | None] = {}

    @property
    def region(self) -> str:
        """Where this update writes."""
        return self._aws.region

    def finding(self, key: str, what: str, value: str, item: str | None = None) -> Finding:
        """Something about a value of `service.aws`, or about what the program gives instead.

        Args:
            key: The value's key.
            what: What is wrong with it.
            value: What it could be.
            item: Which of a list is wrong.
        """
        written = getattr(self.settings.aws, key.partition(".")[0], None)
        path = f"service.aws.{key}"
        if not written:
            return Finding(path, what, f"give AsgServiceArgs another {key} in the program")
        if item is not None and item in written:
            path = f"{path}[{written.index(item)}]"
        return Finding(
            f"service.aws.{key}", what, f"`pulumi config set --path {shlex.quote(path)} {value}`"
        )

    def load_balancer(self, arn: str) -> _Description | None:
        """None when there is none."""
        if arn not in self._balancers:
            try:
                found = self._aws.call("elbv2", "describe_load_balancers", LoadBalancerArns=[arn])
                self._balancers[arn] = found["LoadBalancers"][0]
            except NotFoundError:
                self._balancers[arn] = None
        return self._balancers[arn]

    def listener(self, arn: str) -> _Description | None:
        """None when there is none."""
        try:
            found = self._aws.call("elbv2", "describe_listeners", ListenerArns=[arn])
        except NotFoundError:
            return None
        listener: _Description = found["Listeners"][0]
        return listener

    def foreign_listener(self, balancer: str, port: int) -> str | None:
        """Whose listener has a port; None when nobody has it, or this service."""
        found = self._aws.pages(
            "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer
        )
        arns = [str(each["ListenerArn"]) for each in found if each.get("Port") == port]
        return self._foreign(arns)

    def foreign_rule(self, listener: str, priority: int) -> str | None:
        """Whose rule has a priority; None when nobody has it, or this service."""
        found = self._aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener)
        arns = [str(each["RuleArn"]) for each in found if each.get("Priority") == str(priority)]
        return self._foreign(arns)

    def foreign_parameter(self, name: str) -> str | None:
        """Whose parameter it is; None when there is none, or it is this service's."""
        try:
            self._aws.call("ssm", "get_parameter", Name=name)
        except NotFoundError:
            return None
        found = self._aws.call(
            "ssm", "list_tags_for_resource", ResourceType="Parameter", ResourceId=name
        )
        return self._owner(tags_of_list(found.get("TagList") or []))

    def foreign_log_group(self, name: str) -> str | None:
        """Whose log group it is; None when there is none, or it is this service's."""
        group = self.log_group(name)
        if group is None:
            return None
        arn = str(group["arn"]).removesuffix(":*")
        found = self._aws.call("logs", "list_tags_for_resource", resourceArn=arn)
        return self._owner(found.get("tags") or {})

    def log_group(self, name: str) -> _Description | None:
        """None when there is none."""
        found = self._aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        return next((each for each in found if each.get("logGroupName") == name), None)

    def subnets(self, ids: Sequence[str]) -> dict[str, _Description]:
        """Those that are there."""
        found = self._aws.pages(
            "ec2", "describe_subnets", "Subnets", Filters=[_filter("subnet-id", ids)]
        )
        return {str(each["SubnetId"]): each for each in found}

    def security_groups(self, ids: Sequence[str]) -> dict[str, _Description]:
        """Those that are there."""
        found = self._aws.pages(
            "ec2", "describe_security_groups", "SecurityGroups", Filters=[_filter("group-id", ids)]
        )
        return {str(each["GroupId"]): each for each in found}

    def image(self, name: str) -> _Description | None:
        """None when there is none that this account may use."""
        try:
            found = self._aws.call("ec2", "describe_images", ImageIds=[name])
        except NotFoundError:
            return None
        return next(iter(found.get("Images") or []), None)

    def is_offered(self, instance_type: str) -> bool:
        """Whether the region has instances of that type."""
        found = self._aws.call(
            "ec2",
            "describe_instance_type_offerings",
            Filters=[_filter("instance-type", [instance_type])],
        )
        return bool(found.get("InstanceTypeOfferings"))

    def has_instance_profile(self, name: str) -> bool:
        """Whether the account has one of that name."""
        try:
            self._aws.call("iam", "get_instance_profile", InstanceProfileName=name)
        except NotFoundError:
            return False
        return True

    def certificate_status(self, arn: str) -> str | None:
        """As ACM has it; None when there is no such certificate."""
        try:
            found = self._aws.call("acm", "describe_certificate", CertificateArn=arn)
        except NotFoundError:
            return None
        return str(found["Certificate"].get("Status"))

    def has_tls_policy(self, name: str) -> bool:
        """Whether load balancers know a TLS policy."""
        try:
            found = self._aws.call("elbv2", "describe_ssl_policies", Names=[name])
        except NotFoundError:
            return False
        return bool(found.get("SslPolicies"))

    def _foreign(self, arns: Sequence[str]) -> str | None:
        """Whose the first is; of listeners and rules."""
        if not arns:
            return None
        found = self._aws.call("elbv2", "describe_tags", ResourceArns=[arns[0]])
        described = found.get("TagDescriptions") or [{}]
        return self._owner(tags_of_list(described[0].get("Tags") or []))

    def _owner(self, tags: Mapping[str, str]) -> str | None:
        service, stack = tags.get(SERVICE_TAG), tags.get(STACK_TAG)
        if (service, stack) == (self._names.service, self._names.stack):
            return None
        return f"the service {service} of the stack {stack}" if service else "somebody else"


def _filter(name: str, values: Sequence[str]) -> dict[str, object]:
    return {"Name": name, "Values": list(values)}
