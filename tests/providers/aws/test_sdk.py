"""Every input of the SDK has its place in the provider: the rules of names leave nothing out."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.standins.aws.names import snake
from tests.standins.aws.shapes import Shape

# The SDK warns about names of its own that nobody uses here.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TYPES = [
    "lb/loadBalancer:LoadBalancer",
    "lb/targetGroup:TargetGroup",
    "lb/listener:Listener",
    "lb/listenerRule:ListenerRule",
    "lb/listenerCertificate:ListenerCertificate",
    "autoscaling/group:Group",
    "autoscaling/attachment:Attachment",
    "autoscaling/policy:Policy",
    "autoscaling/lifecycleHook:LifecycleHook",
    "ec2/launchTemplate:LaunchTemplate",
    "ec2/securityGroup:SecurityGroup",
    "ec2/securityGroupRule:SecurityGroupRule",
    "ec2/subnet:Subnet",
    "ec2/vpc:Vpc",
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "ssm/parameter:Parameter",
    "cloudwatch/dashboard:Dashboard",
    "cloudwatch/logGroup:LogGroup",
    "cloudwatch/logStream:LogStream",
    "cloudwatch/metricAlarm:MetricAlarm",
    "acm/certificate:Certificate",
    "iam/instanceProfile:InstanceProfile",
    "iam/role:Role",
    "iam/rolePolicy:RolePolicy",
]
FUNCTIONS = [
    "index/getAvailabilityZones:getAvailabilityZones",
    "index/getCallerIdentity:getCallerIdentity",
    "index/getRegion:getRegion",
    "ec2/getAmi:getAmi",
    "ec2/getSubnets:getSubnets",
    "ec2/getVpc:getVpc",
    "iam/getPolicyDocument:getPolicyDocument",
    "lb/getLoadBalancer:getLoadBalancer",
]
# A property of what AWS says that the SDK also lets a program say, to no effect.
KNOWN = {"lb/loadBalancer:LoadBalancer.subnetMappings.outpostId"}
PYTHON = {"string": "str", "number": ("int", "float"), "bool": "bool"}


@pytest.mark.parametrize("name", TYPES)
def test_every_input_of_the_sdk_is_one_of_the_provider(name, aws):
    module, _, kind = name.replace("/", ":").split(":")
    arguments = getattr(sys.modules[_member(module, kind).__module__], f"{kind}Args")

    found = set(_misfits(name, arguments, aws.schema.resource(f"aws:{name}"), are_inputs=True))

    assert found <= KNOWN


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_result_of_a_function_is_one_of_the_provider(name, aws):
    module, _, function = name.replace("/", ":").split(":")
    path = [snake(function)] if module == "index" else [module, snake(function)]
    of = importlib.import_module(".".join(["pulumi_aws", *path]))
    result = getattr(of, f"{function[0].upper()}{function[1:]}Result")

    found = set(_misfits(name, result, aws.schema.function(f"aws:{name}"), are_inputs=False))

    assert found == set()


def _member(module: str, kind: str) -> Any:
    return getattr(importlib.import_module(f"pulumi_aws.{module}"), kind)


def _misfits(path: str, owner: Any, shape: Shape, *, are_inputs: bool) -> Iterator[str]:
    """The properties that are not there, or are another kind of thing."""
    for key, kind in _properties(owner):
        argument = shape.by_key.get(key)
        if argument is None or (are_inputs and not argument.is_input):
            yield f"{path}.{key}"
            continue
        is_many = (argument.is_list or argument.is_set) and not argument.is_single
        scalar = "number" if argument.is_number else argument.type
        is_right = not isinstance(scalar, str) or any(
            name in kind for name in _names(PYTHON[scalar])
        )
        if is_many is not ("Sequence" in kind) or not is_right:
            yield f"{path}.{key} is {kind}"
        inner = _inner(owner, kind)
        if inner is not None and argument.block is not None:
            yield from _misfits(f"{path}.{key}", inner, argument.block, are_inputs=are_inputs)


def _properties(owner: Any) -> Iterator[tuple[str, str]]:
    for name, member in inspect.getmembers(owner, lambda each: isinstance(each, property)):
        kind = str(member.fget.__annotations__.get("return"))
        yield getattr(member.fget, "_pulumi_name", name), kind


def _inner(owner: Any, kind: str) -> Any:
    module = sys.modules[owner.__module__]
    for name in re.findall(r"[A-Z]\w+(?:Args|Result)\b", kind):
        for place in ("_inputs", "outputs"):
            if found := getattr(getattr(module, place, None), name, None):
                return found
        if found := getattr(module, name, None):
            return found
    return None


def _names(kind: Any) -> tuple[str, ...]:
    return kind if isinstance(kind, tuple) else (kind,)
