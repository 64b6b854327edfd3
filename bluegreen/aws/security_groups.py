"""Who reaches the members: the load balancer, and nobody else."""

import pulumi
import pulumi_aws as aws

from bluegreen.aws.names import AwsNames
from bluegreen.settings.service import ServiceSettings

__all__ = ["members_group"]


def members_group(
    resource_name: str,
    settings: ServiceSettings,
    names: AwsNames,
    vpc_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> "aws.ec2.SecurityGroup":
    """Of both colors: it changes with neither of them."""
    port = settings.aws.target_port
    return aws.ec2.SecurityGroup(
        resource_name,
        vpc_id=vpc_id,
        description=f"members of {names.service}",
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                protocol="tcp",
                from_port=port,
                to_port=port,
                security_groups=[settings.aws.load_balancer_security_group_id or ""],
            )
        ],
        egress=[
            aws.ec2.SecurityGroupEgressArgs(
                protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"]
            )
        ],
        tags=names.service_tags(),
        opts=opts,
    )
