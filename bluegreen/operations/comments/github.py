"""The comment on a pull request of GitHub."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from bluegreen.operations.comments.api import (
    Api,
    CannotPostError,
    NoTokenError,
    Posted,
    find_comment,
    status_of,
)
from bluegreen.operations.outcome import UsageError

__all__ = ["GitHub"]

_DENIED = (401, 403)
_GONE = 404


class GitHub:
    """Posts as the workflow's own token, which needs `pull-requests: write`."""

    def __init__(
        self, environment: Mapping[str, str], *, open_api: Callable[..., Api] = Api
    ) -> None:
        """Reads what a workflow run has in its environment.

        Raises:
            NoTokenError: There is no token, as for a request from a fork.
            UsageError: This is no run for a pull request.
        """
        event = _event(environment)
        self.repository = environment.get("GITHUB_REPOSITORY", "")
        number = _number(environment, event)
        if not self.repository or number is None:
            msg = (
                "this is no run for a pull request (GITHUB_REPOSITORY, GITHUB_EVENT_PATH or "
                "GITHUB_REF say none); nothing was posted; use `on: pull_request`"
            )
            raise UsageError(msg)
        self._is_fork = _is_fork(event)
        token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
        if not token:
            msg = (
                "GITHUB_TOKEN is not set, as in a pull request from a fork; the comment was not "
                "posted; else give the step `env: {GITHUB_TOKEN: ${{ github.token }}}`"
            )
            raise NoTokenError(msg)
        self._path = f"/repos/{self.repository}/issues/{number}/comments"
        self._api = open_api(
            environment.get("GITHUB_API_URL", "https://api.github.com"),
            {
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
            },
        )

    def post(self, text: str, mark: str) -> Posted:
        """Edits the comment that ends with the marker, or writes one.

        Raises:
            CannotPostError: It could not be written.
        """
        try:
            return self._post(text, mark)
        except CannotPostError as error:
            if self._is_fork and status_of(error) in _DENIED:
                msg = "a pull request from a fork may not write comments; the report is above"
                raise NoTokenError(msg) from error
            raise

    def _post(self, text: str, mark: str) -> Posted:
        found = find_comment(self._api.pages(f"{self._path}?per_page=100", _next_page), mark)
        if found is not None:
            if str(found.get("body")).strip() == text.strip():
                return Posted.UNCHANGED
            path = f"/repos/{self.repository}/issues/comments/{found['id']}"
            try:
                self._api.request("PATCH", path, {"body": text})
            except CannotPostError as error:
                # Somebody has removed it in the meantime.
                if status_of(error) != _GONE:
                    raise
            else:
                return Posted.EDITED
        self._api.request("POST", self._path, {"body": text})
        return Posted.CREATED


def _next_page(answer: httpx.Response) -> str | None:
    return answer.links.get("next", {}).get("url")


def _event(environment: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        found = json.loads(Path(environment.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(environment: Mapping[str, str], event: Mapping[str, Any]) -> int | None:
    for kind in ("pull_request", "issue"):
        number = (event.get(kind) or {}).get("number")
        if isinstance(number, int):
            return number
    reference = re.match(r"refs/pull/(\d+)/", environment.get("GITHUB_REF", ""))
    return int(reference[1]) if reference else None


def _is_fork(event: Mapping[str, Any]) -> bool:
    request = event.get("pull_request") or {}
    head, base = ((request.get(side) or {}).get("repo") or {} for side in ("head", "base"))
    return head.get("full_name") != base.get("full_name")
