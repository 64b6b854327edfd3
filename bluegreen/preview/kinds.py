"""Which types of resources say something about traffic, and which part they play."""

__all__ = [
    "FLEET_TYPES",
    "LIBRARY_ROUTERS",
    "ROUTER_TYPES",
    "STACK_TYPE",
    "TARGET_GROUP_TYPES",
    "TEMPLATE_TYPES",
    "is_read",
    "short_type",
]

STACK_TYPE = "pulumi:pulumi:Stack"

LIBRARY_ROUTERS = frozenset(
    f"bluegreen:index:{name}"
    for name in ("HaproxyRouter", "ServiceRouter", "HttpRouteRouter", "AlbRouter")
)
"""The components whose resource of a router's type moves production traffic."""

_LISTENERS = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
_RULES = ("aws:lb/listenerRule:ListenerRule", "aws:alb/listenerRule:ListenerRule")
_NETWORKING = "kubernetes:networking.k8s.io/v1:Ingress"

ROUTER_TYPES = frozenset(
    {
        "pulumi-python:dynamic/onprem:HaproxyRoute",
        "kubernetes:core/v1:Service",
        _NETWORKING,
        *(
            f"kubernetes:{group}:{kind}"
            for kind, groups in {
                "HTTPRoute": (
                    "gateway.networking.k8s.io/v1",
                    "gateway.networking.k8s.io/v1beta1",
                ),
                "VirtualService": (
                    "networking.istio.io/v1",
                    "networking.istio.io/v1beta1",
                    "networking.istio.io/v1alpha3",
                ),
                "TraefikService": ("traefik.io/v1alpha1", "traefik.containo.us/v1alpha1"),
            }.items()
            for group in groups
        ),
        *_LISTENERS,
        *_RULES,
    }
)

FLEET_TYPES = frozenset(
    {
        "pulumi-python:dynamic/onprem:Members",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:apps/v1:StatefulSet",
        "aws:autoscaling/group:Group",
        "aws:ecs/service:Service",
    }
)

TEMPLATE_TYPES = frozenset({"aws:ec2/launchTemplate:LaunchTemplate"})
"""What members are made from, where that is a resource of its own."""

TARGET_GROUP_TYPES = frozenset(
    {"aws:lb/targetGroup:TargetGroup", "aws:alb/targetGroup:TargetGroup"}
)

_READ = ROUTER_TYPES | FLEET_TYPES | TEMPLATE_TYPES | TARGET_GROUP_TYPES | {STACK_TYPE}


def is_read(type_token: str) -> bool:
    """Whether the properties of such a resource are looked at; of all others only the operation."""
    return type_token in _READ


def short_type(type_token: str) -> str:
    """A type as people say it: `Listener` for `aws:lb/listener:Listener`."""
    return type_token.rsplit(":", 1)[-1]
