"""The kinds of objects that the stand-in knows, and what of each cannot be changed in place."""

from dataclasses import dataclass

__all__ = ["KINDS", "Kind", "UnknownKindError", "kind_of", "kind_of_type"]

CUSTOM_GROUP = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Kind:
    """One kind of object: how it is addressed, and what replaces it."""

    group: str
    version: str
    name: str
    plural: str
    is_namespaced: bool = True
    replaced_by: tuple[str, ...] = ()
    """Paths of properties that cannot be changed in place, as in the official provider."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_custom(self) -> bool:
        """Whether a CustomResourceDefinition must be in the cluster first."""
        return self.group == CUSTOM_GROUP

    @property
    def root(self) -> str:
        """Where its API group is served."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def collection(self, namespace: str) -> str:
        """The path of all such objects in a namespace."""
        place = f"/namespaces/{namespace}" if self.is_namespaced else ""
        return f"{self.root}{place}/{self.plural}"

    def object(self, namespace: str, name: str) -> str:
        """The path of one object."""
        return f"{self.collection(namespace)}/{name}"


class UnknownKindError(Exception):
    """A kind that the stand-in does not know."""

    def __init__(self, name: str) -> None:
        known = ", ".join(sorted(kind.name for kind in KINDS.values()))
        super().__init__(
            f"{name} is a kind that this stand-in for the Kubernetes provider does not know; "
            f"nothing was sent to the cluster. It knows {known}. "
            "For others put the official pulumi-resource-kubernetes on PATH"
        )


_JOB = ("spec.completions", "spec.parallelism", "spec.selector", "spec.template")
_RBAC = "rbac.authorization.k8s.io"

_ALL = (
    Kind("", "v1", "Namespace", "namespaces", is_namespaced=False),
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "Secret", "secrets", replaced_by=("type",)),
    Kind("", "v1", "Service", "services", replaced_by=("spec.clusterIP",)),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("", "v1", "Event", "events"),
    Kind("events.k8s.io", "v1", "Event", "events"),
    Kind("apps", "v1", "Deployment", "deployments", replaced_by=("spec.selector",)),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("batch", "v1", "Job", "jobs", replaced_by=_JOB),
    Kind("batch", "v1", "CronJob", "cronjobs"),
    Kind(_RBAC, "v1", "Role", "roles"),
    Kind(_RBAC, "v1", "RoleBinding", "rolebindings", replaced_by=("roleRef",)),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        is_namespaced=False,
    ),
    Kind(CUSTOM_GROUP, "v1", "HTTPRoute", "httproutes"),
    Kind(CUSTOM_GROUP, "v1", "Gateway", "gateways"),
    Kind(CUSTOM_GROUP, "v1", "GatewayClass", "gatewayclasses", is_namespaced=False),
)

KINDS = {(kind.api_version, kind.name): kind for kind in _ALL}


def kind_of(api_version: str, name: str) -> Kind:
    """The kind that an object names.

    Raises:
        UnknownKindError: it is none of ours.
    """
    try:
        return KINDS[api_version, name]
    except KeyError:
        raise UnknownKindError(f"{name} ({api_version})") from None


def kind_of_type(token: str) -> Kind:
    """The kind of a resource type such as `kubernetes:core/v1:Service`.

    Raises:
        UnknownKindError: it is none of ours.
    """
    _, module, name = token.split(":")
    return kind_of(module.removeprefix("core/"), name)
