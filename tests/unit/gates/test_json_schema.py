import subprocess
import sys
import textwrap

import pytest

from bluegreen.gates import json_schema
from bluegreen.gates.gate import Deadline
from bluegreen.gates.json_schema import JsonSchemaGate
from bluegreen.gates.probe import Probe

ORDER = {
    "type": "object",
    "required": ["orderId", "total"],
    "properties": {
        "orderId": {"type": "string", "minLength": 3},
        "total": {"$ref": "#/$defs/money"},
    },
    "$defs": {"money": {"type": "number", "minimum": 0}},
}


def a_gate(schema=ORDER, **changes):
    probe = Probe(path="/order", consecutive=2, interval_seconds=0.02, request_timeout_seconds=0.3)
    return JsonSchemaGate(**{"name": "order", "probe": probe, "schema": schema, **changes})


def asked(web, subject, **changes):
    gate = a_gate(**changes)
    assert gate.lacks == ""
    return gate.check(subject(web.url), Deadline(0.3))


def test_answers_that_fit_the_schema_pass(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"orderId": "a-1", "total": 9.5}))

    verdict = asked(web, a_subject)

    assert verdict.passed
    assert verdict.reason == "GET /order fits the schema, 2 times in a row"
    assert (verdict.value, verdict.limit) == ("0 violations", "0 violations")


def test_every_violation_is_told_with_its_place(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"orderId": "a", "total": -1}))

    verdict = asked(web, a_subject)

    assert not verdict.passed
    assert "$.orderId: 'a' is too short" in verdict.reason
    assert "$.total: -1 is less than the minimum of 0" in verdict.reason
    assert verdict.value == "2 violations"


def test_of_many_violations_five_are_told_and_all_are_counted(serve, a_subject):
    schema = {"items": {"type": "string"}}
    web = serve(lambda visit: visit.reply(body=list(range(50))))

    verdict = asked(web, a_subject, schema=schema)

    assert verdict.value == "50 violations"
    assert "and 45 more" in verdict.reason


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda visit: visit.reply(500, b"oops"), "answered 500, not 200: oops"),
        (lambda visit: visit.reply(body=b"<html>"), "the answer is not JSON"),
        (lambda visit: visit.hang(), "no complete answer"),
    ],
)
def test_what_is_no_answer_does_not_fit(serve, a_subject, behave, reason):
    verdict = asked(serve(behave), a_subject)

    assert not verdict.passed
    assert reason in verdict.reason


def test_nothing_is_fetched_for_a_schema(serve, a_subject):
    elsewhere = serve(lambda visit: visit.reply(body={"type": "string"}))
    web = serve(lambda visit: visit.reply(body={}))

    verdict = asked(web, a_subject, schema={"$ref": f"{elsewhere.url}/schema"})

    assert not verdict.passed
    assert "the schema leads nowhere" in verdict.reason
    assert elsewhere.heads == []


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "objekt"}, "$.type: 'objekt' is not"),
        ({"pattern": "["}, "$.pattern: '[' is not a 'regex'"),
    ],
)
def test_a_schema_that_is_none_is_said_beforehand(schema, problem):
    assert a_gate(schema).lacks.startswith(f"json_schema is no schema: {problem}")


def test_a_missing_package_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(json_schema, "find_spec", lambda name: None)

    assert a_gate().lacks == "no package jsonschema; `pip install 'bluegreen-pulumi[gates]'`"


def test_who_has_no_such_gate_does_not_need_the_package():
    code = """
        import sys
        sys.modules["jsonschema"] = sys.modules["referencing"] = None
        from bluegreen.gates import build_gates
        from bluegreen.settings import GatesSettings
        print(len(build_gates(GatesSettings(), readiness_path="/")))
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert done.stdout == "2\n"
