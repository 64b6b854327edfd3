from datetime import UTC, datetime

from bluegreen import gates
from bluegreen.colors import Color
from bluegreen.gates import (
    ApprovalGate,
    CapacityGate,
    CommandGate,
    DependenciesGate,
    FeatureFlagsGate,
    HttpGate,
    JsonSchemaGate,
    Probe,
    ReleaseGate,
    SuiteGate,
    WarmUpCommand,
    WarmUpRequests,
    build_gates,
)
from bluegreen.settings.approval import approve
from bluegreen.settings.gates import GatesSettings


def names(built):
    return [gate.name for gate in built]


def test_nothing_written_means_capacity_and_readiness():
    built = build_gates(GatesSettings(), readiness_path="/health/ready")

    assert names(built) == ["capacity", "ready"]
    assert built[1].probe.path == "/health/ready"
    assert not any(gate.is_slow for gate in built)


def test_without_a_readiness_path_there_is_no_such_gate():
    assert names(build_gates(GatesSettings())) == ["capacity"]


def test_a_written_ready_gate_replaces_the_built_in_one():
    settings = GatesSettings.model_validate({"http": {"ready": {"path": "/mine"}}})

    built = build_gates(settings, readiness_path="/health/ready")

    assert names(built) == ["capacity", "ready"]
    assert built[1].probe.path == "/mine"


def test_every_setting_reaches_its_gate():
    settings = GatesSettings.model_validate(
        {
            "capacity": {"fraction": 0.5, "timeout_seconds": 7},
            "http": {
                "database": {
                    "path": "/health/dependencies",
                    "method": "GET",
                    "status": 201,
                    "json_field": "database.status",
                    "json_equals": "healthy",
                    "consecutive": 2,
                    "interval_seconds": 0.25,
                    "timeout_seconds": 8,
                    "request_timeout_seconds": 3,
                    "slow": True,
                    "dry_run": True,
                }
            },
            "release": {"path": "/v", "json_field": "build.tag", "consecutive": 4, "slow": True},
            "command": {
                "smoke": {
                    "command": "npm run 'test smoke'",
                    "env": {"TOKEN": "fake"},
                    "secret_env": ["TOKEN"],
                    "timeout_seconds": 9,
                    "slow": True,
                }
            },
        }
    )

    assert build_gates(settings) == (
        CapacityGate(fraction=0.5, timeout_seconds=7),
        HttpGate(
            name="database",
            probe=Probe(
                path="/health/dependencies",
                consecutive=2,
                interval_seconds=0.25,
                request_timeout_seconds=3,
            ),
            status=201,
            json_field="database.status",
            json_equals="healthy",
            timeout_seconds=8,
            is_slow=True,
            is_dry_run=True,
        ),
        ReleaseGate(probe=Probe(path="/v", consecutive=4), json_field="build.tag", is_slow=True),
        CommandGate(
            name="smoke",
            arguments=("npm", "run", "test smoke"),
            env={"TOKEN": "fake"},
            secret_env=("TOKEN",),
            timeout_seconds=9,
            is_slow=True,
        ),
    )


def test_what_a_gate_and_its_settings_say_without_settings_is_the_same():
    built = {gate.name: gate for gate in build_gates(GatesSettings.model_validate({"release": {}}))}

    assert built == {"capacity": CapacityGate(), "release": ReleaseGate()}


def test_every_kind_of_gate_is_built_with_its_settings():
    conduct = {"timeout_seconds": 7, "slow": True, "dry_run": True}
    settings = GatesSettings.model_validate(
        {
            "warm_up": {
                "caches": {"paths": ["/a"], "requests": 9, "concurrency": 2, **conduct},
                "index": {"command": "make warm", "secret_env": ["T"], **conduct},
            },
            "suite": {
                "smoke": {
                    "steps": [{"name": "one", "path": "/{pin}"}],
                    "secret_env": {"pin": "PIN"},
                    "request_timeout_seconds": 3,
                    **conduct,
                }
            },
            "dependencies": {
                "stores": {"json_equals": {"db.status": "up"}, "status": 207, **conduct}
            },
            "feature_flags": {
                "flags": {
                    "path": "/flags",
                    "json_field": "all",
                    "must_equal_live": True,
                    "ignore": ["a"],
                    "json_equals": {"b": True},
                    "request_timeout_seconds": 2,
                    **conduct,
                }
            },
            "json_schema": {"order": {"path": "/o", "json_schema": {"type": "object"}, **conduct}},
            "approve": True,
            "approval_hours": 2,
        }
    )
    given = approve("shop", Color.GREEN, "1.1", by="ann", now=datetime(2030, 1, 1, tzinfo=UTC))

    built = {gate.name: gate for gate in build_gates(settings, approval=given)}

    common = {"timeout_seconds": 7, "is_slow": True, "is_dry_run": True}
    assert built.pop("capacity") == CapacityGate()
    assert built == {
        "caches": WarmUpRequests(name="caches", paths=("/a",), requests=9, concurrency=2, **common),
        "index": WarmUpCommand(
            name="index", arguments=("make", "warm"), secret_env=("T",), **common
        ),
        "smoke": SuiteGate(
            name="smoke",
            steps=settings.suite["smoke"].steps,
            secret_env={"pin": "PIN"},
            request_timeout_seconds=3,
            **common,
        ),
        "stores": DependenciesGate(
            name="stores",
            probe=Probe(path="/health/dependencies"),
            json_equals={"db.status": "up"},
            status=207,
            **common,
        ),
        "flags": FeatureFlagsGate(
            name="flags",
            path="/flags",
            json_field="all",
            must_equal_live=True,
            ignore=("a",),
            json_equals={"b": True},
            request_timeout_seconds=2,
            **common,
        ),
        "order": JsonSchemaGate(
            name="order", probe=Probe(path="/o"), schema={"type": "object"}, **common
        ),
        "approval": ApprovalGate(approval=given, hours=2),
    }


def test_every_public_name_exists_and_is_listed_in_order():
    assert all(hasattr(gates, name) for name in gates.__all__)
    assert gates.__all__ == sorted(gates.__all__)
