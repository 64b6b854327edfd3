"""What `pulumi up` says to a user's mistakes, each typed in full against a service that works.

Every case is compared as a whole: the exit code, all diagnostics, standard error, the state file
byte by byte, and who answers in production. Only ports, paths and process ids are made comparable.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings

from bluegreen.errors import ConfigError
from bluegreen.settings import ServiceConfig
from tests.engine.onprem_driver import SLOTS, OnPremDriver, onprem_driver
from tests.engine.pulumi_stack import ENGINE, Result
from tests.unit.strategies import damaged_configs
from tests.unit.written import FakeSource

SECRET = 'hunter2-visibly-fake "quoted"'
RELEASE_RULE = "^[A-Za-z0-9][A-Za-z0-9._+-]*$"
PARTS = "`, then set its parts with `pulumi config set --path "

# Of the engine and the SDK; no program can leave it out.
EXITED = "    error: an unhandled error occurred: program exited with non-zero exit code: 1"


@dataclass(frozen=True)
class Case:
    """One mistake, and what is said about it: one line for each problem."""

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    """What is written wrongly, by dotted key; None takes a key out."""

    says: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secret: tuple[str, ...] = ()
    """A key that is set with `pulumi config set --secret --path`."""


def bad(name: str, config: Mapping[str, Any], *says: str, secret: tuple[str, ...] = ()) -> Case:
    return Case(name, config, says, secret=secret)


def permission(name: str, variable: str, text: str, says: str) -> Case:
    return Case(name, {}, (f"{variable}{says}",), environment={variable: text})


def no(key: str, what: str, fix: str) -> str:
    """One problem of the config, as it is told."""
    return f"shop:{key}: {what}; nothing was changed; {fix}"


def to_set(key: str, value: str = "VALUE") -> str:
    return f"`pulumi config set --path {key} {value}`"


def to_remove(key: str) -> str:
    return f"`pulumi config rm --path {key}`"


def wrong(key: str, what: str, value: str = "VALUE") -> str:
    return no(key, what, to_set(key, value))


TEXT = "VALUE --type string"
SET_ACTIVE = "`pulumi config set active_color VALUE`"
GREEN = {"release": "1.1", "replicas": 1}
KNOWN_WORDS = "known are {port}, {color}, {release}, {index}"
OWN_BRACES = "write {{ and }} for braces of its own"

CASES = [
    # The switch itself.
    bad(
        "unknown color",
        {"active_color": "red"},
        no("active_color", '"red" is not blue or green', SET_ACTIVE),
    ),
    bad(
        "color in capitals",
        {"active_color": "Blue"},
        no("active_color", '"Blue" is not blue or green', SET_ACTIVE),
    ),
    bad("no active color", {"active_color": None}, no("active_color", "is missing", SET_ACTIVE)),
    bad(
        "active color is a list",
        {"active_color": ["blue"]},
        no("active_color", '"[\\"blue\\"]" is not blue or green', SET_ACTIVE),
    ),
    bad(
        "active color without a section",
        {"active_color": "green", "green": None},
        no(
            "green",
            "is missing, but active_color is green",
            "say what runs there with `pulumi config set --path green.release VERSION "
            "--type string`",
        ),
    ),
    bad(
        "missing blue",
        {"blue": None},
        no(
            "blue",
            "is missing, but active_color is blue",
            "say what runs there with `pulumi config set --path blue.release VERSION "
            "--type string`",
        ),
    ),
    bad(
        "missing service",
        {"service": None},
        no("service", "is missing", to_set("service.name", TEXT)),
    ),
    # Typos, at each level.
    bad(
        "typo in the service",
        {"service.prot": 1},
        no("service.prot", "is not a known key, did you mean port?", to_remove("service.prot")),
    ),
    bad(
        "typo in a color",
        {"green.replica": 3},
        no(
            "green.replica",
            "is not a known key, did you mean replicas?",
            to_remove("green.replica"),
        ),
    ),
    bad(
        "typo in the platform's section",
        {"service.onprem.slot": 3},
        no(
            "service.onprem.slot",
            "is not a known key, did you mean slots?",
            to_remove("service.onprem.slot"),
        ),
    ),
    bad(
        "typo in a gate",
        {"service.gates.http": {"db": {"path": "/", "stat": 200}}},
        no(
            "service.gates.http.db.stat",
            "is not a known key, did you mean status?",
            to_remove("service.gates.http.db.stat"),
        ),
    ),
    bad(
        "unknown kind of gate",
        {"service.gates.htp": {"db": {"path": "/"}}},
        no(
            "service.gates.htp",
            "is not a known key, did you mean http?",
            to_remove("service.gates.htp"),
        ),
    ),
    bad(
        "unknown key in the canary",
        {"canary": {"color": "green", "zzz": 1}},
        no(
            "canary.zzz",
            "is not a known key (known: color, percent)",
            to_remove("canary.zzz"),
        ),
    ),
    # Values of another type.
    bad(
        "whole number for a release",
        {"green.release": 2},
        wrong("green.release", "2 is not text", "2 --type string"),
    ),
    bad(
        "number for a release",
        {"green.release": 1.1},
        wrong("green.release", "1.1 is not text (as a number, 1.10 is the same as 1.1)", TEXT),
    ),
    bad(
        "truth for replicas",
        {"green.replicas": True},
        wrong("green.replicas", "true is not a whole number"),
    ),
    bad(
        "text for replicas",
        {"green.replicas": "two"},
        wrong("green.replicas", '"two" is not a whole number'),
    ),
    bad(
        "service is a text",
        {"service": "shop"},
        no(
            "service",
            "text is not a mapping",
            f"`pulumi config rm --path service{PARTS}service.KEY VALUE`",
        ),
    ),
    bad(
        "service is a list",
        {"service": ["shop"]},
        no(
            "service",
            "a list is not a mapping",
            f"`pulumi config rm --path service{PARTS}service.KEY VALUE`",
        ),
    ),
    bad(
        "service is a number",
        {"service": 7},
        no(
            "service",
            "7 is not a mapping",
            f"`pulumi config rm --path service{PARTS}service.KEY VALUE`",
        ),
    ),
    bad(
        "a color is a text",
        {"green": "1.1"},
        no(
            "green",
            "1.1 is not a mapping",
            f"`pulumi config rm --path green{PARTS}green.KEY VALUE`",
        ),
    ),
    bad(
        "percent as a text",
        {"canary": {"color": "green", "percent": "10%"}},
        wrong("canary.percent", '"10%" is not a whole number'),
    ),
    bad(
        "port as a text",
        {"service.port": "http"},
        wrong("service.port", '"http" is not a whole number'),
    ),
    # Values out of range.
    bad(
        "canary of 101",
        {"canary": {"color": "green", "percent": 101}},
        wrong("canary.percent", "101 is not at most 99"),
    ),
    bad(
        "canary of -1",
        {"canary": {"color": "green", "percent": -1}},
        wrong("canary.percent", "-1 is not at least 0"),
    ),
    bad(
        "canary of an unknown color",
        {"canary": {"color": "red", "percent": 1}},
        wrong("canary.color", '"red" is not blue or green'),
    ),
    bad(
        "canary of the active color",
        {"canary": {"color": "blue", "percent": 5}},
        no(
            "canary.percent",
            "5 % is meant for blue, which is the active color; a later rollback would keep that "
            "share on it",
            to_set("canary.percent", "0"),
        ),
    ),
    bad(
        "canary of a color that has nothing",
        {"green": None, "canary": {"color": "green", "percent": 5}},
        no(
            "canary.color",
            "green has no release yet, so it cannot get 5 % of the traffic",
            to_set("canary.percent", "0"),
        ),
    ),
    bad("no replicas", {"green.replicas": 0}, wrong("green.replicas", "0 is not at least 1")),
    bad(
        "negative replicas", {"green.replicas": -3}, wrong("green.replicas", "-3 is not at least 1")
    ),
    bad(
        "more replicas than slots",
        {"green.replicas": SLOTS + 1},
        no(
            "green.replicas",
            f"{SLOTS + 1} members do not fit into {SLOTS} slots",
            to_set("service.onprem.slots", str(SLOTS + 1)),
        ),
    ),
    bad(
        "more replicas than there can be slots",
        {"green.replicas": 500},
        no(
            "green.replicas",
            f"500 members do not fit into {SLOTS} slots",
            to_set("green.replicas", str(SLOTS)),
        ),
    ),
    bad(
        "negative retention",
        {"service.retention_hours": -1},
        wrong("service.retention_hours", "-1 is not at least 0"),
    ),
    bad(
        "port out of range",
        {"service.port": 70000},
        wrong("service.port", "70000 is not at most 65535"),
    ),
    bad(
        "privileged test port",
        {"service.onprem.test_port": 80},
        wrong("service.onprem.test_port", "80 is not at least 1024"),
    ),
    bad(
        "privileged member port",
        {"service.onprem.member_ports.green": 443},
        wrong("service.onprem.member_ports.green", "443 is not at least 1024"),
    ),
    bad(
        "empty release",
        {"green.release": ""},
        wrong("green.release", '"" has less than 1 characters', TEXT),
    ),
    bad(
        "release with a blank",
        {"green.release": "1 1"},
        wrong("green.release", f'"1 1" does not match {RELEASE_RULE}', TEXT),
    ),
    bad(
        "name too long",
        {"service.name": "a-shop-with-a-long-name"},
        wrong(
            "service.name",
            "service name 'a-shop-with-a-long-name' has 23 characters; the limit is 18",
            TEXT,
        ),
    ),
    bad(
        "name with bad characters",
        {"service.name": "My_Shop"},
        wrong(
            "service.name",
            "service name 'My_Shop' must be lower-case letters, digits and single hyphens, and "
            "start with a letter",
            TEXT,
        ),
    ),
    bad(
        "unknown platform",
        {"service.platform": "moon"},
        wrong("service.platform", '"moon" is not onprem, kubernetes or aws'),
    ),
    bad(
        "an address that is none",
        {"service.onprem.bind_address": "not an address"},
        wrong(
            "service.onprem.bind_address",
            '"not an address" is not an IP address or a host name',
            TEXT,
        ),
    ),
    bad(
        "name of a header that is none",
        {"service.color_from.header": "X Color:"},
        wrong(
            "service.color_from.header",
            '"X Color:" does not match ^[A-Za-z0-9!#$%&\'*+.^_`|~-]+$',
            TEXT,
        ),
    ),
    # Values that do not fit together.
    bad(
        "health check that overlaps itself",
        {"service.health_check.timeout_seconds": 3},
        no(
            "service.health_check",
            "timeout_seconds 3 is longer than interval_seconds 1; a check would overlap the next "
            "one",
            to_set("service.health_check.timeout_seconds", "1"),
        ),
    ),
    bad(
        "ports that clash",
        {"service.onprem.test_port": "PORT+0"},
        no(
            "service",
            "port and onprem.test_port are both PORT+0",
            to_set("service.onprem.test_port"),
        ),
    ),
    bad(
        "member ports that overlap",
        {"service.onprem.member_ports.green": "PORT+3"},
        no(
            "service.onprem",
            f"member_ports blue PORT+2 and green PORT+3 are less than slots {SLOTS} apart",
            to_set("service.onprem.member_ports.green", f"PORT+{2 + SLOTS}"),
        ),
    ),
    bad(
        "a gate called like a built-in one",
        {"service.gates.command": {"release": {"command": "true"}}},
        no(
            "service.gates",
            "more than one gate is called release; capacity, release, approval and ready are built "
            "in, and every other name is free once",
            to_remove("service.gates.command.release"),
        ),
    ),
    bad(
        "retired names an unknown color",
        {"retired": {"color": "red", "release": "1.0"}},
        wrong("retired.color", '"red" is not blue or green'),
    ),
    # Commands.
    bad(
        "unknown placeholder",
        {"green.command": "serve --port {prot}"},
        wrong(
            "green.command",
            f"the command has the unknown placeholder {{prot}}; {KNOWN_WORDS}; {OWN_BRACES}",
            TEXT,
        ),
    ),
    bad(
        "quote that is not closed",
        {"green.command": "serve 'x --port {port}"},
        wrong(
            "green.command",
            'command "serve \'x --port {port}" cannot be read: no closing quotation; close every '
            f"quote, and {OWN_BRACES}",
            TEXT,
        ),
    ),
    bad(
        "command of a gate that is not closed",
        {"service.gates.command": {"smoke": {"command": "test 'x"}}},
        no(
            "service.gates.command.smoke",
            "the command cannot be split into words: no closing quotation",
            to_set("service.gates.command.smoke.command", TEXT),
        ),
    ),
    bad(
        "variable that bluegreen sets",
        {"green.env": {"PORT": "80"}},
        no("green.env", "PORT is set by bluegreen for every member", to_remove("green.env.PORT")),
    ),
    # Several at once: what is wrong with single values, and what the others contradict.
    bad(
        "two problems",
        {"active_color": "red", "green.release": 2},
        no("active_color", '"red" is not blue or green', SET_ACTIVE),
        wrong("green.release", "2 is not text", "2 --type string"),
    ),
    bad(
        "a wrong value and a contradiction",
        {"active_color": "green", "green": None, "service.prot": 1},
        no("service.prot", "is not a known key, did you mean port?", to_remove("service.prot")),
        no(
            "green",
            "is missing, but active_color is green",
            "say what runs there with `pulumi config set --path green.release VERSION "
            "--type string`",
        ),
    ),
    bad(
        "a misspelt color that is wanted",
        {"active_color": "green", "green": None, "geen": GREEN, "canary": 5},
        no(
            "canary",
            "5 is not a mapping",
            f"`pulumi config rm --path canary{PARTS}canary.KEY VALUE`",
        ),
        no(
            "green",
            "is missing, but active_color is green",
            "say what runs there with `pulumi config set --path green.release VERSION "
            "--type string`",
        ),
        "shop:geen: is not read, did you mean green?; rename it in the stack's config file if you "
        "did",
    ),
    # Secrets in wrong places.
    bad(
        "secret color",
        {},
        no("active_color", "the value (not shown) is not blue or green", SET_ACTIVE),
        secret=("active_color", SECRET),
    ),
    bad(
        "secret release",
        {},
        wrong("green.release", f"the value (not shown) does not match {RELEASE_RULE}", TEXT),
        secret=("green.release", SECRET),
    ),
    bad(
        "long secret release",
        {},
        wrong("green.release", "the value (not shown) has more than 64 characters", TEXT),
        secret=("green.release", "hunter2-visibly-fake" * 6),
    ),
    bad(
        "secret name",
        {},
        wrong("service.name", "the value (not shown) does not fit", TEXT),
        secret=("service.name", SECRET),
    ),
    bad(
        "secret command",
        {},
        wrong("green.command", "the value (not shown) does not fit", TEXT),
        secret=("green.command", "serve {hunter2-visibly-fake}"),
    ),
    # Permissions.
    permission(
        "rollback without a reason",
        "BLUEGREEN_ROLLBACK",
        "blue",
        ": 'blue' does not name a color and a reason; nothing was changed; write "
        "BLUEGREEN_ROLLBACK='blue:why' or BLUEGREEN_ROLLBACK='green:why'",
    ),
    permission(
        "live change of an unknown color",
        "BLUEGREEN_ALLOW_LIVE_CHANGE",
        "red:why",
        ": 'red:why' does not name a color and a reason; nothing was changed; write "
        "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why' or BLUEGREEN_ALLOW_LIVE_CHANGE='green:why'",
    ),
    permission(
        "empty reason to retire early",
        "BLUEGREEN_RETIRE_EARLY",
        " ",
        " is empty; nothing was changed; write BLUEGREEN_RETIRE_EARLY='why'",
    ),
]


class Stack:
    """A service that works: blue 1.0 is live, green 1.1 is idle."""

    def __init__(self, driver: OnPremDriver) -> None:
        self.driver = driver
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", GREEN)
        driver.arrange()
        self.config = driver.stack.config_file.read_text()

    @property
    def state_file(self) -> Path:
        (file,) = (self.driver.stack.directory / "engine/state/.pulumi/stacks").rglob("test.json")
        return file

    def write(self, config: Mapping[str, Any], secret: tuple[str, ...] = ()) -> None:
        self.driver.stack.config_file.write_text(self.config)
        for key, value in config.items():
            self.driver.configure(key, self._with_ports(value))
        if secret:
            done = self.driver.stack.run("config", "set", "--secret", "--path", *secret)
            assert done.ok, done

    def put_back(self) -> None:
        self.driver.stack.config_file.write_text(self.config)

    def comparable(self, text: str) -> str:
        """Ports, paths and process ids by what they are."""
        directory = self.driver.stack.directory
        text = text.replace(str(directory), "DIR")
        text = re.sub(r"\bpid \d+ \([^)]*\)", "PID", text)
        for offset in reversed(range(2 + 2 * SLOTS)):
            text = re.sub(rf"\b{self.driver.port + offset}\b", f"PORT+{offset}", text)
        return text

    def _with_ports(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("PORT+"):
            return self.driver.port + int(value.removeprefix("PORT+"))
        return value


@pytest.fixture(scope="module")
def shared() -> Iterator[Stack]:
    with onprem_driver() as driver:
        yield Stack(driver)


@pytest.fixture
def stack(shared: Stack) -> Iterator[Stack]:
    yield shared
    shared.put_back()


def diagnostics_of(result: Result) -> str:
    """All that is under `Diagnostics:`, with one spelling of the one line that hosts differ in."""
    _, found, rest = result.stdout.partition("Diagnostics:\n")
    text = re.split(r"\n\n(?=Outputs:|Resources:)", rest)[0] if found else ""
    return text.replace("occurred: Program exited", "occurred: program exited")


def program_said(*lines: str) -> str:
    first, *others = lines
    body = [f"    error: {first}", *(f"    {line}" for line in others), EXITED]
    return "\n".join(["  pulumi:pulumi:Stack (shop-test):", *body])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_mistake_is_told_in_one_line_and_changes_nothing(stack: Stack, case: Case):
    stack.write(case.config, case.secret)
    before = stack.state_file.read_bytes()

    result = stack.driver.up(**case.environment)

    assert stack.comparable(diagnostics_of(result)) == program_said(*case.says)
    assert result.exit_code in {1, 255}
    assert result.stderr == ""
    assert result.done == []
    assert stack.state_file.read_bytes() == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}
    assert "Traceback" not in result.text
    assert "hunter2" not in result.text


def test_what_is_no_yaml_for_a_config_is_the_engines_to_say(stack: Stack):
    before = stack.state_file.read_bytes()
    answers = []
    for text in ("config: [1, 2]\n", "config: hello\n", "config:\n  shop:blue: {release\n"):
        stack.driver.stack.config_file.write_text(text)
        answers.append(stack.driver.up())

    for result in answers:
        assert result.exit_code in {1, 255}
        assert result.stderr.startswith("error: getting stack configuration: invalid YAML file")
        assert result.stdout == ""
    assert stack.state_file.read_bytes() == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}


def of_resource(token: str, name: str, *lines: str) -> str:
    first, *others = lines
    body = [f"    error: {first}", *(f"    {line}" for line in others)]
    return "\n".join([f"  pulumi-python:dynamic/onprem:{token} ({name}):", *body])


def refused_input(token: str, name: str, key: str, value: str, problem: str) -> str:
    """How the engine quotes what a provider has against an input."""
    resource = f"pulumi-python:dynamic/onprem:{token} resource '{name}'"
    text = f"{resource}: property {key} value {{{value}}} has a problem: {problem}"
    return of_resource(token, name, text)


def test_an_address_of_another_machine_is_refused_in_the_preview(stack: Stack):
    stack.write({"service.onprem.bind_address": "203.0.113.1"})
    before = stack.state_file.read_bytes()

    result = stack.driver.up()

    assert diagnostics_of(result) == refused_input(
        "LocalHaproxy",
        "shop-haproxy",
        "bind_address",
        "203.0.113.1",
        "203.0.113.1 is no address of this machine; the proxy was not changed; change "
        "service.onprem.bind_address",
    )
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert stack.state_file.read_bytes() == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}


def test_a_service_cannot_move_to_another_run_directory(stack: Stack):
    stack.write({"service.onprem.run_directory": "elsewhere"})
    before = stack.state_file.read_bytes()

    result = stack.driver.up()

    assert stack.comparable(diagnostics_of(result)) == refused_input(
        "Supervisor",
        "shop-supervisor",
        "run_directory",
        "DIR/elsewhere",
        "the service runs in DIR/.bluegreen/run/shop/test/shop and cannot move to DIR/elsewhere "
        "while it runs; nothing was changed; set service.onprem.run_directory to where it runs, "
        "or destroy it first",
    )
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert stack.state_file.read_bytes() == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}


def what_runs(stack: Stack) -> dict[str, Any]:
    """What the state has of all that a provider made.

    Decrypted: what is the same is encrypted into something else each time.
    """
    exported = stack.driver.stack.run("stack", "export", "--show-secrets", "--stack", "test")
    return {
        each["urn"]: {key: each[key] for key in ("id", "inputs", "outputs")}
        for each in json.loads(exported.stdout)["deployment"]["resources"]
        if "dynamic" in each["type"]
    }


def test_a_taken_port_is_told_with_who_has_it(stack: Stack):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        stack.write({"service.onprem.test_port": taken})
        before = what_runs(stack)

        result = stack.driver.up()

    lines = of_resource(
        "LocalHaproxy",
        "shop-haproxy",
        f"Exception calling application: port {taken} for the proxy of shop is taken by PID; the "
        "proxy was left as it was; free it or change service.onprem.test_port",
    )
    said = stack.comparable(diagnostics_of(result).split("Diagnostics:\n")[-1])
    assert sorted(said.split("\n\n")) == sorted([lines, failed("shop-haproxy")])
    assert f"is taken by pid {os.getpid()} (" in result.stdout
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert "shop-green-members" in str(before)
    assert what_runs(stack) == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}
    stack.put_back()
    assert stack.driver.up().ok


def test_a_command_that_does_not_exist_is_told_with_its_log(stack: Stack):
    stack.write({"green.command": "no-such-program --port {port}", "green.release": "1.2"})
    before = what_runs(stack)

    result = stack.driver.up()

    run = "DIR/.bluegreen/run/shop/test/shop"
    lines = of_resource(
        "Members",
        "shop-green-members",
        "Exception calling application: green member 0 of shop did not become ready on port "
        f"PORT+{2 + SLOTS}: its command ended at once; it was stopped again",
        "other green members that ran before were left as they are; fix the command or what it "
        "needs, or raise service.onprem.start_timeout_seconds, then run `pulumi up` again",
        f"the end of {run}/logs/green-0.log:",
        "cannot run 'no-such-program' in 'DIR': No such file or directory",
    )
    said = stack.comparable(diagnostics_of(result).split("Diagnostics:\n")[-1])
    assert sorted(said.split("\n\n")) == sorted([lines, failed("shop-green-members")])
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert "shop-green-members" in str(before)
    assert what_runs(stack) == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}
    stack.put_back()
    assert stack.driver.up().ok
    assert stack.driver.ask("test", 4) == {"green 1.1": 4}


def failed(resource: str) -> str:
    """What the stack says when one of its resources could not be written."""
    return (
        "  pulumi:pulumi:Stack (shop-test):\n"
        f"    warning: shop: updating {resource} failed; production traffic goes to 100 % blue "
        "1.0; `pulumi up` goes on from there\n"
        "    error: update failed"
    )


WARNINGS = [
    Case(
        "key that is nearly ours",
        {"retird": {"color": "green", "release": "1.1"}},
        (
            "shop:retird: is not read, did you mean retired?; rename it in the stack's config file "
            "if you did",
        ),
    ),
    Case("key of the rest of the program", {"region": "here", "retries": 3}),
    Case(
        "retirement of the active color",
        {"retired": {"color": "blue", "release": "1.0"}},
        (
            "shop: the retired entry for blue 1.0 has no effect: blue is active; `pulumi config rm "
            "retired` removes it",
        ),
    ),
    Case(
        "retirement of another release",
        {"retired": {"color": "green", "release": "0.9"}},
        (
            "shop: the retired entry for green 0.9 has no effect: green is to hold 1.1; `pulumi "
            "config rm retired` removes it",
        ),
    ),
    Case(
        "rollback with nothing to roll back",
        {},
        (
            "shop: BLUEGREEN_ROLLBACK had no effect: no traffic was to be moved back; leave it out "
            "of the next `pulumi up`",
        ),
        environment={"BLUEGREEN_ROLLBACK": "blue:why"},
    ),
    Case(
        "rollback to a color that is not active",
        {},
        (
            "shop: the rollback to green has no effect: active_color is blue; `pulumi config set "
            "active_color green`",
        ),
        environment={"BLUEGREEN_ROLLBACK": "green:why"},
    ),
    Case(
        "two permissions that lift nothing",
        {},
        (
            "shop: BLUEGREEN_ALLOW_LIVE_CHANGE had no effect: no change of that color's live "
            "members was held up; leave it out of the next `pulumi up`",
            "shop: BLUEGREEN_RETIRE_EARLY had no effect: no retention was in the way; leave it out "
            "of the next `pulumi up`",
        ),
        environment={"BLUEGREEN_ALLOW_LIVE_CHANGE": "blue:why", "BLUEGREEN_RETIRE_EARLY": "why"},
    ),
]


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: case.name.replace(" ", "-"))
def test_what_has_no_effect_is_told_once_in_each_run_of_the_program(stack: Stack, case: Case):
    stack.write(case.config)
    before = what_runs(stack)

    result = stack.driver.up(**case.environment)

    assert result.ok, result
    assert result.done == []
    head = "  bluegreen:index:ProcessService (shop):"
    block = "\n".join([head, *(f"    warning: {line}" for line in case.says)])
    preview, update = result.stdout.split("\nUpdating (test):\n")
    for text in (preview, update):
        _, found, rest = text.partition("Diagnostics:\n")
        said = re.split(r"\n\n(?=Outputs:|Resources:)", rest)[0] if found else head
        assert said == block
    assert result.stderr == ""
    assert what_runs(stack) == before
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}


@pytest.mark.parametrize(
    ("config", "commands"),
    [
        ({"green.relase": "1.2"}, ["rm --path green.relase"]),
        ({"canary": {"color": "blue", "percent": 5}}, ["set --path canary.percent 0"]),
        (
            {"service.health_check.timeout_seconds": 3, "green.env": {"PORT": "80"}},
            [
                "set --path service.health_check.timeout_seconds 1",
                "rm --path green.env.PORT",
            ],
        ),
        (
            {"service.gates.http": {"Not Good": {"path": "/"}, "ready": {"path": "/health/ready"}}},
            ["rm --path 'service.gates.http[\"Not Good\"]'"],
        ),
        ({"green.replicas": 500}, [f"set --path green.replicas {SLOTS}"]),
        ({"green.release": 2}, ["set --path green.release 2 --type string"]),
    ],
    ids=lambda value: value[0].split()[0] if isinstance(value, list) else None,
)
def test_the_commands_of_a_refusal_are_all_it_takes(
    stack: Stack, config: dict[str, Any], commands: list[str]
):
    stack.write(config)
    refused = stack.driver.up()

    suggested = re.findall(r"`pulumi config ([^`]+)`", diagnostics_of(refused))
    ran = [stack.driver.stack.run("config", *shlex.split(each)) for each in suggested]
    result = stack.driver.up()

    assert not refused.ok
    assert suggested == commands
    assert all(each.ok for each in ran), ran
    assert result.ok, result
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            lambda path: path.write_text("mine"),
            "run directory DIR/run could not be made: DIR/run is not a directory; nothing was "
            "started; set service.onprem.run_directory to a place that this user can write to",
        ),
        (
            lambda path: (path.mkdir(), (path / "mine").touch()),
            "run directory DIR/run has files that are not bluegreen's; nothing was started; set "
            "service.onprem.run_directory to one that is empty or does not exist",
        ),
    ],
    ids=["a-file", "somebody-elses"],
)
def test_a_run_directory_that_cannot_be_used_is_refused_before_anything_is_made(
    onprem: OnPremDriver, make: Any, problem: str
):
    path = onprem.stack.directory / "run"
    make(path)
    onprem.configure("service.onprem.run_directory", "run")

    result = onprem.up()

    said = diagnostics_of(result).replace(str(onprem.stack.directory), "DIR")
    assert (
        refused_input("Supervisor", "shop-supervisor", "run_directory", "DIR/run", problem) in said
    )
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert "Updating" not in result.stdout
    assert onprem.stack.resources() == []


def without(program: str, directory: Path) -> str | None:
    """A PATH whose `pulumi` runs where a program is hidden; None where that is not allowed."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    hide = f"mount --bind /dev/null {found}"
    if subprocess.run(["unshare", "-m", "sh", "-c", hide], capture_output=True).returncode != 0:
        return None
    pulumi = shutil.which("pulumi", path=f"{ENGINE}:{os.environ['PATH']}")
    wrapper = directory / "bin" / "pulumi"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\nexec unshare -m sh -c \'{hide} && exec {pulumi} "$@"\' sh "$@"\n'
    )
    wrapper.chmod(0o755)
    return str(wrapper.parent)


def test_a_missing_haproxy_is_told_before_anything_is_made(onprem: OnPremDriver):
    path = without("haproxy", onprem.stack.directory)
    if path is None:
        pytest.skip("haproxy cannot be hidden: this user may not make a mount namespace")

    result = onprem.up(PATH=f"{path}:{onprem.stack.environment['PATH']}")

    problem = (
        "haproxy is not installed; the proxy was not started; install it (`apt-get install "
        "haproxy`) and run `pulumi up` again"
    )
    said = diagnostics_of(result)
    assert refused_input("LocalHaproxy", "shop-haproxy", "service", "shop", problem) in said
    assert (result.exit_code in {1, 255}, result.stderr, result.done) == (True, "", [])
    assert "Updating" not in result.stdout
    assert onprem.stack.resources() == []


@given(config=damaged_configs())
@settings(max_examples=8, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_whatever_a_config_says_no_traceback_is_printed(shared: Stack, config: dict[str, Any]):
    place = {f"shop:{key}": value for key, value in config.items()}
    shared.driver.stack.config_file.write_text(yaml.safe_dump({"config": place}))
    before = shared.state_file.read_bytes()
    driver = shared.driver

    # What is legal could take any port of this machine.
    result = driver.up() if is_refused(config) else driver.preview()

    assert result.exit_code in {0, 1, 255}
    assert "Traceback" not in result.text
    assert shared.state_file.read_bytes() == before
    assert driver.ask("production", 4) == {"blue 1.0": 4}


def is_refused(config: dict[str, Any]) -> bool:
    try:
        ServiceConfig.load(FakeSource(config))  # type: ignore[no-untyped-call]
    except ConfigError:
        return True
    return False


def test_a_permission_that_lifts_something_is_not_called_useless(stack: Stack):
    stack.write({"active_color": "green"})
    switched = stack.driver.up()
    stack.put_back()

    result = stack.driver.up(BLUEGREEN_ROLLBACK="blue:why")

    assert switched.ok, switched
    assert result.ok, result
    assert result.done == ["router", "flag"]
    assert "had no effect" not in result.text
    assert stack.driver.ask("production", 4) == {"blue 1.0": 4}
