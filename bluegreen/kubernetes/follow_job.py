"""Asks production from inside the cluster: a Job with curl, several fresh connections at once."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from bluegreen.errors import DataPlaneError
from bluegreen.gates.answers import Answer, UnusableAnswerError
from bluegreen.gates.wording import one_line
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.names import SERVICE_LABEL, ObjectNames
from bluegreen.settings.kubernetes import FollowJobSettings
from bluegreen.settings.service import ServiceSettings

__all__ = ["JobProduction", "answers_in"]

_POLL_SECONDS = 0.2
_KEPT_SECONDS = 600
"""A Job that could not be removed goes by itself."""


class JobProduction:
    """Production as a pod of the cluster sees it; implements `Production`.

    One Job asks as often as has to be in a row; its answers are handed out one by one.
    """

    def __init__(
        self,
        cluster: Cluster,
        names: ObjectNames,
        settings: ServiceSettings,
        job: FollowJobSettings,
    ) -> None:
        self._cluster = cluster
        self._names = names
        self._settings = settings
        self._job = job
        self._answers: deque[Answer] = deque()

    @property
    def name(self) -> str:
        """Its address in the cluster."""
        host = f"{self._names.production}.{self._names.namespace}.svc"
        return f"http://{host}:{self._settings.port}"

    def answer(self, path: str, timeout_seconds: float) -> Answer:
        """The next answer; raises `UnusableAnswerError` where there is none."""
        if not self._answers:
            log = self._ask(path, timeout_seconds)
            self._answers.extend(answers_in(log))
        if not self._answers:
            msg = f"the Job that asked {self.name} had no answer: {one_line(log) or 'no output'}"
            raise UnusableAnswerError(msg)
        return self._answers.popleft()

    def _ask(self, path: str, timeout_seconds: float) -> str:
        jobs = self._names.group("batch/v1", "jobs")
        name = self._cluster.create(jobs, self._manifest(path, timeout_seconds))["metadata"]["name"]
        try:
            return self._log_of(name)
        finally:
            self._cluster.delete(f"{jobs}/{name}")

    def _log_of(self, job: str) -> str:
        deadline = time.monotonic() + self._job.timeout_seconds
        phase = "has not started"
        while time.monotonic() < deadline:
            for pod in self._cluster.items(
                self._names.core("pods"), labelSelector=f"job-name={job}"
            ):
                phase = pod.get("status", {}).get("phase", phase)
                if phase in {"Succeeded", "Failed"}:
                    return self._read_log(pod["metadata"]["name"])
            time.sleep(_POLL_SECONDS)
        msg = (
            f"the Job that asks {self.name} did not end within {self._job.timeout_seconds} s: its "
            f"pod is {phase}"
        )
        raise UnusableAnswerError(msg)

    def _read_log(self, pod: str) -> str:
        answer = self._cluster.request("GET", self._names.core("pods", f"{pod}/log"))
        if answer.status != 200:  # noqa: PLR2004
            msg = f"the log of pod {pod} cannot be read: status {answer.status}"
            raise DataPlaneError(msg)
        return answer.body.decode(errors="replace")

    def _manifest(self, path: str, timeout_seconds: float) -> dict[str, Any]:
        urls = [self.name + path] * self._settings.follow.consecutive
        command = ["curl", "--silent", "--show-error", "--include"]
        # Each answer on lines of its own: many a body ends without one.
        command += ["--write-out", r"\n"]
        command += ["--max-time", f"{timeout_seconds:g}", "--header", "Connection: close", *urls]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "generateName": f"{self._names.service}-follow-",
                "labels": {SERVICE_LABEL: self._names.service},
            },
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": self._job.timeout_seconds,
                "ttlSecondsAfterFinished": _KEPT_SECONDS,
                "template": {"spec": self._pod(command)},
            },
        }

    def _pod(self, command: list[str]) -> dict[str, Any]:
        return {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [
                {
                    "name": "curl",
                    "image": self._job.image,
                    "imagePullPolicy": self._settings.kubernetes.image_pull_policy,
                    "command": command,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        }


def answers_in(log: str) -> Iterator[Answer]:
    """The answers in what `curl --include` printed for several addresses, one after the other."""
    lines = log.split("\n")
    starts = [index for index, line in enumerate(lines) if line.startswith("HTTP/1.")]
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        answer = _answer(lines[start:end])
        if answer is not None:
            yield answer


def _answer(lines: list[str]) -> Answer | None:
    words = lines[0].split()
    if len(words) < 2 or not words[1].isdecimal():  # noqa: PLR2004
        return None
    blank = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
    pairs = (line.partition(":") for line in lines[1:blank])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answer(int(words[1]), "\n".join(lines[blank + 1 :]).encode(), headers)
