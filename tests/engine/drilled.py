"""What every drill has to come to, on whichever platform."""

from tests.engine.command import Typed

__all__ = ["assert_drilled"]


def assert_drilled(done: Typed) -> None:
    """Switched, found the breach, rolled back, and nobody noticed."""
    assert done.exit_code == 0, done
    found = done.json
    assert found["is_met"], found
    assert found["problems"] == []
    figures = {each["name"]: each["value"] for each in found["figures"]}
    assert (figures["lost requests"], figures["stale requests"]) == (0, 0)
    assert 0 < figures["cutover"] < figures["rollback"] < 120
    assert 0 < figures["detection"] < 60
    assert found["requests"] > 200
    assert "p95" in found["breach"]
