"""The comment on a pull request, posted to a server that speaks the two APIs."""

import functools
import json

import pytest

from bluegreen.operations.comments import CannotPostError, GitHub, GitLab, NoTokenError
from bluegreen.operations.comments.api import Api
from bluegreen.operations.outcome import UsageError
from bluegreen.preview import marker
from tests.preview.code_host import code_host, edited_path

MARK = marker("owner/shop", "shop")
TEXT = f"**shop/prod: nothing moves**\n\n{MARK}\n"


@pytest.fixture
def host():
    with code_host() as server:
        yield server


@pytest.fixture
def waits():
    return []


def github_environment(host, tmp_path, *, head="owner/shop", token="token"):
    event = tmp_path / "event.json"
    repositories = {
        "head": {"repo": {"full_name": head}},
        "base": {"repo": {"full_name": "owner/shop"}},
    }
    event.write_text(json.dumps({"pull_request": {"number": 7, **repositories}}))
    return {
        "GITHUB_API_URL": host.url,
        "GITHUB_REPOSITORY": "owner/shop",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": token,
    }


def gitlab_environment(host, tmp_path, *, token="token", **_):
    return {
        "CI_API_V4_URL": f"{host.url}/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_PROJECT_PATH": "owner/shop",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": token,
    }


@pytest.fixture(params=["github", "gitlab"])
def make(request, host, tmp_path, waits):
    kind, environment = {
        "github": (GitHub, github_environment),
        "gitlab": (GitLab, gitlab_environment),
    }[request.param]
    open_api = functools.partial(Api, sleep=waits.append, clock=lambda: 1000.0)
    return lambda **changes: kind(environment(host, tmp_path, **changes), open_api=open_api)


def test_a_first_run_writes_the_comment_and_a_second_one_edits_it(make, host):
    host.add("looks good")

    assert make().post(TEXT, MARK) == "created"
    assert make().post(TEXT, MARK) == "unchanged"
    assert make().post(TEXT.replace("nothing", "all"), MARK) == "edited"

    assert [each["body"] for each in host.comments.values()] == [
        "looks good",
        TEXT.replace("nothing", "all"),
    ]


def test_the_comment_is_found_on_a_later_page(make, host):
    host.add(*(f"comment {number}" for number in range(8)))
    number = host.add(TEXT)
    host.add("after it")

    assert make().post(f"other {MARK}", MARK) == "edited"

    assert host.comments[number]["body"] == f"other {MARK}"
    assert len(host.comments) == 10


def test_comments_of_other_projects_and_of_people_who_quote_one_are_left_alone(make, host):
    host.add(f"other {marker('owner/shop', 'store')}", f"> {TEXT}\n\nis that so?")

    assert make().post(TEXT, MARK) == "created"

    assert len(host.comments) == 3


def test_a_comment_that_was_removed_in_the_meantime_is_written_again(make, host):
    host.vanishing.add(host.add(f"old {MARK}"))

    assert make().post(TEXT, MARK) == "created"


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        ((500, {}), 1.0),
        ((502, {}), 1.0),
        ((429, {"retry-after": "7"}), 7.0),
        ((403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}), 30.0),
        ((403, {"retry-after": "3"}), 3.0),
    ],
)
def test_a_busy_host_is_asked_again_after_the_time_it_names(make, host, waits, fault, wait):
    host.faults = [fault]

    assert make().post(TEXT, MARK) == "created"

    assert waits == [wait]


def test_a_host_that_stays_down_is_given_up(make, host, waits):
    host.faults = [(503, {})] * 9

    with pytest.raises(CannotPostError, match="status 503; it was not posted"):
        make().post(TEXT, MARK)

    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_limit_that_lasts_too_long_is_not_waited_for(make, host, waits):
    host.faults = [(429, {"retry-after": "3600"})]

    with pytest.raises(CannotPostError, match="was not posted"):
        make().post(TEXT, MARK)

    assert waits == []


def test_a_host_that_is_not_there_is_named(make, host, waits):
    comments = make()
    host.server_close()
    host.shutdown()

    with pytest.raises(CannotPostError, match=r"127\.0\.0\.1 does not take the comment"):
        comments.post(TEXT, MARK)


def test_a_token_without_the_right_is_told_in_one_line_that_does_not_quote_it(make, host):
    host.is_read_only = True
    with pytest.raises(CannotPostError, match="the token may not write comments") as read_only:
        make().post(TEXT, MARK)
    with pytest.raises(CannotPostError, match="the token is not valid") as wrong:
        make(token="hunter2").post(TEXT, MARK)

    assert not isinstance(read_only.value, NoTokenError)
    assert "hunter2" not in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert host.comments == {}


def test_a_request_from_a_fork_has_no_token_and_is_told_so(make, host):
    with pytest.raises(NoTokenError, match="not set, as in a"):
        make(token="")

    assert host.requests == []


def test_the_read_only_token_of_a_fork_counts_as_none(host, tmp_path):
    host.is_read_only = True
    comments = GitHub(github_environment(host, tmp_path, head="stranger/shop"))

    with pytest.raises(NoTokenError, match="from a fork may not write comments"):
        comments.post(TEXT, MARK)


@pytest.mark.parametrize("kind", [GitHub, GitLab])
def test_a_run_for_no_request_is_refused_with_what_is_missing(kind):
    with pytest.raises(UsageError, match="nothing was posted"):
        kind({"GITHUB_TOKEN": "token", "GITHUB_REPOSITORY": "owner/shop"})


def test_the_number_of_the_request_may_come_from_the_reference(host, tmp_path):
    environment = github_environment(host, tmp_path) | {"GITHUB_REF": "refs/pull/9/merge"}
    del environment["GITHUB_EVENT_PATH"]

    GitHub(environment).post(TEXT, MARK)

    assert host.requests[-1] == ("POST", "/repos/owner/shop/issues/9/comments")
    assert not edited_path(host.requests[-1][1])


def test_a_page_on_another_host_is_not_asked(make, host):
    host.faults = [(200, {"link": '<http://elsewhere.invalid/x>; rel="next"'})]

    assert make().post(TEXT, MARK) == "created"
