"""Nothing is started from an image that is not there; in moto any id will do."""

from collections.abc import Iterable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.ec2.exceptions import InvalidAMIIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import InstanceBackend

from tests.standins.aws_cloud.machine_images import image_of_template, why_no_image
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """Instances, and groups of a launch template; what is removed later is in `scaling`."""
    yield Replacement(InstanceBackend, "run_instances", _run())
    yield Replacement(AutoScalingBackend, "create_auto_scaling_group", _create())
    yield Replacement(FakeAutoScalingGroup, "update", _update())


def _run() -> Any:
    original = InstanceBackend.run_instances

    def run(self: Any, image_id: str, *args: Any, **kwargs: Any) -> Any:
        template = kwargs.get("launch_template")
        image = image_id or (image_of_template(self, template) if template else None)
        if why_no_image(self, image):
            raise InvalidAMIIdError(image or "")
        return original(self, image_id, *args, **kwargs)

    return run


def _create() -> Any:
    original = AutoScalingBackend.create_auto_scaling_group

    def create(self: AutoScalingBackend, *args: Any, **kwargs: Any) -> FakeAutoScalingGroup:
        _check(self.ec2_backend, kwargs.get("launch_template"))
        return original(self, *args, **kwargs)

    return create


def _update() -> Any:
    original = FakeAutoScalingGroup.update

    def update(self: FakeAutoScalingGroup, *args: Any, **kwargs: Any) -> None:
        _check(self.ec2_backend, kwargs.get("launch_template"))
        original(self, *args, **kwargs)

    return update


def _check(backend: EC2Backend, template: Any) -> None:
    if not template:
        return
    if reason := why_no_image(backend, image_of_template(backend, template)):
        msg = f"You must use a valid fully-formed launch template. {reason}"
        raise ValidationError(msg)
