"""How many connections a member has, as it says itself."""

from bluegreen.errors import DataPlaneError

__all__ = ["sum_of_metric"]


def sum_of_metric(text: str, metric: str, pod: str) -> int:
    """Adds up the samples of a gauge in the Prometheus text format.

    Raises:
        DataPlaneError: The text cannot be read, or has no such metric.
    """
    # Takes a while, and only a shrink with `connections` set needs it.
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        values = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == metric
        ]
    except ValueError as error:
        msg = f"what pod {pod} says about itself is no Prometheus text format: {error}"
        raise DataPlaneError(msg) from error
    if not values:
        msg = f"pod {pod} has no metric {metric}"
        raise DataPlaneError(msg)
    return int(sum(values))
