"""Asks a Prometheus server, or what speaks its HTTP API, for the value of a query now."""

import os
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.gate import Deadline, Endpoint
from bluegreen.gates.masking import MaskedTail
from bluegreen.gates.wording import one_line

__all__ = [
    "NotAskableError",
    "PrometheusServer",
    "Series",
    "filled_in",
    "gained",
    "matchers",
    "quoted",
]

_PATH = "/api/v1/query"
_RETRY_SECONDS = 1.0
_SUCCESS = 200
_TOKEN_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)


class NotAskableError(Exception):
    """No waiting helps: the query, the address or the token is wrong; the text says what."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an instant vector."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusServer:
    """Where queries are asked."""

    url: str
    bearer_token_env: str | None = None
    request_timeout_seconds: float = 10

    @property
    def lacks(self) -> str:
        """The token, where one is wanted and is not there; empty when nothing is missing."""
        try:
            self._token()
        except NotAskableError as error:
            return str(error)
        return ""

    def query(self, query: str, deadline: Deadline) -> list[Series]:
        """The series of an instant vector; a scalar is one without labels.

        Asks again until the deadline when the server cannot be reached or has an error of its own.

        Raises:
            UnusableAnswerError: No usable answer by then.
            NotAskableError: The server refuses the query, or the token is not there.
        """
        token = self._token()
        mask = MaskedTail(1, [token] if token else [])
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        endpoint = Endpoint(self.url, headers)
        while True:
            try:
                return self._once(endpoint, query, deadline)
            except NotAskableError as error:
                raise NotAskableError(mask.mask(str(error))) from None
            except UnusableAnswerError as error:
                # No chain: what is underneath may quote the token.
                if not deadline.sleep(_RETRY_SECONDS):
                    raise UnusableAnswerError(mask.mask(str(error))) from None

    def _once(self, endpoint: Endpoint, query: str, deadline: Deadline) -> list[Series]:
        limit = max(0.01, min(self.request_timeout_seconds, deadline.remaining_seconds))
        path = f"{_PATH}?query={quote(query, safe='')}"
        try:
            answer = ask(endpoint, "GET", path, limit)
        except UnusableAnswerError as error:
            # The query is long and stands in the config.
            text = str(error).replace(path, _PATH)
            msg = f"Prometheus at {self.url}: {text}"
            raise UnusableAnswerError(msg) from error
        if answer.status != _SUCCESS:
            self._raise_for(answer)
        return _series_of(answer)

    def _raise_for(self, answer: Answer) -> None:
        try:
            said = one_line(str(answer.field("error")))
        except UnusableAnswerError:
            said = answer.excerpt or "nothing more"
        if answer.location is not None:
            said = (
                f"a redirect to {one_line(answer.location)}; give the address that answers itself"
            )
        msg = f"Prometheus at {self.url} answered {answer.status}: {said}"
        # 429 and 5xx pass; so does 422, which Prometheus says of a query that took too long.
        if answer.status in (408, 422, 425, 429) or answer.status >= 500:  # noqa: PLR2004
            raise UnusableAnswerError(msg)
        raise NotAskableError(msg)

    def _token(self) -> str | None:
        if self.bearer_token_env is None:
            return None
        token = os.environ.get(self.bearer_token_env, "").strip()
        if not token:
            msg = f"the variable {self.bearer_token_env} is not set, and the token is read from it"
            raise NotAskableError(msg)
        if not _TOKEN_CHARACTERS.issuperset(token):
            msg = f"the variable {self.bearer_token_env} holds characters that no token has"
            raise NotAskableError(msg)
        return token


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with `{color}`, `{release}` and `{service}`; every other brace stays."""
    # In one go: what is filled in is never filled in again.
    wanted = re.compile("|".join(rf"\{{{re.escape(name)}\}}" for name in values))
    return wanted.sub(lambda match: values[match[0][1:-1]], text)


def quoted(value: str) -> str:
    """A value as it stands between the double quotes of PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def matchers(equal: Mapping[str, str], unequal: Mapping[str, tuple[str, ...]]) -> str:
    """A selector in braces; empty without anything to select by."""
    parts = [f'{name}="{quoted(value)}"' for name, value in equal.items()]
    parts += [f'{name}!="{quoted(value)}"' for name, values in unequal.items() for value in values]
    return f"{{{','.join(parts)}}}" if parts else ""


def gained(series: str, label: str, window_seconds: float) -> str:
    """The PromQL of how much counters gained in the window up to now, by one label.

    `increase` alone takes the first value that it sees of a series for where it began, and does not
    count it: the first error of a color would never be one. What was not there before the window
    counts from zero instead.
    """
    window = f"{round(window_seconds * 1000)}ms"
    born = f"{series} unless {series} offset {window}"
    return f"sum by ({label}) (({born}) or increase({series}[{window}]))"


def _series_of(answer: Answer) -> list[Series]:
    kind, result = answer.field("data.resultType"), answer.field("data.result")
    try:
        if kind == "scalar":
            return [Series({}, float(result[1]))]
        if kind == "vector":
            return [Series(each["metric"], float(each["value"][1])) for each in result]
    except (LookupError, TypeError, ValueError) as error:
        msg = f"the answer is not that of a Prometheus server: {answer.excerpt}"
        raise UnusableAnswerError(msg) from error
    what = "a range of values; put a function such as avg_over_time around it"
    msg = f"the query gives {what if kind == 'matrix' else f'a {one_line(str(kind), 40)}'}"
    raise NotAskableError(msg)
