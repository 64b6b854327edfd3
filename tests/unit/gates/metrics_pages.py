"""Members of a color that say in the Prometheus text format what they have answered."""

from collections import Counter

BOUNDS = (0.1, 0.25, 0.5, 1.0)


class Member:
    """One process behind an address."""

    def __init__(self, started: float | None = 1000.0, labels: str = 'path="/"'):
        self.started = started
        self.labels = labels
        self.statuses: Counter[str] = Counter()
        self.durations: list[float] = []

    def serve(self, count: int, *, status: str = "200", seconds: float = 0.05) -> None:
        self.statuses[status] += count
        self.durations += [seconds] * count

    def restart(self, started: float | None) -> None:
        self.started = started
        self.statuses.clear()
        self.durations.clear()

    def page(self) -> bytes:
        lines = ['# HELP other_metric what { is " it', 'other_metric{x="y"} 3']
        if self.started is not None:
            lines.append(f"process_start_time_seconds {self.started}")
        lines += [
            f'http_requests_total{{{self.labels},status="{status}"}} {count}'
            for status, count in {"200": 0, **self.statuses}.items()
        ]
        for bound in (*BOUNDS, float("inf")):
            text = "+Inf" if bound == float("inf") else str(bound)
            upto = sum(seconds <= bound for seconds in self.durations)
            lines.append(
                f'http_request_duration_seconds_bucket{{{self.labels},le="{text}"}} {upto}'
            )
        return ("\n".join(lines) + "\n").encode()


def in_turn(*members: Member, meanwhile=lambda asked: None, header: str = ""):
    """A behaviour for `serve`: members answer one after the other, as behind a balancer."""

    def behave(visit):
        meanwhile(visit.number)
        member = members[visit.number % len(members)]
        named = f"{header}: member-{members.index(member)}\r\n" if header else ""
        visit.reply(body=member.page(), headers=named)

    return behave
