"""What the doctor finds on a machine that lacks something."""

import pytest

from bluegreen.operations.ground import engine_checks, platform_checks
from bluegreen.settings import Platform


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An empty PATH, into which a test puts programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(path, name, said=""):
    program = path / name
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)


def found(checks):
    return {each.name: each for each in checks}


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("v3.238.0", "fine"),
        ("v3.259.0-dev", "fine"),
        ("v4.0.0", "fine"),
        ("v3.237.9", "missing"),
        ("v2.999.0", "missing"),
        ("dirty", "warning"),
    ],
)
def test_an_engine_has_to_be_new_enough(path, said, level):
    put(path, "pulumi", said)

    assert found(engine_checks())["engine"].level == level


def test_an_engine_that_is_not_there_is_told_with_what_to_do(path):
    engine = found(engine_checks())["engine"]

    assert (engine.level, engine.found) == ("missing", "the program `pulumi` is not on PATH")
    assert "3.238" in engine.fix


def test_a_plugin_may_be_on_the_path_or_with_the_engine_or_be_fetched(path):
    put(path, "pulumi", "[]")
    fetched = found(platform_checks(Platform.KUBERNETES))["plugin"]
    put(path, "pulumi", '[{"name": "kubernetes", "version": "4.29.0"}]')
    installed = found(platform_checks(Platform.KUBERNETES))["plugin"]
    put(path, "pulumi-resource-kubernetes")
    ambient = found(platform_checks(Platform.KUBERNETES))["plugin"]

    assert fetched.level == "warning"
    assert fetched.fix.startswith("pulumi plugin install resource kubernetes ")
    assert (installed.level, installed.found) == ("fine", "kubernetes 4.29.0")
    assert (ambient.level, ambient.found) == ("fine", str(path / "pulumi-resource-kubernetes"))


def test_packages_of_a_platform_that_are_missing_are_named_with_the_extra(monkeypatch):
    monkeypatch.setattr("bluegreen.operations.ground.find_spec", lambda name: None)

    packages = found(platform_checks(Platform.AWS))["packages"]

    assert packages.level == "missing"
    assert "pulumi_aws, boto3" in packages.found
    assert packages.fix == "pip install 'bluegreen-pulumi[aws]'"
