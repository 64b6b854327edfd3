"""Nothing is shown that is not on the list of what may be shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.preview import as_json, as_markdown, as_text, marker, read_document, report_on
from tests.preview.recordings import recordings

SECRET = "hunter2-c0rrect-h0rse"
ALLOWED = frozenset({"op", "urn", "severity", "kind"})
"""What Pulumi itself writes, never a program."""

KEPT = frozenset(
    {"release", "active_color", "color", "blue", "green", "bluegreen.dev/release"}
    | {"bluegreen.dev/active-color", "bluegreen:release", "bluegreen:color", "image", "name", "arn"}
)
"""Where values are that may be shown, and by which services and colors are told apart."""

RECORDED = [
    pytest.param(document, id=f"{platform}-{name}") for platform, name, document in recordings()
]


def planted(value, *, key=""):
    """The same with the secret in every text, and as a further entry of every object."""
    if isinstance(value, dict):
        if value.get("key") in KEPT:
            # A tag of an Auto Scaling group.
            return value
        found = {
            name: each if name in ALLOWED else planted(each, key=name)
            for name, each in value.items()
        }
        return found | {SECRET: SECRET, f"password_{SECRET}": {"value": SECRET}}
    if isinstance(value, list):
        return [*(planted(each, key=key) for each in value), SECRET]
    if isinstance(value, str) and value.startswith("{"):
        # A value of the config.
        return json.dumps(planted(json.loads(value)))
    if isinstance(value, str) and key not in KEPT:
        return f"{value}{SECRET}"
    return value


def everything_shown(document):
    found = report_on(read_document(json.dumps(document)), name=f"shop/{SECRET[:3]}")
    return (
        as_text([found])
        + as_markdown([found], mark=marker("owner/shop", "shop"))
        + as_json([found])
    )


@pytest.mark.parametrize("document", RECORDED)
def test_a_secret_in_every_text_of_a_preview_is_never_shown(document):
    assert SECRET not in everything_shown(planted(document))


@pytest.mark.parametrize(
    "message",
    [
        f"shop: green, now: http: refused: GET /?token={SECRET} gave 500",
        f"shop: green, now: {SECRET}: passed: fine",
        f"shop: gates of green 1.1, asked in the update only: {SECRET}",
        f"shop: gates of green {SECRET}, asked after its fleet is changed: capacity",
        f"shop: production traffic 100 % blue {SECRET} → 100 % green 1.1",
        f"shop: production traffic unreadable ({SECRET}) → 100 % green 1.1",
        f"shop: traffic was moved by hand; moving it back: unreadable ({SECRET}) → 100 % blue 1.0",
        f"shop: rollback: {SECRET}",
        f"shop: cannot tell who is live: {SECRET}; the same in an update would be a refusal",
        f"shop: the live members of blue change from 1.0, 2 members to 1.1, 2 members; "
        f"allowed once: {SECRET}",
        f"shop: blue is the rollback target: rollback to {SECRET} ends now",
        f"shop: where production traffic goes cannot be read: {SECRET}; nothing was changed",
        f"{SECRET}: blue: is missing, but active_color is blue",
        f"shop:blue.env.{SECRET}: {SECRET} is not a text",
        "Program failed with an unhandled exception:\nTraceback (most recent call last):\n"
        f"  File 'x.py', line 1, in <module>\n    raise {SECRET}\nValueError: {SECRET}",
        f"Program failed with an unhandled exception:\nHunter2c0rrectHorseError: {SECRET}",
        SECRET,
    ],
)
@pytest.mark.parametrize("severity", ["info", "info#err", "warning", "error", "debug", "x"])
def test_a_secret_in_what_hooks_and_programs_say_is_never_shown(message, severity):
    _, _, document = next(each for each in recordings() if "switch_updates" in each[1])
    said = {"message": f"{severity}: {message}\n", "severity": severity}
    hook = {
        "message": f'error: Preview failed: before hook "h" failed: {message}',
        "severity": "error",
    }

    shown = everything_shown(document | {"diagnostics": [said, hook]})

    assert SECRET not in shown
    assert "Hunter2" not in shown


@given(
    st.text(alphabet=st.characters(codec="utf-8"), min_size=8),
    st.sampled_from(["release", "image"]),
)
def test_a_release_is_shown_only_when_it_looks_like_one(text, key):
    text = f"{text} {SECRET}"
    properties = {"color": "blue", "replicas": 2, key: text}
    step = {
        "op": "create",
        "urn": "urn:pulumi:prod::shop::pulumi-python:dynamic/onprem:Members::shop-blue-members",
        "newState": {"inputs": properties},
    }

    assert SECRET not in everything_shown({"steps": [step], "config": {}})


def test_what_is_not_shown_is_counted():
    document = {
        "steps": [],
        "config": {},
        "diagnostics": [{"message": SECRET, "severity": "error"}],
    }

    found = report_on(read_document(json.dumps(document)), name="shop/prod")

    assert found.has_failed
    assert "an error whose text may hold what is nobody's business" in as_text([found])
    assert found.hidden == {"error": 1}
