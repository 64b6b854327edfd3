"""The process manager of one service, as a resource."""

from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.onprem.provider import LiveProvider
from bluegreen.onprem.supervisord import Supervisord

__all__ = ["Supervisor"]


class _Provider(LiveProvider):
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        before, after = olds.get("run_directory"), news["run_directory"]
        failures = []
        if before is not None and before != after:
            failures.append(
                dynamic.CheckFailure(
                    "run_directory",
                    f"the service runs in {before} and cannot move to {after} while it runs; "
                    "nothing was changed; set service.onprem.run_directory to where it runs, or "
                    "destroy it first",
                )
            )
        return dynamic.CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        Supervisord(Path(props["run_directory"])).start()
        return dynamic.CreateResult(props["run_directory"], dict(props))

    def diff(self, _id: str, olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        is_running = Supervisord(Path(olds["run_directory"])).is_running()
        return dynamic.DiffResult(changes=not is_running)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        Supervisord(Path(news["run_directory"])).start()
        return dynamic.UpdateResult(dict(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        path = Path(props["run_directory"])
        Supervisord(path).remove()
        _remove_empty_parents(path)


def _remove_empty_parents(path: Path) -> None:
    """Removes the folders the default run directory was made in, as far as they are empty."""
    for parent in path.parents:
        if ".bluegreen" not in parent.parent.parts or any(parent.iterdir()):
            return
        parent.rmdir()


class Supervisor(dynamic.Resource, module="onprem", name="Supervisor"):
    """A supervisord of the service's own: started detached, found again, destroyed last."""

    run_directory: pulumi.Output[str]
    """Absolute path of everything the service keeps at run time."""

    def __init__(self, name: str, run_directory: Path, opts: pulumi.ResourceOptions) -> None:
        super().__init__(_Provider(), name, {"run_directory": str(run_directory)}, opts)
