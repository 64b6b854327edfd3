"""The compute of one color: a launch template and an Auto Scaling group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from bluegreen.aws.launch import encoded, fingerprint_of, image_of, user_data_of
from bluegreen.aws.names import FINGERPRINT_TAG, RELEASE_TAG, AwsNames, tags_of_list
from bluegreen.naming import child_name
from bluegreen.plan import FleetPlan
from bluegreen.settings.service import ServiceSettings
from bluegreen.transition import FleetState

__all__ = ["AsgFleet", "AsgFleetArgs", "fleet_state_of", "group_bounds", "template_state_of"]

_LIMIT_KEY = "service.aws.max_size"


@dataclass(frozen=True, kw_only=True)
class AsgFleetArgs:
    """Inputs of `AsgFleet`."""

    settings: ServiceSettings
    """The service the color belongs to."""

    plan: FleetPlan
    """Release and number of members."""

    names: AwsNames
    """Its tags."""

    target_group_arn: pulumi.Input[str]
    """Where members register themselves."""

    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Where members are started."""

    security_group_ids: Sequence[pulumi.Input[str]]
    """What members may be reached by, and may reach."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Guards, from `ServiceHooks.fleet()`; without them a live release is not protected."""

    template_hooks: pulumi.ResourceHookBinding | None = None
    """The same for the launch template, from `ServiceHooks.template()`."""

    after: Sequence[pulumi.Resource] = ()
    """What must have happened before these members may change: anchors, or the active flag."""


class AsgFleet(pulumi.ComponentResource):
    """The members of one color: they come from its group, and register in its target group."""

    release: pulumi.Output[str]
    """The release the members run."""

    replicas: pulumi.Output[int]
    """The fewest members."""

    group_name: pulumi.Output[str]
    """The Auto Scaling group, for policies of your own; they need `service.aws.max_size`."""

    def __init__(
        self, name: str, args: AsgFleetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:AsgFleet", name, {}, opts)
        fingerprint = fingerprint_of(args.plan, args.settings)
        # It waits for no role: nothing runs otherwise because of a new version.
        template = _template(
            child_name(name, "template"),
            args,
            fingerprint,
            pulumi.ResourceOptions(parent=self, hooks=args.template_hooks),
        )
        self.members = _group(
            child_name(name, "members"),
            args,
            template,
            fingerprint,
            pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after)),
        )
        self.release = self.members.tags.apply(_release)
        self.replicas = self.members.min_size
        self.group_name = self.members.name
        self.register_outputs(
            {
                "release": self.release,
                "replicas": self.replicas,
                "group_name": self.group_name,
            }
        )


def group_bounds(plan: FleetPlan, settings: ServiceSettings) -> tuple[int, int]:
    """The fewest and the most members of a group.

    A group only shrinks when its most is below what it has: the program never says how many there
    are to be at a moment.
    """
    most = settings.aws.max_size
    if plan.is_retired or most is None:
        return plan.replicas, plan.replicas
    return plan.replicas, max(plan.replicas, most)


def _template(
    resource_name: str, args: AsgFleetArgs, fingerprint: str, opts: pulumi.ResourceOptions
) -> "aws.ec2.LaunchTemplate":
    settings = args.settings.aws
    profile = settings.instance_profile
    tags = args.names.release_tags(args.plan, fingerprint)
    return aws.ec2.LaunchTemplate(
        resource_name,
        image_id=image_of(args.plan, args.settings),
        instance_type=settings.instance_type,
        # Variables are in it, and some of them may be nobody's business.
        user_data=pulumi.Output.secret(encoded(user_data_of(args.plan, args.settings))),
        iam_instance_profile=(
            aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=profile) if profile else None
        ),
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        monitoring=aws.ec2.LaunchTemplateMonitoringArgs(enabled=True),
        network_interfaces=[
            aws.ec2.LaunchTemplateNetworkInterfaceArgs(
                device_index=0,
                associate_public_ip_address="true" if settings.public_addresses else "false",
                delete_on_termination="true",
                security_groups=list(args.security_group_ids),
            )
        ],
        # Instances get theirs from the group; another tag there makes no other members.
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type="volume", tags=_lasting(tags))
        ],
        tags=tags,
        opts=opts,
    )


def _lasting(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that only change with the release: each change of a template makes new members."""
    return {key: value for key, value in tags.items() if key.startswith("bluegreen:")}


def _group(
    resource_name: str,
    args: AsgFleetArgs,
    template: "aws.ec2.LaunchTemplate",
    fingerprint: str,
    opts: pulumi.ResourceOptions,
) -> aws.autoscaling.Group:
    least, most = group_bounds(args.plan, args.settings)
    tags = args.names.release_tags(args.plan, fingerprint)
    return aws.autoscaling.Group(
        resource_name,
        min_size=least,
        max_size=most,
        vpc_zone_identifiers=args.subnet_ids,
        target_group_arns=[args.target_group_arn],
        launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
            # By number: members of the color that is live must not change with the template.
            id=template.id,
            version=template.latest_version.apply(str),
        ),
        health_check_type="ELB",
        health_check_grace_period=args.settings.aws.health_check_grace_seconds,
        instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
            strategy="Rolling",
            # A live color only ever changes by a one-shot permission; none of it goes early then.
            preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
                min_healthy_percentage=100, max_healthy_percentage=200
            ),
        ),
        # Our own hooks wait, and say why it does not come.
        wait_for_capacity_timeout="0",
        tags=[
            aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
            for key, value in sorted(tags.items())
        ],
        opts=opts,
    )


def fleet_state_of(properties: Mapping[str, Any]) -> FleetState:
    """Reads the properties of a color's group, wanted or recorded."""
    tags = tags_of_list(properties.get("tags") or [])
    least, most = int(properties["minSize"]), int(properties["maxSize"])
    return FleetState(
        release=tags.get(RELEASE_TAG, "unknown"),
        fingerprint=tags.get(FINGERPRINT_TAG, ""),
        replicas=least,
        autoscaled_to=most if most > least else None,
        limit_key=_LIMIT_KEY,
    )


def template_state_of(properties: Mapping[str, Any]) -> FleetState:
    """Reads the properties of a color's launch template, which says nothing about a number."""
    tags = properties.get("tags") or {}
    return FleetState(
        release=tags.get(RELEASE_TAG, "unknown"),
        fingerprint=tags.get(FINGERPRINT_TAG, ""),
        replicas=0,
    )


def _release(tags: Sequence[Any] | None) -> str:
    return next((each.value for each in tags or () if each.key == RELEASE_TAG), "unknown")
