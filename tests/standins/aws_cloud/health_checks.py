"""Asks one target whether it is well, as a load balancer does."""

import http.client

from tests.standins.aws_cloud.health import CheckSettings, Finding, matches

__all__ = ["check"]


def check(host: str, port: int, settings: CheckSettings, timeout_seconds: float) -> Finding | None:
    """Returns what is wrong with the answer; None if nothing is."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    headers = {"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"}
    try:
        connection.request("GET", settings.path, headers=headers)
        status = connection.getresponse().status
    except TimeoutError:
        return Finding("Target.Timeout", "Request timed out")
    except (OSError, http.client.HTTPException):
        return Finding("Target.FailedHealthChecks", "Health checks failed")
    finally:
        connection.close()
    if matches(status, settings.matcher):
        return None
    text = f"Health checks failed with these codes: [{status}]"
    return Finding("Target.ResponseCodeMismatch", text)
