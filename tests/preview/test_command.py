"""`bluegreen preview` as it is typed, on documents that were recorded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluegreen.cli.__main__ import VERBS, app_of
from bluegreen.preview import marker
from tests.preview.code_host import code_host
from tests.preview.recordings import recordings

SWITCH = "a_switch_updates_the_router_and_then_the_flag_and_nothing_else-1"
REFUSED = "the_release_of_the_live_color_is_protected_in_preview_and_in_up-1"


@pytest.fixture
def recorded(tmp_path):
    def write(name, *, stack="test"):
        document = next(found for platform, each, found in recordings() if each == name)
        path = tmp_path / f"{stack}-{name}.json"
        path.write_text(json.dumps(document).replace("urn:pulumi:test::", f"urn:pulumi:{stack}::"))
        return str(path)

    return write


def run(*words, **environment):
    return CliRunner().invoke(app_of(VERBS), ["preview", *words], env=environment)


def test_the_first_line_says_what_happens_to_traffic(recorded):
    result = run("--from", recorded(SWITCH))

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == (
        "shop/test: 100 % of production traffic moves blue 1.0 → green 1.1; "
        "3 resources updated in place; gates: 3 pass"
    )


@pytest.mark.parametrize(("words", "code"), [(["switch"], 1), (["canary", "retire"], 0)])
def test_fail_on_ends_with_status_1_for_the_classes_that_are_named(recorded, words, code):
    options = [option for word in words for option in ("--fail-on", word)]

    result = run("--from", recorded(SWITCH), *options)

    assert result.exit_code == code
    assert ("shop/test: switch (--fail-on)" in result.stderr) == bool(code)


def test_a_class_that_does_not_exist_is_refused_with_those_that_do(recorded):
    result = run("--from", recorded(SWITCH), "--fail-on", "apocalypse")

    assert result.exit_code == 2
    assert "changes the live release" in " ".join(result.stderr.split())


def test_a_preview_that_failed_is_shown_and_fails(recorded):
    result = run("--from", recorded(REFUSED), "--format", "markdown")

    assert result.exit_code == 1
    assert result.stdout.startswith("**shop/test: the preview FAILS and changes nothing: ")
    assert "BLUEGREEN_ALLOW_LIVE_CHANGE" in result.stdout
    assert "shop/test: the preview failed" in result.stderr


def test_several_stacks_stand_in_one_comment_in_their_order(recorded):
    result = run(
        *("--from", recorded(SWITCH, stack="dev")),
        *("--from", recorded(REFUSED, stack="prod")),
        *("--format", "markdown"),
    )

    assert result.stdout.index("**shop/dev: ") < result.stdout.index("**shop/prod: ")


def test_json_says_before_and_after_of_each_color(recorded):
    found = json.loads(run("--from", recorded(SWITCH), "--format", "json").stdout)

    (stack,) = found["stacks"]
    (service,) = stack["services"]
    assert stack["verdicts"] == ["switch"]
    assert service["colors"]["green"] == {
        "active": [False, True],
        "share": [0, 100],
        "release": ["1.1", "1.1"],
        "members": ["2", "2"],
    }


@pytest.mark.parametrize("text", ["", "error: no", "[1]"])
def test_a_file_that_is_no_preview_is_refused_without_a_traceback(tmp_path, text):
    path = tmp_path / "preview.json"
    path.write_text(text)

    result = run("--from", str(path))

    assert result.exit_code == 2
    assert "`pulumi preview --json`" in " ".join(result.stderr.split())


def test_a_file_that_is_not_there_is_named(tmp_path):
    result = run("--from", str(tmp_path / "none.json"))

    assert result.exit_code == 2
    assert "none.json cannot be read" in result.stderr.replace("\n", "")


def test_a_second_run_edits_the_comment_of_the_first(recorded, tmp_path):
    with code_host() as host:
        environment = {
            "GITHUB_API_URL": host.url,
            "GITHUB_REPOSITORY": "owner/shop",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": "token",
        }
        first = run("--from", recorded(SWITCH), "--post", "github", **environment)
        second = run("--from", recorded(REFUSED), "--post", "github", **environment)

    assert "the comment was created" in first.stderr
    assert "the comment was edited" in second.stderr
    assert (first.exit_code, second.exit_code) == (0, 1)
    (comment,) = host.comments.values()
    assert "FAILS" in comment["body"].splitlines()[0]
    assert comment["body"].rstrip().endswith(marker("owner/shop", "shop"))


def test_a_fork_without_a_token_gets_no_comment_and_its_report_all_the_same(recorded):
    result = run(
        *("--from", recorded(SWITCH), "--post", "github"),
        GITHUB_REPOSITORY="owner/shop",
        GITHUB_REF="refs/pull/7/merge",
        GITHUB_TOKEN="",
        GH_TOKEN="",
    )

    assert result.exit_code == 0
    assert "100 % of production traffic moves" in result.stdout
    assert "as in a pull request from a fork" in result.stderr.replace("\n", " ")


def test_a_page_that_cannot_be_written_is_named_without_a_traceback(recorded, tmp_path):
    result = run("--from", recorded(SWITCH), "--html", str(tmp_path / "nowhere" / "page.html"))

    assert result.exit_code == 2
    assert "page.html cannot be written" in result.stderr.replace("\n", "")


def engine_that(tmp_path, monkeypatch, script):
    """A project, and a `pulumi` that does what the script says."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return ["--cwd", str(tmp_path), "--stack", "dev", "--stack", "prod"]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("error: hunter2: no passphrase", "`pulumi preview` printed no document; its log says why"),
        (
            "error: the stack is currently locked by 1 lock(s) of hunter2",
            "another update of the stack is under way, or left its lock",
        ),
    ],
)
def test_a_stack_without_a_preview_does_not_hide_the_other_one(
    recorded, tmp_path, monkeypatch, said, text
):
    path = recorded(SWITCH)
    script = f'case "$*" in *prod) echo "{said}" >&2; exit 255;; *) cat {path};; esac'

    result = run(*engine_that(tmp_path, monkeypatch, script), "--format", "markdown")

    assert result.exit_code == 1
    assert "100 % of production traffic moves" in result.stdout
    first, _, _ = text.partition(";")
    assert f"**shop/prod: the preview FAILS and changes nothing: {first}**" in result.stdout
    assert "Verdict: unknown" in result.stdout
    assert text in result.stdout
    # The engine's own words are for whoever runs it, not for the comment.
    assert "hunter2" not in result.stdout
    assert "hunter2" in result.stderr


def test_a_preview_that_failed_for_what_its_document_does_not_say_is_no_success(
    recorded, tmp_path, monkeypatch
):
    words = engine_that(tmp_path, monkeypatch, f"cat {recorded(SWITCH)}; exit 255")

    result = run(*words)

    assert result.exit_code == 1
    assert "as when a mandatory policy is violated" in result.stdout
    assert "shop/test: the preview failed" in result.stderr


def test_a_file_of_events_says_the_same_as_the_document(recorded, tmp_path):
    path = recorded(SWITCH)
    document = json.loads(Path(path).read_text())
    events = [{"preludeEvent": {"config": document["config"]}}]
    for step in document["steps"]:
        metadata = {key: step.get(key) for key in ("op", "urn", "detailedDiff")}
        metadata |= {"old": step.get("oldState"), "new": step.get("newState")}
        events.append({"resourcePreEvent": {"metadata": metadata, "planning": True}})
    events += [{"diagnosticEvent": each} for each in document["diagnostics"]]
    log = tmp_path / "events.json"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events))

    assert run("--from", str(log)).stdout == run("--from", path).stdout


def test_it_starts_without_what_only_programs_updates_and_comments_need(recorded):
    code = (
        "import sys; from bluegreen.cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pulumi', 'bluegreen.settings', 'httpx', 'grpc'}\n"
        "print(*sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "preview", "--from", recorded(SWITCH)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "moves blue 1.0 → green 1.1" in done.stdout
    assert done.stderr.split() == []
