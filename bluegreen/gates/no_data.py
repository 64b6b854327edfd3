"""What a gate says that has not enough to judge."""

from bluegreen.gates.gate import Verdict
from bluegreen.settings.measuring_gates import NoData

__all__ = ["without_data"]


def without_data(
    gate: str, policy: NoData, why: str, *, limit: str, value: str | None = None
) -> Verdict:
    """The verdict that the policy asks for; always says what was missing."""
    reason = {
        NoData.FAIL: why,
        NoData.PASS: f"passed without enough data (no_data: pass): {why}",
        NoData.INCONCLUSIVE: f"inconclusive, and lets it pass: {why}",
    }[policy]
    return Verdict(
        gate=gate,
        passed=policy is not NoData.FAIL,
        reason=reason,
        value=value,
        limit=limit,
        is_warning=policy is NoData.INCONCLUSIVE,
    )
