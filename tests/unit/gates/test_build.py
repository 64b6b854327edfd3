from bluegreen import gates
from bluegreen.gates import CapacityGate, CommandGate, HttpGate, Probe, ReleaseGate, build_gates
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


def test_every_public_name_exists_and_is_listed_in_order():
    assert all(hasattr(gates, name) for name in gates.__all__)
    assert gates.__all__ == sorted(gates.__all__)
