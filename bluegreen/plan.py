"""What a config asks for: shares, capacities, and what is odd about it. A pure function."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import Overrides
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.config import ServiceConfig
from bluegreen.settings.kubernetes import AutoscalingSettings
from bluegreen.settings.roles import RetiredCapacityMode, RetiredCapacitySettings
from bluegreen.settings.service import Platform, ServiceSettings
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["FleetPlan", "ServicePlan", "make_plan", "retired_replicas"]

_MIN_REPLICAS_KEY = "service.kubernetes.autoscaling.min_replicas"


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What one color is to be after the update."""

    color: Color
    settings: ColorSettings
    replicas: int
    """Members it is to have: its full capacity, or less when it is retired. Under an autoscaler the
    fewest."""

    is_retired: bool
    autoscaling: AutoscalingSettings | None = None
    """Who owns the number of members instead of the program; never of a retired color."""

    @property
    def release(self) -> str:
        """The release it is to hold."""
        return self.settings.release

    @property
    def capacity_key(self) -> str:
        """The key of the config that says how many members it has, or has at least."""
        return f"{self.color}.replicas" if self.autoscaling is None else _MIN_REPLICAS_KEY


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What the config asks for, decided without looking at anything that runs."""

    route: Route
    """The active color, and who is to get which share."""

    fleets: Mapping[Color, FleetPlan]
    """The colors that exist; the idle one may be missing on the first day."""

    warnings: tuple[str, ...]
    """What somebody should know although the deployment is correct."""

    is_rollback: bool
    """True when somebody asked for a rollback to the active color."""

    @property
    def active_color(self) -> Color:
        """The color that is to have production traffic."""
        return self.route.active

    @property
    def split(self) -> TrafficSplit:
        """Who is to get which share."""
        return self.route.split

    @property
    def idle_color(self) -> Color:
        """The color that is not active."""
        return self.active_color.other


def make_plan(config: ServiceConfig, overrides: Overrides) -> ServicePlan:
    """Decides shares and capacities.

    Raises:
        ConfigError: The canary names the color that is being switched to, or a color that is to
            get traffic does not exist.
    """
    active = config.active_color
    is_rollback = overrides.rollback is not None and overrides.rollback.color is active
    percent = _canary_percent(config, is_rollback=is_rollback)
    split = TrafficSplit.with_canary(active, percent)
    for color in sorted(split.colors):
        if config.color(color) is None:
            msg = f"{color}: is missing, but is to get {split.share_of(color)} % of the traffic"
            raise ConfigError([f"{msg}; nothing was changed"])
    fleets = {
        color: _fleet_plan(config, color, settings, split)
        for color in Color
        if (settings := config.color(color)) is not None
    }
    return ServicePlan(
        route=Route(active, split),
        fleets=fleets,
        warnings=tuple(_warnings(config, overrides, fleets, is_rollback=is_rollback)),
        is_rollback=is_rollback,
    )


def retired_replicas(full: int, capacity: RetiredCapacitySettings) -> int:
    """How many of `full` members are left of a retired color."""
    match capacity.mode:
        case RetiredCapacityMode.ZERO:
            return 0
        case RetiredCapacityMode.MINIMUM:
            return min(capacity.replicas, full)
        case RetiredCapacityMode.PERCENT:
            return math.ceil(full * capacity.percent / 100)


def _canary_percent(config: ServiceConfig, *, is_rollback: bool) -> int:
    canary = config.canary
    if canary is None or canary.percent == 0 or is_rollback:
        return 0
    if canary.color is config.active_color:
        raise ConfigError(
            [
                f"canary.percent: {canary.percent} % is meant for {canary.color}, which is the "
                "active color; a later rollback would keep that share on it; nothing was changed; "
                "`pulumi config set --path canary.percent 0`"
            ]
        )
    return canary.percent


def _fleet_plan(
    config: ServiceConfig, color: Color, settings: ColorSettings, split: TrafficSplit
) -> FleetPlan:
    retired = config.retired
    is_retired = (
        retired is not None
        and retired.color is color
        and retired.release == settings.release
        and split.share_of(color) == 0
    )
    autoscaling = _autoscaling(config.service)
    full = settings.replicas if autoscaling is None else autoscaling.min_replicas
    return FleetPlan(
        color=color,
        settings=settings,
        replicas=retired_replicas(full, config.service.retired_capacity) if is_retired else full,
        is_retired=is_retired,
        autoscaling=None if is_retired else autoscaling,
    )


def _autoscaling(service: ServiceSettings) -> AutoscalingSettings | None:
    return service.kubernetes.autoscaling if service.platform is Platform.KUBERNETES else None


def _warnings(
    config: ServiceConfig,
    overrides: Overrides,
    fleets: Mapping[Color, FleetPlan],
    *,
    is_rollback: bool,
) -> list[str]:
    warnings = []
    if (text := _idle_retired_entry(config, fleets)) is not None:
        warnings.append(text)
    canary = config.canary
    if is_rollback and canary is not None and canary.percent > 0:
        warnings.append(
            f"the canary of {canary.percent} % for {canary.color} is set to 0 in this rollback; "
            "`pulumi config set --path canary.percent 0` makes it stay so"
        )
    if overrides.rollback is not None and not is_rollback:
        warnings.append(
            f"the rollback to {overrides.rollback.color} has no effect: active_color is "
            f"{config.active_color}; `pulumi config set active_color {overrides.rollback.color}`"
        )
    return warnings


def _idle_retired_entry(config: ServiceConfig, fleets: Mapping[Color, FleetPlan]) -> str | None:
    """Why the `retired` entry has no effect; None when it has one, or there is none."""
    retired = config.retired
    if retired is None:
        return None
    fleet = fleets.get(retired.color)
    if fleet is not None and fleet.is_retired:
        return None
    if fleet is None:
        why = f"{retired.color} does not exist"
    elif fleet.release != retired.release:
        why = f"{retired.color} is to hold {fleet.release}"
    elif retired.color is config.active_color:
        why = f"{retired.color} is active"
    else:
        why = f"{retired.color} has a share of production traffic"
    return (
        f"the retired entry for {retired.color} {retired.release} has no effect: {why}; "
        "`pulumi config rm retired` removes it"
    )
