"""The provider's own configuration."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api import Api, ApiError, UnreachableError, active_cluster, connect
from property_values import contains_unknown

__all__ = ["Settings", "check_reachable", "config_differences", "connection", "settings_from"]

PREFIX = "kubernetes:config:"
DIRECTING = ("kubeconfig", "context", "cluster")


@dataclass(frozen=True)
class Settings:
    """What the program or the stack's config says about the provider."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    config_maps_change: bool = False
    """Whether the data of a ConfigMap may change in place; else a change replaces it."""

    secrets_change: bool = False
    is_upserting: bool = False
    is_forcing: bool = False


def settings_from(variables: Mapping[str, str]) -> Settings:
    """The settings in the engine's words, else in the environment's.

    Raises:
        ValueError: server-side apply is switched off, which the stand-in cannot do without.
    """

    def text(key: str) -> str:
        return variables.get(PREFIX + key, "")

    def switch(key: str, environment: str) -> bool:
        return (text(key) or os.environ.get(environment, "")) == "true"

    if text("enableServerSideApply") == "false":
        msg = (
            "enableServerSideApply is false: this stand-in for the Kubernetes provider knows only "
            "server-side apply; nothing was sent to the cluster"
        )
        raise ValueError(msg)
    return Settings(
        kubeconfig=text("kubeconfig"),
        context=text("context"),
        cluster=text("cluster"),
        namespace=text("namespace"),
        config_maps_change=switch("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        secrets_change=switch("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        is_upserting=switch("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        is_forcing=switch("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
    )


def connection(settings: Settings) -> Api:
    """The cluster that is meant; it may not be there.

    Raises:
        UnreachableError: there is no telling which.
    """
    return connect(settings.kubeconfig, settings.context, settings.cluster, settings.namespace)


def check_reachable(api: Api) -> None:
    """Returns if the cluster answers.

    Raises:
        UnreachableError: it does not, or does not know the user.
    """
    try:
        api.check_reachable()
    except (ApiError, UnreachableError) as error:
        msg = f"unable to load schema information from the API server: {error}"
        raise UnreachableError(msg) from error


def config_differences(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """The keys that differ, and those of them that mean another cluster."""
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if any(contains_unknown(new.get(key)) for key in DIRECTING):
        return changed, [key for key in DIRECTING if contains_unknown(new.get(key))]
    before, after = _cluster(old), _cluster(new)
    if before is None or after is None or before == after:
        return changed, []
    return changed, [key for key in changed if key in DIRECTING]


def _cluster(properties: Mapping[str, Any]) -> Any:
    words = [str(properties.get(key) or "") for key in DIRECTING]
    return active_cluster(*words) if words[0] else None
