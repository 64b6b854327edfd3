"""What the doctor says of who a provider works as, before anything is asked."""

from pathlib import Path

import pytest

from bluegreen.operations.access import access_check
from bluegreen.settings import Platform


def check(platform, config=None, files=(), **environment):
    there = set(map(Path, files))
    return access_check(
        platform, config or {}, {"HOME": "/home/ann"} | environment, lambda path: path in there
    )


def test_on_premises_nobody_is_asked_for_permission():
    assert check(Platform.ONPREM) is None


@pytest.mark.parametrize(
    ("config", "files", "environment", "found"),
    [
        ({"kubernetes:kubeconfig": "~/x"}, [], {}, "by kubernetes:kubeconfig"),
        ({}, ["/b"], {"KUBECONFIG": "/a:/b"}, "by KUBECONFIG, /b"),
        (
            {"kubernetes:context": "prod"},
            ["/home/ann/.kube/config"],
            {},
            "by /home/ann/.kube/config, context prod",
        ),
        (
            {},
            ["/var/run/secrets/kubernetes.io/serviceaccount/token"],
            {},
            "by the service account of this pod",
        ),
    ],
)
def test_a_kubeconfig_is_found_where_the_provider_looks(config, files, environment, found):
    said = check(Platform.KUBERNETES, config, files, **environment)

    assert (said.level, said.found) == ("fine", found)


@pytest.mark.parametrize(
    ("files", "environment", "found"),
    [
        ([], {}, "no /home/ann/.kube/config"),
        (["/home/ann/.kube/config"], {"KUBECONFIG": "/a"}, "no file of KUBECONFIG is there: /a"),
    ],
)
def test_a_kubeconfig_that_is_not_there_is_missing(files, environment, found):
    said = check(Platform.KUBERNETES, None, files, **environment)

    assert (said.level, said.found) == ("missing", f"there is no kubeconfig: {found}")
    assert "export KUBECONFIG=PATH" in said.fix


@pytest.mark.parametrize(
    ("config", "files", "environment", "level", "found"),
    [
        ({"aws:region": "eu-west-1"}, [], {"AWS_PROFILE": "p"}, "fine", "by AWS_PROFILE"),
        ({"aws:region": "eu-west-1", "aws:profile": "p"}, [], {}, "fine", "by aws:profile p"),
        ({}, [], {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k"}, "fine", "AWS_ACCESS_KEY"),
        ({"aws:region": "eu-west-1"}, ["/home/ann/.aws/config"], {}, "fine", ".aws/config"),
        ({}, ["/home/ann/.aws/config"], {}, "fine", "the region of the default profile, by /home"),
        ({"aws:region": "eu-west-1"}, [], {}, "warning", "no credentials but a role"),
        ({}, [], {"AWS_ACCESS_KEY_ID": "k"}, "missing", "there is no region"),
    ],
)
def test_region_and_credentials_are_named_by_where_they_come_from(
    config, files, environment, level, found
):
    said = check(Platform.AWS, config, files, **environment)

    assert said.level == level
    assert found in said.found
