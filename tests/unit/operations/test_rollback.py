"""Which color a rollback goes to."""

from pathlib import Path

import pytest

from bluegreen.colors import Color
from bluegreen.operations.outcome import RefusedError
from bluegreen.operations.rollback import _Production, _target
from bluegreen.operations.stack_file import StackConfig

BLUE, GREEN = Color.BLUE, Color.GREEN


def config_with(folder: Path, active: Color) -> StackConfig:
    path = folder / "Pulumi.dev.yaml"
    path.write_text(f"config:\n  shop:active_color: {active}\n  shop:service: {{name: shop}}\n")
    return StackConfig.read(path, "shop")


@pytest.mark.parametrize(
    ("written", "production", "recorded", "target"),
    [
        pytest.param(GREEN, _Production(GREEN), GREEN, BLUE, id="after a switch"),
        pytest.param(BLUE, _Production(BLUE, is_shared=True), BLUE, BLUE, id="under a canary"),
        pytest.param(BLUE, _Production(GREEN), BLUE, BLUE, id="moved by hand"),
    ],
)
def test_it_goes_away_from_what_has_production(
    tmp_path: Path, written: Color, production: _Production, recorded: Color, target: Color
) -> None:
    assert _target(config_with(tmp_path, written), production, recorded) is target


def test_one_that_was_killed_after_its_write_is_not_undone_by_the_same_command(
    tmp_path: Path,
) -> None:
    with pytest.raises(RefusedError) as refused:
        _target(config_with(tmp_path, BLUE), _Production(BLUE), GREEN)

    assert str(refused.value) == (
        "an update to blue was not finished, and blue has production traffic; if that was a "
        "rollback, another one would undo it; nothing was changed; say which color is meant: "
        "--to blue or --to green"
    )
