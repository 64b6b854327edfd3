import json

import pytest

from bluegreen.aws.aws_session import NotFoundError
from bluegreen.aws.event_journal import EventJournal
from bluegreen.errors import DataPlaneError
from bluegreen.events import Event, EventKind
from tests.unit.aws.answers import NAMES, FakeAws

EVENT = Event(
    kind=EventKind.SWITCH,
    at="2026-01-01T12:00:00.250+00:00",
    by="anna@build",
    service="shop",
    from_split="blue",
    to_split="100 % green 1.1",
    releases={"blue": "1.0", "green": "1.1"},
    commit="0a1b2c3",
)
PLACE = {"logGroupName": "/shop/deployments", "logStreamName": "traffic-switches"}


def test_an_event_is_one_line_of_json_with_the_usual_names():
    aws = FakeAws()

    EventJournal(aws, NAMES).record(EVENT)

    ((operation, arguments),) = aws.asked
    (written,) = arguments.pop("logEvents")
    assert (operation, arguments) == ("put_log_events", PLACE)
    assert written["timestamp"] == 1767268800250
    entry = json.loads(written["message"])
    assert "\n" not in written["message"]
    wanted = {
        "timestamp": EVENT.at,
        "from": "blue",
        "to": "100 % green 1.1",
        "user": "anna@build",
        "commit": "0a1b2c3",
        "kind": "switch",
    }
    assert entry.items() >= wanted.items()


def test_the_stream_is_made_with_the_first_event():
    aws = FakeAws(put_log_events=[NotFoundError("logs:PutLogEvents answers ResourceNotFound"), {}])

    EventJournal(aws, NAMES).record(EVENT)

    assert aws.operations == ["put_log_events", "create_log_stream", "put_log_events"]
    assert aws.asked[1][1] == PLACE


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (DataPlaneError("not allowed to ask: the policy lacks logs:PutLogEvents"), "not allowed"),
        ({"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}, "clock"),
    ],
)
def test_an_event_that_is_not_taken_says_so(answer, why):
    with pytest.raises(DataPlaneError, match=f"the event could not be kept: .*{why}"):
        EventJournal(FakeAws(put_log_events=answer), NAMES).record(EVENT)


def test_what_was_written_is_read_again_with_the_names_that_were_added():
    aws = FakeAws()
    EventJournal(aws, NAMES).record(EVENT)
    (written,) = aws.asked[0][1]["logEvents"]
    aws.answers["get_log_events"] = {"events": [{"message": "no JSON"}, written]}

    assert EventJournal(aws, NAMES).recent() == [EVENT]
    assert aws.asked[-1] == ("get_log_events", {**PLACE, "limit": 200})


def test_there_is_nothing_to_read_before_the_first_event():
    aws = FakeAws(get_log_events=NotFoundError("logs:GetLogEvents answers ResourceNotFound"))

    assert EventJournal(aws, NAMES).recent() == []
