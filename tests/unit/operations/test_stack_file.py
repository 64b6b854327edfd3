import pytest

from bluegreen.operations.stack_file import StackConfig


@pytest.mark.parametrize("nonsense", ["purple", "[blue]", "{is: blue}", "1", ""])
def test_what_is_no_color_is_none_and_no_traceback(tmp_path, nonsense):
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(
        f"config:\n  shop:active_color: {nonsense}\n  shop:retired: {{color: {nonsense or 'x'}}}\n"
    )

    config = StackConfig.read(path, "shop")

    assert (config.active_color, config.retired_color) == (None, None)
