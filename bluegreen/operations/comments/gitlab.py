"""The note on a merge request of GitLab."""

from collections.abc import Callable, Mapping

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

__all__ = ["GitLab"]

_GONE = 404


class GitLab:
    """Posts with GITLAB_TOKEN, a project's access token of scope `api`; a job's own may not."""

    def __init__(
        self, environment: Mapping[str, str], *, open_api: Callable[..., Api] = Api
    ) -> None:
        """Reads what a job has in its environment.

        Raises:
            NoTokenError: There is no token: it is a protected variable, which forks do not get.
            UsageError: This is no job for a merge request.
        """
        url, project = environment.get("CI_API_V4_URL"), environment.get("CI_PROJECT_ID")
        number = environment.get("CI_MERGE_REQUEST_IID")
        if not url or not project or not number:
            msg = (
                "this is no job for a merge request (CI_API_V4_URL, CI_PROJECT_ID or "
                "CI_MERGE_REQUEST_IID is not set); nothing was posted; add the rule "
                "`if: $CI_PIPELINE_SOURCE == 'merge_request_event'`"
            )
            raise UsageError(msg)
        token = environment.get("GITLAB_TOKEN")
        if not token:
            msg = (
                "GITLAB_TOKEN is not set, as in a merge request from a fork; the note was not "
                "posted; else make an access token of scope `api` a variable of the project"
            )
            raise NoTokenError(msg)
        self.repository = environment.get("CI_PROJECT_PATH", project)
        self._path = f"/projects/{project}/merge_requests/{number}/notes"
        self._api = open_api(url, {"private-token": token})

    def post(self, text: str, mark: str) -> Posted:
        """Edits the note that ends with the marker, or writes one.

        Raises:
            CannotPostError: It could not be written.
        """
        first = f"{self._path}?per_page=100&page=1"
        found = find_comment(self._api.pages(first, self._next_page), mark)
        if found is not None:
            if str(found.get("body")).strip() == text.strip():
                return Posted.UNCHANGED
            try:
                self._api.request("PUT", f"{self._path}/{found['id']}", {"body": text})
            except CannotPostError as error:
                # Somebody has removed it in the meantime.
                if status_of(error) != _GONE:
                    raise
            else:
                return Posted.EDITED
        self._api.request("POST", self._path, {"body": text})
        return Posted.CREATED

    def _next_page(self, answer: httpx.Response) -> str | None:
        page = answer.headers.get("x-next-page", "")
        return f"{self._path}?per_page=100&page={page}" if page.isdecimal() else None
