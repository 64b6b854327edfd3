"""Whatever Pulumi may print one day: no crash, and never a comment that is too long."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen.preview import (
    LIMIT,
    UnreadableDocumentError,
    as_json,
    as_markdown,
    as_text,
    marker,
    read_document,
    report_on,
)
from bluegreen.preview.kinds import FLEET_TYPES, ROUTER_TYPES, TARGET_GROUP_TYPES
from tests.preview.documents import PLACE, a_document, a_step, report

WORDS = [
    "spec", "selector", "color", "blue", "green", "weight", "rules", "backendRefs", "name",
    "metadata", "annotations", "labels", "tags", "key", "value", "minSize", "maxSize", "replicas",
    "release", "template", "containers", "image", "http", "route", "destination", "subset",
    "defaultActions", "type", "forward", "targetGroups", "arn", "active_color", "blue_percent",
    "green_percent", "bluegreen.dev/autoscaled", "2-5", "1.0", "[secret]", "weighted", "services",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
]  # fmt: skip
texts = st.sampled_from(WORDS) | st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
kinds = st.sampled_from(
    [
        *sorted(ROUTER_TYPES | FLEET_TYPES | TARGET_GROUP_TYPES),
        "pulumi:pulumi:Stack",
        "bluegreen:index:ServiceRouter$kubernetes:core/v1:Service",
        "a:b:C",
    ]
)
names = st.sampled_from(["web", "shop-route", "shop-blue-members", "shop-green"]) | texts
operations = st.sampled_from(
    ["same", "create", "update", "delete", "replace", "create-replacement", "delete-replaced"]
)
states = st.fixed_dictionaries({}, optional={"inputs": values, "outputs": values}) | values
steps = st.fixed_dictionaries(
    {
        "op": operations | values,
        "urn": st.builds(lambda *p: f"{PLACE}{p[0]}::{p[1]}", kinds, names),
    },
    optional={
        "oldState": states,
        "newState": states,
        "detailedDiff": values,
        "diffReasons": values,
    },
)
diagnostics = st.fixed_dictionaries(
    {"message": texts, "severity": st.sampled_from(["error", "warning", "info"])}
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "steps": st.lists(steps, max_size=8) | values,
        "config": st.dictionaries(st.just("shop:service") | texts, texts | values, max_size=3)
        | values,
        "diagnostics": st.lists(diagnostics | values, max_size=5) | values,
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_no_document_makes_it_fail(document):
    try:
        found = report_on(read_document(json.dumps(document)))
    except UnreadableDocumentError:
        return

    for shown in (as_text([found]), as_markdown([found]), as_json([found])):
        assert 0 < len(shown) <= LIMIT
    assert found.headline.startswith(found.place)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200) | values.map(json.dumps))
def test_no_text_makes_it_fail_in_another_way(text):
    with contextlib.suppress(UnreadableDocumentError):
        read_document(text)


def test_the_refusal_of_what_is_no_preview_quotes_nothing_of_it():
    with pytest.raises(UnreadableDocumentError) as caught:
        read_document("error: hunter2\n")

    assert "`pulumi preview --json`" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("stacks", [1, 3, 40, 2_000])
def test_a_comment_never_exceeds_the_limit_and_never_loses_its_marker(stacks):
    found = report(
        *(
            a_step("aws:s3/bucket:Bucket", f"bucket-{number}-{'x' * 80}", detailedDiff={"tags": {}})
            for number in range(500)
        ),
        says=tuple(
            f"error: shop: blue: is missing, but is to get {n} % of the traffic" for n in range(99)
        ),
    )
    mark = marker("owner/repository", "shop")

    comment = as_markdown([found] * stacks, mark=mark)

    assert len(comment) <= LIMIT
    assert comment.rstrip().endswith(mark)
    assert comment.startswith("**shop/prod: ")


@pytest.mark.parametrize("names", [("a--b", "c"), ("-->", "<!--"), ("x/y", "é ü")])
def test_no_name_ends_the_marker_early(names):
    mark = marker(*names)

    assert mark.index("-->") == len(mark) - 3


def test_events_say_the_same_as_the_document():
    router = {"spec": {"selector": {"color": "blue"}}}
    after = {"spec": {"selector": {"color": "green"}}}
    urn = f"{PLACE}kubernetes:core/v1:Service::web"
    metadata = {
        "op": "update", "urn": urn, "old": {"inputs": router}, "new": {"inputs": after},
        "detailedDiff": {"spec.selector.color": {"diffKind": "update"}},
    }  # fmt: skip
    events = [
        {"sequence": 0, "preludeEvent": {"config": {"shop:active_color": "green"}}},
        {"sequence": 1, "resourcePreEvent": {"metadata": metadata, "planning": True}},
        {
            "sequence": 2,
            "diagnosticEvent": {"message": "shop: x", "severity": "info", "ephemeral": True},
        },
        {"sequence": 3, "policyEvent": {"enforcementLevel": "mandatory", "message": "no"}},
    ]
    digest = a_document(a_step("kubernetes:core/v1:Service", "web", before=router, after=after))
    digest["steps"][0]["detailedDiff"] = {"spec.selector.color": {"kind": "update"}}

    streamed = report_on(read_document(json.dumps(each) for each in events))
    whole = report_on(read_document(json.dumps(digest)))

    assert streamed.services == whole.services
    assert streamed.resources == whole.resources
    # Only events tell of policies.
    assert streamed.has_failed
    assert streamed.errors == ("1 violations of mandatory policies",)


def test_an_event_ends_with_its_line_and_not_within_a_text():
    # The engine writes a next-line character into a JSON text as it is.
    prelude = {"preludeEvent": {"config": {"shop:note": "a\x85b\x85c", "shop:more": "d"}}}
    message = {"diagnosticEvent": {"message": "shop: x\x85y", "severity": "error"}}
    text = "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in (prelude, message))

    found = report_on(read_document(text))

    assert found == report_on(read_document(json.dumps(each) for each in (prelude, message)))
    assert found.has_failed
