"""Calls that fail because a test wants them to."""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.standins.aws_cloud.calls import Asked

__all__ = ["Answer", "Fault", "Faults"]

_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """The next calls of one action fail."""

    action: str
    times: int
    code: str
    message: str
    status: int
    is_done_first: bool = False
    """Whether only the answer is lost: what was asked for is done."""

    def answer(self, asked: Asked) -> Answer:
        """The error, written as the service writes its own."""
        code, message = escape(self.code), escape(self.message)
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        if asked.protocol == "json":
            text = json.dumps({"__type": self.code, "message": self.message})
            kind = "application/x-amz-json-1.1"
        elif asked.protocol == "ec2":
            text = (
                f"<Response><Errors>{error}</Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
            )
            kind = "text/xml"
        else:
            text = f"<ErrorResponse>{error}<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
            kind = "text/xml"
        headers = {"Content-Type": kind, "x-amzn-ErrorType": self.code}
        return Answer(self.status, headers, text.encode())


class Faults:
    """What is to fail, first come, first served."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From the next call on."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Nothing fails any more."""
        self._faults.clear()

    def take(self, action: str) -> Fault | None:
        """The fault that meets this call, one time fewer for the next."""
        for fault in self._faults:
            if fault.action == action and fault.times > 0:
                fault.times -= 1
                return fault
        return None
