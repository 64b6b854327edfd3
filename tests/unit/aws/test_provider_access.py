"""The gates go where the provider goes, or say that they cannot."""

import json

import pytest

from bluegreen.aws.assumed_role import AssumedRole
from bluegreen.aws.provider_access import access_of
from bluegreen.errors import ConfigError

ROLE = "arn:aws:iam::123456789012:role/deployer"
SECRET = "not-a-secret-key"


class Provider(dict):
    """A `pulumi.Config("aws")`."""


def provider(**written):
    return Provider(
        {key: each if isinstance(each, str) else json.dumps(each) for key, each in written.items()}
    )


def test_region_profile_and_keys_are_the_providers():
    access = access_of(
        provider(region="eu-west-1", profile="prod", accessKey="AKIA", secretKey=SECRET)
    )

    assert (access.region, access.profile, access.access_key) == ("eu-west-1", "prod", "AKIA")
    assert access.secret_key == SECRET
    assert SECRET not in repr(access)
    assert access.roles == ()


def test_what_the_program_says_goes_first():
    access = access_of(
        provider(region="eu-west-1", assumeRole={"roleArn": ROLE}), region="us-east-1", roles=()
    )

    assert (access.region, access.roles) == ("us-east-1", ())


def test_the_providers_role_is_taken_on_in_its_words():
    written = {
        "roleArn": ROLE,
        "sessionName": "pipeline",
        "externalId": "42",
        "policyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "tags": {"team": "shop"},
        "transitiveTagKeys": ["team"],
        "duration": "1h",
    }

    assert access_of(provider(assumeRole=written)).roles == (
        AssumedRole(
            role_arn=ROLE,
            session_name="pipeline",
            external_id="42",
            policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
            tags={"team": "shop"},
            transitive_tag_keys=("team",),
        ),
    )


def test_several_roles_are_taken_on_one_after_the_other():
    access = access_of(provider(assumeRoles=[{"roleArn": ROLE}, {"roleArn": f"{ROLE}-2"}]))

    assert [each.role_arn for each in access.roles] == [ROLE, f"{ROLE}-2"]


def test_a_role_that_is_no_mapping_is_told():
    with pytest.raises(ConfigError, match="aws:assumeRole: it is no mapping with a roleArn"):
        access_of(provider(assumeRole=ROLE))


@pytest.mark.parametrize(
    ("key", "value", "way"),
    [
        ("assumeRoleWithWebIdentity", {"roleArn": ROLE}, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("endpoints", [{"elbv2": "http://127.0.0.1:9"}], "AWS_ENDPOINT_URL"),
        ("sharedConfigFiles", ["/etc/aws"], "AWS_CONFIG_FILE"),
        ("sharedCredentialsFiles", ["/etc/keys"], "AWS_SHARED_CREDENTIALS_FILE"),
    ],
)
def test_where_the_gates_cannot_follow_is_refused_with_the_way_for_both(key, value, way):
    with pytest.raises(ConfigError) as caught:
        access_of(provider(**{key: value}))

    (line,) = caught.value.problems
    assert line.startswith(f"aws:{key}: the provider would follow it, and the gates cannot")
    assert "nothing was changed" in line
    assert way in line
    access_of(provider(**{key: []}))
