"""What is done to one object in the cluster, and waited for."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import deployments
import jobs
import services
from api import Api, ApiError, NoSuchKindError, UnreachableError
from field_managers import CREATOR, is_forced, leave_ignored, take_over
from kinds import Kind
from metadata import (
    annotation,
    deletion_propagation,
    name_of,
    namespace_of,
    skips_await,
    timeout_seconds,
)
from patience import NotReadyError, Patience

__all__ = ["Conflict", "Objects"]

HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"
)

# How long to wait for a namespace or a CustomResourceDefinition that comes a little later.
RETRY_SECONDS = (1, 2, 4, 8, 16)

AWAITS: Mapping[str, Callable[[Api, Kind, dict[str, Any], Patience], dict[str, Any]]] = {
    "Deployment": deployments.await_rollout,
    "Service": services.await_settled,
    "Job": jobs.await_completion,
}
READS: Mapping[str, Callable[[Api, Kind, dict[str, Any]], dict[str, Any]]] = {
    "Deployment": deployments.read_rollout,
    "Service": services.read_settled,
    "Job": jobs.read_completion,
}

# The kinds whose end is not waited for with `skipAwait`, as in the official provider.
SKIP_AWAIT_OF_DELETE = ("Namespace", "Deployment", "Job")

Object = dict[str, Any]


class Conflict(Exception):  # noqa: N818
    """Somebody else manages a field that this update wants to set."""

    def __init__(self, error: ApiError, manager: str) -> None:
        super().__init__(
            "Server-side apply field conflict detected, see "
            f"{HELP} for troubleshooting help\n"
            f'The resource managed by field manager "{manager}" had an apply conflict: {error}\n'
            'To take the fields from it, set the annotation pulumi.com/patchForce: "true"'
        )


@dataclass(frozen=True)
class Objects:
    """The objects of one cluster."""

    api: Api
    cancelled: threading.Event
    is_upserting: bool = False
    """Whether a create may take over an object that is there already."""

    is_forcing: bool = False

    def preview_creation(self, kind: Kind, inputs: Object, manager: str) -> Object:
        """What the server would make of it."""
        return self._created(kind, inputs, manager, dry_run=True)

    def create(self, kind: Kind, inputs: Object, manager: str, timeout: float) -> Object:
        """The object once it is there and ready.

        Raises:
            ApiError, UnreachableError, NoSuchKindError: nothing was created.
            NotReadyError: it was created.
        """
        live = self._retried(lambda: self._created(kind, inputs, manager, dry_run=False))
        return self._awaited(kind, inputs, live, timeout)

    def _created(self, kind: Kind, inputs: Object, manager: str, *, dry_run: bool) -> Object:
        if not self.is_upserting:
            return self.api.create(kind, inputs, manager=CREATOR, dry_run=dry_run)
        force = dry_run or self.is_forcing or annotation(inputs, "patchForce") == "true"
        return self._applied(kind, inputs, manager, force=force, dry_run=dry_run)

    def _applied(
        self, kind: Kind, inputs: Object, manager: str, *, force: bool, dry_run: bool
    ) -> Object:
        try:
            return self.api.apply(kind, inputs, manager=manager, force=force, dry_run=dry_run)
        except ApiError as error:
            if error.is_conflict:
                raise Conflict(error, manager) from error
            raise

    def _retried(self, create: Callable[[], Object]) -> Object:
        for seconds in RETRY_SECONDS:
            try:
                return create()
            except NoSuchKindError:
                pass
            except ApiError as error:
                if not error.is_missing:
                    raise
            if self.cancelled.wait(seconds):
                break
        return create()

    def update(
        self,
        kind: Kind,
        inputs: Object,
        name: str,
        manager: str,
        *,
        timeout: float,
        ignored: Iterable[str] = (),
        dry_run: bool = False,
    ) -> Object:
        """The object as the inputs want it, and ready.

        Raises:
            ApiError, UnreachableError, NoSuchKindError, Conflict: it is as it was.
            NotReadyError: it was changed.
        """
        live = self.api.get(kind, namespace_of(inputs), name)
        if kind.name == "CustomResourceDefinition":
            changed = self._replaced(kind, inputs, live, manager, dry_run=dry_run)
        else:
            changed = self._patched(kind, inputs, live, manager, ignored, dry_run=dry_run)
        return changed if dry_run else self._awaited(kind, inputs, changed, timeout)

    def _replaced(
        self, kind: Kind, inputs: Object, live: Object, manager: str, *, dry_run: bool
    ) -> Object:
        version = live["metadata"]["resourceVersion"]
        body = {**inputs, "metadata": {**inputs["metadata"], "resourceVersion": version}}
        return self.api.replace(kind, body, manager=manager, dry_run=dry_run)

    def _patched(
        self,
        kind: Kind,
        inputs: Object,
        live: Object,
        manager: str,
        ignored: Iterable[str],
        *,
        dry_run: bool,
    ) -> Object:
        force = self.is_forcing or is_forced(inputs, live, in_preview=dry_run)
        if not dry_run and (operations := take_over(live, manager)):
            live = self.api.patch(kind, namespace_of(live), name_of(live), operations)
        leave_ignored(inputs, live, manager, ignored)
        return self._applied(kind, inputs, manager, force=force, dry_run=dry_run)

    def relinquish(self, kind: Kind, live: Object, manager: str) -> None:
        """Lets `manager` own nothing of it any more; what nobody else owns falls back."""
        metadata = {key: live["metadata"].get(key) for key in ("name", "namespace")}
        body = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
        self.api.apply(kind, body, manager=manager, force=False, dry_run=False)

    def read(self, kind: Kind, namespace: str, name: str, inputs: Object | None) -> Object:
        """The object as it is; with `inputs`, only if it is ready, too.

        Raises:
            ApiError, UnreachableError, NoSuchKindError: it cannot be read.
            NotReadyError: it is there.
        """
        live = self.api.get(kind, namespace, name)
        look = READS.get(kind.name)
        if look is None or inputs is None or skips_await(inputs):
            return live
        return look(self.api, kind, live)

    def delete(self, kind: Kind, namespace: str, name: str, inputs: Object, timeout: float) -> None:
        """Returns when it is gone.

        Raises:
            ApiError, UnreachableError: it may still be there.
            NotReadyError: it was told to go, and is still there.
        """
        try:
            self.api.delete(kind, namespace, name, deletion_propagation(inputs))
            if skips_await(inputs) and kind.name in SKIP_AWAIT_OF_DELETE:
                return
            self._await_end(kind, namespace, name, timeout_seconds(timeout, inputs))
        except NoSuchKindError:
            return
        except ApiError as error:
            if not error.is_missing:
                raise
        if kind.name == "CustomResourceDefinition":
            self.api.forget_served()

    def _await_end(self, kind: Kind, namespace: str, name: str, seconds: float) -> None:
        patience = Patience(seconds, self.cancelled)
        while True:
            live = self.api.get(kind, namespace, name)
            if patience.is_over:
                holding = ", ".join(live["metadata"].get("finalizers") or [])
                reasons = [f"finalizers might be preventing deletion ({holding})"]
                raise NotReadyError("timed out waiting for the condition", live, reasons)
            patience.pause()

    def _awaited(self, kind: Kind, inputs: Object, live: Object, timeout: float) -> Object:
        look = AWAITS.get(kind.name)
        if look is None or skips_await(inputs):
            return live
        patience = Patience(timeout_seconds(timeout, inputs), self.cancelled)
        while True:
            try:
                return look(self.api, kind, live, patience)
            except UnreachableError as error:
                # It is there, so whatever happens now must not make the engine forget it.
                if patience.is_over:
                    raise patience.failure(live, [str(error)]) from error
                patience.pause()
            except ApiError as error:
                raise NotReadyError(str(error), live, []) from error
