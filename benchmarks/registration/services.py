"""The config of many services, each complete."""

from typing import Any

from benchmarks.onprem_stack import stack_settings

__all__ = ["settings_of"]

_FIRST_PORT = 18_000


def settings_of(number: int) -> dict[str, Any]:
    """The config of one service; only names are told apart, since nothing is started."""
    settings = stack_settings(_FIRST_PORT)
    name = f"shop-{number}"
    onprem = settings["service"]["onprem"] | {"run_directory": f"run/{name}"}
    return settings | {"service": settings["service"] | {"name": name, "onprem": onprem}}
