"""What `pulumi.Config` does not tell: which keys a stack's config has, and which hold secrets."""

import pulumi

__all__ = ["is_secret", "written_keys"]


def written_keys(namespace: str) -> tuple[str, ...]:
    """The keys below one namespace, as Pulumi hands them to the program it runs."""
    prefix = f"{namespace}:"
    keys = pulumi.runtime.get_config_env()
    return tuple(key.removeprefix(prefix) for key in keys if key.startswith(prefix))


def is_secret(namespace: str, key: str) -> bool:
    """Whether the value of a key is a secret, or has one somewhere inside."""
    full = f"{namespace}:{key}"
    return pulumi.runtime.is_config_secret(full) or (
        full in pulumi.runtime.get_config_secret_keys_env()
    )
