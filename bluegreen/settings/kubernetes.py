"""What only the Kubernetes platform needs to know."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.member import MemberEnvironment

__all__ = [
    "AutoscalingSettings",
    "BaseUrl",
    "ConnectionsSettings",
    "DnsLabel",
    "DnsName",
    "FollowJobSettings",
    "GatewaySettings",
    "HostName",
    "Image",
    "KubernetesSettings",
    "LivenessSettings",
    "PodSecuritySettings",
    "Quantity",
    "ResourcesSettings",
    "RouterMechanism",
    "StartupSettings",
]

DnsLabel = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)
]
"""Lower-case letters, digits and hyphens, at most 63 characters (RFC 1123 label)."""

DnsName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)
]
"""The same with dots, at most 253 characters: what most objects may be called."""

HostName = Annotated[
    str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)
]
"""Lower-case host name, with `*.` in front for all below it."""

Image = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^\S+$")]
"""Image reference; `{release}` and `{color}` are filled in."""

Quantity = Annotated[
    str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$")
]
"""Kubernetes quantity, for example `250m` or `128Mi`."""

BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/+[^\s/]+)*$")]
"""`http://` or `https://`, a host, no slash at the end."""


class RouterMechanism(StrEnum):
    """What moves production traffic."""

    SERVICE = "service"
    """The selector of one Service: all or nothing, no canary."""

    HTTP_ROUTE = "http_route"
    """The weights of one HTTPRoute of the Gateway API: with canary."""


class ResourcesSettings(SettingsModel):
    """What a member asks for and may use at most."""

    requests: dict[Literal["cpu", "memory", "ephemeral-storage"], Quantity] = Field(
        default_factory=dict
    )
    """What the scheduler keeps free for a member, for example `{cpu: 100m, memory: 128Mi}`."""

    limits: dict[Literal["cpu", "memory", "ephemeral-storage"], Quantity] = Field(
        default_factory=dict
    )
    """What a member may use at most."""


class StartupSettings(SettingsModel):
    """How long a slow member may take before readiness and liveness are asked at all."""

    period_seconds: int = Field(default=5, ge=1, le=300)
    """Seconds between two tries."""

    failure_threshold: int = Field(default=30, ge=1, le=1000)
    """Failed tries before the member is started anew."""


class LivenessSettings(SettingsModel):
    """When a member is started anew; by default never, because readiness takes it out already."""

    path: str = Field(default="/health/live", pattern=r"^/\S*$")
    """Path that answers 200 as long as the process can go on; must not ask dependencies."""

    period_seconds: int = Field(default=10, ge=1, le=300)
    """Seconds between two checks."""

    failure_threshold: int = Field(default=3, ge=1, le=100)
    """Failed checks in a row before the member is started anew."""


class PodSecuritySettings(SettingsModel):
    """What members may not do: closed by default (the Pod Security Standard "restricted")."""

    run_as_user: int | None = Field(default=None, ge=1)
    """User id; default the image's own, which must not be root."""

    read_only_root_filesystem: bool = True
    """Default true; a program that writes to /tmp is given an empty one."""


class AutoscalingSettings(SettingsModel):
    """A HorizontalPodAutoscaler (autoscaling/v2) for each color; it owns the replicas then."""

    min_replicas: int = Field(default=2, ge=1, le=1000)
    """Fewest members of a color, also while it is idle."""

    max_replicas: int = Field(default=20, ge=1, le=1000)
    """Most members of a color."""

    cpu_percent: int = Field(default=70, ge=1, le=100)
    """Average CPU use, in percent of the request, that it aims at."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            msg = f"min_replicas {self.min_replicas} is above max_replicas {self.max_replicas}"
            raise MisfitError(msg, "min_replicas", value=f"{self.max_replicas}")
        return self


class GatewaySettings(SettingsModel):
    """The Gateway that an HTTPRoute belongs to; made by somebody else."""

    name: DnsName
    """Name of the Gateway."""

    namespace: DnsLabel | None = None
    """Its namespace; default the service's own."""

    section_name: DnsName | None = None
    """One of its listeners; default all that fit."""

    hostnames: tuple[HostName, ...] = ()
    """Host names of production; default all that the listener has."""

    pin_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    """Request header that reaches one color by its name on the production host, for example
    `X-Bluegreen-Color: green`. Whoever can reach production can send it; default none."""


class FollowJobSettings(SettingsModel):
    """A Job that asks production from inside the cluster, where nobody outside can."""

    image: Image
    """Image with curl, for example `docker.io/curlimages/curl:8.10.1`."""

    timeout_seconds: int = Field(default=60, ge=5, le=600)
    """Seconds until the Job must have answered, its start included."""


class ConnectionsSettings(SettingsModel):
    """Where a member says how many connections clients have open to it, or requests under way."""

    path: str = Field(default="/metrics", pattern=r"^/\S*$")
    """Path that answers in the Prometheus text format."""

    metric: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    """Name of the gauge; all its samples are added up."""


class KubernetesSettings(SettingsModel):
    """Deployments behind a Service or an HTTPRoute."""

    namespace: DnsLabel | None = None
    """Namespace of everything; default the one of `kubernetes:namespace`, else of the context."""

    router: RouterMechanism = RouterMechanism.SERVICE
    """What moves production traffic."""

    image: Image | None = None
    """Image of every member, for example `ghcr.io/acme/shop:{release}`. A color's own `image` goes
    first."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Default IfNotPresent: a release is what its tag was when it was deployed."""

    image_pull_secrets: tuple[DnsName, ...] = ()
    """Names of Secrets for a private registry."""

    container_port: int = Field(default=8080, ge=1, le=65535)
    """Port that a member listens on; it is also told as `PORT`."""

    service_account: DnsName | None = None
    """Account of the members; default the namespace's own, whose token is not mounted."""

    env: MemberEnvironment = Field(default_factory=dict, repr=False)
    """Environment variables of both colors; a color's own `env` goes on top."""

    secrets: MemberEnvironment = Field(default_factory=dict, repr=False)
    """The same for passwords, kept in a Secret; a color's own `secrets` go on top."""

    resources: ResourcesSettings = Field(default_factory=ResourcesSettings)
    """What members ask for and may use."""

    ready_initial_delay_seconds: int = Field(default=10, ge=0, le=3600)
    """Seconds after the start before readiness is asked for the first time."""

    startup: StartupSettings | None = None
    """Startup probe on the health check's path; default none."""

    liveness: LivenessSettings | None = None
    """Liveness probe; default none."""

    security: PodSecuritySettings = Field(default_factory=PodSecuritySettings)
    """What members may not do."""

    pre_stop_seconds: int = Field(default=5, ge=0, le=600)
    """Seconds a member goes on serving after it was told to end, until kube-proxy on every node
    and every load balancer has taken it out; `drain.stop_seconds` come on top."""

    ready_timeout_seconds: float = Field(default=300.0, gt=0, le=3600)
    """Seconds that a deployed color's members may take to become ready."""

    connections: ConnectionsSettings | None = None
    """Count what a color still works on before it shrinks; default none, it is given the drain's
    whole time since the switch."""

    autoscaling: AutoscalingSettings | None = None
    """Let a HorizontalPodAutoscaler own the replicas; default none, `COLOR.replicas` counts."""

    gateway: GatewaySettings | None = None
    """For the router `http_route`: where it belongs to."""

    production_url: BaseUrl | None = None
    """Address of production as it is reached from where `pulumi up` runs; with `color_from` it is
    what is asked whether traffic follows."""

    color_url: BaseUrl | None = None
    """Color-pinned address as it is reached from where `pulumi up` runs, `{color}` filled in.
    Default: the API server's proxy to the color's own Service."""

    follow_job: FollowJobSettings | None = None
    """Asks production from inside the cluster where `production_url` is not set."""

    propagation_seconds: float = Field(default=2.0, ge=0, le=300)
    """Where production cannot be asked: seconds to wait after the EndpointSlices have changed, for
    kube-proxy (whose minSyncPeriod is 1 s by default)."""

    @model_validator(mode="after")
    def _an_http_route_has_a_gateway(self) -> Self:
        if self.router is RouterMechanism.HTTP_ROUTE and self.gateway is None:
            msg = "router is http_route, but gateway does not say which Gateway it belongs to"
            raise MisfitError(msg, "gateway", "name", value="NAME")
        return self

    @model_validator(mode="after")
    def _a_follow_job_has_a_service_to_ask(self) -> Self:
        if self.router is RouterMechanism.HTTP_ROUTE and self.follow_job is not None:
            msg = "follow_job asks production's Service, and with the router http_route it has none"
            raise MisfitError(msg, "follow_job", value=None)
        return self

    @model_validator(mode="after")
    def _a_color_url_names_the_color(self) -> Self:
        if self.color_url is not None and "{color}" not in self.color_url:
            msg = f"color_url {self.color_url} has no {{color}} in it, so it reaches no one color"
            raise MisfitError(msg, "color_url")
        return self
