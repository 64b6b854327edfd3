"""The audit trail as log events of CloudWatch Logs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pulumi
import pulumi_aws as aws

from bluegreen.aws.aws_session import AwsSession, NotFoundError
from bluegreen.aws.names import AwsNames
from bluegreen.errors import DataPlaneError
from bluegreen.events import Event
from bluegreen.events.event_file import readable

__all__ = ["STREAM", "EventJournal", "event_log", "log_entry"]

STREAM = "traffic-switches"
"""The log stream of switches and refusals."""

_RECENT = 200


def event_log(
    resource_name: str, names: AwsNames, retention_days: int, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.LogGroup:
    """The group, where nobody names one that is there. Readers know its name, so it is fixed."""
    return aws.cloudwatch.LogGroup(
        resource_name,
        name=names.log_group,
        retention_in_days=retention_days,
        tags=names.service_tags(),
        opts=opts,
    )


class EventJournal:
    """Writes each event as one line of JSON; makes the stream with the first one."""

    def __init__(self, aws_session: AwsSession, names: AwsNames) -> None:
        self._aws = aws_session
        self._names = names

    def record(self, event: Event) -> None:
        """Appends an event.

        Raises:
            DataPlaneError: CloudWatch Logs did not take it.
        """
        try:
            self._put(event)
        except DataPlaneError as error:
            msg = f"the event could not be kept: {error}"
            raise DataPlaneError(msg) from error

    def recent(self) -> list[Event]:
        """The latest entries of the stream; none before the first.

        Raises:
            DataPlaneError: CloudWatch Logs did not say.
        """
        try:
            answer = self._aws.call("logs", "get_log_events", **self._place(), limit=_RECENT)
        except NotFoundError:
            return []
        return readable(each.get("message", "") for each in answer.get("events", ()))

    def _put(self, event: Event) -> None:
        try:
            self._write(event)
        except NotFoundError:
            self._aws.call("logs", "create_log_stream", **self._place())
            self._write(event)

    def _write(self, event: Event) -> None:
        at = int(datetime.fromisoformat(event.at).timestamp() * 1000)
        answer = self._aws.call(
            "logs",
            "put_log_events",
            **self._place(),
            logEvents=[{"timestamp": at, "message": json.dumps(log_entry(event), sort_keys=True)}],
        )
        if answer.get("rejectedLogEventsInfo"):
            msg = "CloudWatch Logs rejects its time; is this machine's clock right?"
            raise DataPlaneError(msg)

    def _place(self) -> dict[str, str]:
        return {"logGroupName": self._names.log_group, "logStreamName": STREAM}


def log_entry(event: Event) -> Mapping[str, Any]:
    """The whole event, and the names by which such logs are usually searched."""
    entry: dict[str, Any] = json.loads(event.to_json())
    return entry | {
        "timestamp": event.at,
        "from": event.from_split,
        "to": event.to_split,
        "user": event.by,
    }
