"""Refuses to judge one listener and write to another."""

from bluegreen.aws.live_router import LiveRouter
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import HookCall

__all__ = ["LiveRouterGuard"]


class LiveRouterGuard:
    """Asked before the router's resource is updated."""

    def __init__(self, service: str, router: LiveRouter) -> None:
        self._service = service
        self._router = router

    def __call__(self, call: HookCall) -> None:
        """Raises when what the gates look at is not what the state has."""
        try:
            found = self._router.arn()
        except DataPlaneError:
            # The gate asks the same and says it.
            return
        recorded = (call.old or {}).get("arn")
        if not recorded or found == recorded:
            return
        if found is None:
            text = (
                f"the {self._router.kind} in the state is not there any more ({recorded}): it was "
                "removed by hand, and `pulumi up --refresh` makes it again"
            )
        else:
            text = (
                f"the gates found another {self._router.kind} than the one in the state ({found}, "
                f"recorded {recorded}): either it was made anew by hand, and `pulumi refresh` and "
                "`pulumi import` take it over, or the provider writes to another account or region "
                "than the gates ask"
            )
        msg = f"{self._service}: {text}; production traffic has not been moved by this update"
        raise RolloutError(msg)
