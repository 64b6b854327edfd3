"""What Auto Scaling does with its groups: who starts, who is taken out, who is replaced."""

from collections.abc import Sequence
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.elbv2.models import FakeTargetGroup

from tests.standins.aws_cloud.activities import ends, has_ended, serves
from tests.standins.aws_cloud.health import HealthState
from tests.standins.aws_cloud.health_board import groups_in_use
from tests.standins.aws_cloud.refresh import Refresh, refreshes_of
from tests.standins.aws_cloud.world import World

__all__ = ["balance", "end_all", "register", "staying", "take_out", "target_groups", "tick_all"]

_LEAVING = "Terminating"


def tick(group: FakeAutoScalingGroup, world: World) -> None:
    """Takes every instance one step further, and replaces what is not well."""
    for state in list(group.instance_states):
        if state.lifecycle_state == "Pending" and state.instance.state == "running":
            state.lifecycle_state = "InService"
            state.in_service_since = world.pace.now()  # type: ignore[attr-defined]
            serves(group, state)
        elif state.lifecycle_state == _LEAVING:
            _end_if_drained(group, state, world)
    register(group)
    if not _is_suspended(group, "ReplaceUnhealthy"):
        for state in staying(group):
            if not _is_well(group, state, world):
                state.health_status = "Unhealthy"
                take_out(group, state)
    _refresh_step(group, world)
    balance(group)


def balance(group: FakeAutoScalingGroup) -> None:
    """Makes as many instances as are desired, and those that a refresh starts ahead of time."""
    surplus = len(staying(group)) - int(group.desired_capacity or 0) - _ahead(group)
    if surplus > 0 and not _is_suspended(group, "Terminate"):
        free = [state for state in staying(group) if not state.protected_from_scale_in]
        for state in _oldest_first(group, free)[:surplus]:
            take_out(group, state)
    elif surplus < 0 and not _is_suspended(group, "Launch"):
        group.replace_autoscaling_group_instances(-surplus, group.get_propagated_tags())


def _ahead(group: FakeAutoScalingGroup) -> int:
    """How many there may be beyond what is desired: never more than there are to be replaced."""
    return sum(
        min(refresh.most_more, len(_to_replace(group, refresh)))
        for refresh in refreshes_of(group)
        if refresh.is_active
    )


def _to_replace(group: FakeAutoScalingGroup, refresh: Refresh) -> list[InstanceState]:
    return [state for state in staying(group) if state.instance_id in refresh.waiting]


def staying(group: FakeAutoScalingGroup) -> list[InstanceState]:
    """The instances that nobody takes out."""
    return [state for state in group.instance_states if state.lifecycle_state != _LEAVING]


def take_out(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """Deregisters an instance first; it ends when its target groups have drained it."""
    state.lifecycle_state = _LEAVING
    ends(group, state)
    for each in target_groups(group):
        if state.instance.id in each.targets:
            each.deregister([{"Id": state.instance.id}])


def end_all(group: FakeAutoScalingGroup) -> None:
    """What a forced deletion does: nobody waits for anything."""
    for state in list(group.instance_states):
        take_out(group, state)
    if group.instance_states:
        ids = [state.instance.id for state in group.instance_states]
        group.ec2_backend.terminate_instances(ids)
    group.instance_states = []


def register(group: FakeAutoScalingGroup) -> None:
    """Puts who is in service into the target groups of the group."""
    for each in target_groups(group):
        new = [
            {"Id": state.instance.id, "Port": each.port}
            for state in group.instance_states
            if state.lifecycle_state == "InService"
            and state.instance.id not in each.targets
            and state.instance.state == "running"
        ]
        if new:
            each.register(new)


def target_groups(group: FakeAutoScalingGroup) -> list[FakeTargetGroup]:
    """Those that are attached and still exist."""
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return [known[arn] for arn in group.target_group_arns if arn in known]


def _end_if_drained(group: FakeAutoScalingGroup, state: InstanceState, world: World) -> None:
    instance = state.instance
    drains = any(
        target["Id"] == instance.id
        for each in target_groups(group)
        for target in world.health.draining(each)
    )
    if instance.state == "terminated":
        group.instance_states.remove(state)
        has_ended(group, state)
    elif not drains and instance.state != "shutting-down":
        group.ec2_backend.terminate_instances([instance.id])


def _refresh_step(group: FakeAutoScalingGroup, world: World) -> None:
    """Takes out as many as an instance refresh may at this moment; `balance` starts the others."""
    for refresh in refreshes_of(group):
        if not refresh.is_active:
            continue
        serving = [state for state in staying(group) if _serves(group, state, world)]
        missing = int(group.desired_capacity or 0) - len(serving)
        for state in _to_replace(group, refresh)[: max(0, refresh.most_missing - missing)]:
            take_out(group, state)
        old = _to_replace(group, refresh)
        refresh.waiting = [state.instance_id for state in old]
        if not old and missing <= 0:
            refresh.end("Successful")


def _serves(group: FakeAutoScalingGroup, state: InstanceState, world: World) -> bool:
    if state.lifecycle_state != "InService":
        return False
    if group.health_check_type != "ELB":
        return True
    used = groups_in_use(group.autoscaling_backend.elbv2_backend)
    known = [
        world.health.health_of(each, state.instance.id)
        for each in target_groups(group)
        if each.arn in used
    ]
    # One that was registered this moment is not known yet.
    return all(each is not None and each.state is HealthState.HEALTHY for each in known)


def _is_well(group: FakeAutoScalingGroup, state: InstanceState, world: World) -> bool:
    if state.health_status == "Unhealthy":
        return False
    if state.instance.state not in ("pending", "running"):
        return False
    since = getattr(state, "in_service_since", None)
    if group.health_check_type != "ELB" or since is None:
        return True
    if world.pace.now() < since + world.pace.real(float(group.health_check_grace_period or 0)):
        return True
    known = [world.health.health_of(each, state.instance.id) for each in target_groups(group)]
    return all(each is None or each.state is not HealthState.UNHEALTHY for each in known)


def _oldest_first(
    group: FakeAutoScalingGroup, states: Sequence[InstanceState]
) -> list[InstanceState]:
    """As the default policy does: who was made from the oldest launch template goes first."""
    return sorted(states, key=lambda state: int((state.launch_template or {}).get("Version", 0)))


def _is_suspended(group: FakeAutoScalingGroup, process: str) -> bool:
    return any(each["ProcessName"] == process for each in group.suspended_processes)


def tick_all(backend: AutoScalingBackend, world: World) -> None:
    """One step for every group."""
    for group in list(backend.autoscaling_groups.values()):
        tick(group, world)


def launched_version(group: FakeAutoScalingGroup) -> Any:
    """The launch template that a new instance of the group is made from; None without one."""
    template = group.ec2_launch_template
    if template is None:
        return None
    version = template.get_version(group.launch_template_version).number
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": str(version),
    }
