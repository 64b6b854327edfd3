"""What a person says about one color."""

from pydantic import Field

from bluegreen.settings.base import SettingsModel
from bluegreen.settings.kubernetes import Image
from bluegreen.settings.member import MemberCommand, MemberEnvironment
from bluegreen.settings.release import Release

__all__ = ["ColorSettings"]


class ColorSettings(SettingsModel):
    """The release in one color, and its full capacity."""

    release: Release
    """Version of the program that runs in this color, for example "1.4.2"; text, not a number."""

    replicas: int = Field(default=2, ge=1, le=1000)
    """Members at full capacity, in both roles; the fewest where `service.aws.max_size` is set. Not
    read where `service.kubernetes.autoscaling` is."""

    command: MemberCommand | None = None
    """Command of one member; without it the service's `onprem.command`. On-premises only."""

    image: Image | None = None
    """Image of the members, on AWS the id of an AMI; without it the service's `kubernetes.image` or
    `aws.image_id`. Not on-premises."""

    env: MemberEnvironment = Field(default_factory=dict, repr=False)
    """Environment variables of every member, in addition to the `BLUEGREEN_…` ones."""

    secrets: MemberEnvironment = Field(default_factory=dict, repr=False)
    """The same for passwords, kept in a Secret. Kubernetes only."""
