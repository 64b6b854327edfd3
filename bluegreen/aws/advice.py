"""What to do when the provider could not do its part."""

from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.aws.aws_session import EXPIRED, THROTTLED, AwsSession
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks import Failure, go_on

__all__ = ["AwsAdvice"]

_TAKEN = ("DuplicateListener", "PriorityInUse", "AlreadyExists", "already exists")

_NAMED = {
    "CertificateNotFound": ("service.aws.certificate_arn", "certificate"),
    "LoadBalancerNotFound": ("service.aws.load_balancer_arn", "load balancer"),
}
"""Codes for what the config names and AWS does not have: the key, and what it is."""


class AwsAdvice:
    """Ends the sentence that tells of a failure; asks AWS where that makes it shorter to repair."""

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws
        self._identities: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
            "Listener": self._listener,
            "ListenerRule": self._rule,
            "LogGroup": _name,
            "Parameter": _name,
        }

    def __call__(self, failure: Failure) -> str:
        """What to do about it."""
        if failure.operation == "create" and failure.is_about(*_TAKEN):
            return (
                "it is there already, made by an update that was killed, or by somebody else: "
                "`pulumi refresh --yes --import-pending-creates "
                f"{failure.urn},{self._identity(failure) or 'ID'}` takes over what a killed "
                "update of this stack has made"
            )
        if failure.is_about(*EXPIRED):
            return f"log in again, or get a new token; then {_go_on(failure)}"
        if failure.is_about(*THROTTLED):
            return (
                f"AWS has too many requests of this account: wait a minute; then {_go_on(failure)}"
            )
        for code, (key, what) in _NAMED.items():
            if failure.is_about(code):
                return (
                    f"{key} names no {what} of this account and region; "
                    f"`pulumi config set --path {key} ARN`; then {_go_on(failure)}"
                )
        return _go_on(failure)

    def _identity(self, failure: Failure) -> str | None:
        """What Pulumi calls the id of what is there already."""
        kind = failure.urn.rsplit("::", 1)[0].rpartition(":")[2]
        find = self._identities.get(kind)
        try:
            return find(failure.inputs) if find else None
        except DataPlaneError:
            # The sentence is true without it.
            return None

    def _listener(self, inputs: Mapping[str, Any]) -> str | None:
        found = self._aws.pages(
            "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=inputs["loadBalancerArn"]
        )
        own = (each["ListenerArn"] for each in found if each.get("Port") == int(inputs["port"]))
        return next(own, None)

    def _rule(self, inputs: Mapping[str, Any]) -> str | None:
        found = self._aws.pages(
            "elbv2", "describe_rules", "Rules", ListenerArn=inputs["listenerArn"]
        )
        priority = str(int(inputs["priority"]))
        return next((each["RuleArn"] for each in found if each["Priority"] == priority), None)


def _go_on(failure: Failure) -> str:
    # The provider keeps what it was to write for what is there, also when AWS has refused it.
    return (
        "`pulumi up --refresh` goes on from there"
        if failure.operation == "update"
        else go_on(failure)
    )


def _name(inputs: Mapping[str, Any]) -> str | None:
    return inputs.get("name")
