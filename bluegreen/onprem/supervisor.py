"""The process manager of one service, as a resource."""

from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.onprem.provider import LiveProvider, LiveResource
from bluegreen.onprem.supervisord import Supervisord

__all__ = ["Supervisor"]


class _Provider(LiveProvider):
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        supervisord = _supervisord(news)
        problem = (
            _move_problem(olds, news)
            or supervisord.claim_problem(olds.get("owner"))
            or supervisord.directory_problem()
        )
        failures = [dynamic.CheckFailure("run_directory", problem)] if problem else []
        return dynamic.CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        _supervisord(props).start()
        return dynamic.CreateResult(props["run_directory"], dict(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        supervisord = _supervisord(news)
        is_drift = (
            supervisord.owner != news["owner"]
            or supervisord.is_open_to_others
            or not supervisord.is_running()
        )
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        _supervisord(news).start(formerly=olds.get("owner"))
        return dynamic.UpdateResult(dict(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        supervisord = _supervisord(props)
        supervisord.remove()
        _remove_empty_parents(supervisord.directory)


def _supervisord(props: dict[str, Any]) -> Supervisord:
    # A state from before directories had owners names none.
    return Supervisord(Path(props["run_directory"]), props.get("owner"))


def _move_problem(olds: dict[str, Any], news: dict[str, Any]) -> str | None:
    before, after = olds.get("run_directory"), news["run_directory"]
    if before in {None, after}:
        return None
    return (
        f"the service runs in {before} and cannot move to {after} while it runs; nothing was "
        "changed; set service.onprem.run_directory to where it runs, or destroy it first"
    )


def _remove_empty_parents(path: Path) -> None:
    """Removes the folders the default run directory was made in, as far as they are empty."""
    for parent in path.parents:
        if ".bluegreen" not in parent.parent.parts:
            return
        try:
            parent.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            # It has something else in it, or is the root of a file system.
            return


class Supervisor(LiveResource, module="onprem", name="Supervisor"):
    """A supervisord of the service's own: started detached, found again, destroyed last.

    A run directory belongs to whoever made it: nobody else's supervisor starts, stops or deletes
    anything in it.
    """

    run_directory: pulumi.Output[str]
    """Absolute path of everything the service keeps at run time."""

    owner: pulumi.Output[str]
    """Whose it is, `<project>/<stack>/<service>`."""

    def __init__(
        self, name: str, run_directory: Path, owner: str, opts: pulumi.ResourceOptions
    ) -> None:
        props = {"run_directory": str(run_directory), "owner": owner}
        super().__init__(_Provider(), name, props, opts)
