import pytest

from bluegreen.operations.outcome import UsageError
from bluegreen.operations.project import find_project


def test_a_project_is_found_from_below_and_may_keep_its_configs_elsewhere(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nstackConfigDir: stacks\n")
    (tmp_path / "a" / "b").mkdir(parents=True)

    project = find_project(tmp_path / "a" / "b")

    assert project.name == "shop"
    assert project.config_file("acme/shop/live") == tmp_path / "stacks" / "Pulumi.live.yaml"


@pytest.mark.parametrize("text", ["", "- a\n", "name: [\n", "runtime: python\n"])
def test_a_project_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "Pulumi.yaml").write_text(text)

    with pytest.raises(UsageError, match="nothing was done"):
        find_project(tmp_path)


def test_a_directory_without_a_project_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match=r"no Pulumi\.yaml in"):
        find_project(tmp_path)
