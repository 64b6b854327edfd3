"""What the hooks ask is what the policy in docs/ lets them ask."""

import ast
import json
from pathlib import Path

import bluegreen.aws
from tests.docs.pages import REPOSITORY

POLICY = REPOSITORY / "docs" / "aws-iam-policy.json"
PREFIXES = {"elbv2": "elasticloadbalancing"}


def statements():
    return {each["Sid"]: each for each in json.loads(POLICY.read_text())["Statement"]}


def asked():
    """The actions of every `call` and `pages` in the package."""
    for path in Path(bluegreen.aws.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="call" | "pages"),
                    args=[ast.Constant(value=str(service)), ast.Constant(value=str(name)), *_],
                ):
                    action = "".join(word.capitalize() for word in name.split("_"))
                    action = action.replace("Ssl", "SSL")
                    yield f"{PREFIXES.get(service, service)}:{action}"


def test_the_hooks_ask_what_three_statements_allow_and_these_allow_nothing_else():
    own = [statements()[name]["Action"] for name in ("AskLive", "AskGround", "KeepEvents")]

    assert sorted(set(asked())) == sorted(action for actions in own for action in actions)


def test_no_statement_allows_a_whole_service():
    for name, statement in statements().items():
        actions = statement["Action"]
        for action in actions if isinstance(actions, list) else [actions]:
            assert "*" not in action, name


def test_members_are_given_no_role_but_by_name():
    statement = statements()["GiveMembersTheirProfile"]

    assert statement["Resource"] != "*"
    assert statement["Condition"]["StringEquals"] == {"iam:PassedToService": "ec2.amazonaws.com"}
