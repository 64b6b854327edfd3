"""What moto must be told to be honest about; each in a file of its own."""

from tests.standins.aws_cloud.patches import (
    forward_config,
    group_balancers,
    group_capacity,
    group_names,
    instance_refresh,
    instance_states,
    launch_templates,
    listener_actions,
    listener_settings,
    machine_images,
    parameter_copies,
    rules,
    scaling,
    scaling_activities,
    target_health,
)
from tests.standins.aws_cloud.patching import Patch

__all__ = ["PATCHES"]

PATCHES: tuple[Patch, ...] = (
    group_balancers.patch,
    forward_config.patch,
    listener_actions.patch,
    listener_settings.patch,
    rules.patch,
    target_health.patch,
    instance_states.patch,
    launch_templates.patch,
    scaling.patch,
    machine_images.patch,
    group_capacity.patch,
    group_names.patch,
    parameter_copies.patch,
    instance_refresh.patch,
    scaling_activities.patch,
)
