"""What reading and rendering a large preview costs, beside `json.loads` of the same file.

`python -m benchmarks.preview` makes a preview of 10,000 steps (a switch in the middle of resources
as an AWS stack has them), and prints the ratios and the memory that is needed on top.
"""

import json
import statistics
import time
import tracemalloc
from collections.abc import Callable

from bluegreen.preview import as_html, as_json, as_markdown, as_text, read_document, report_on

STEPS = 10_000
ROUNDS = 7
PLACE = "urn:pulumi:prod::shop::"


def a_preview(steps: int = STEPS) -> str:
    """The text of a document of so many steps; every other one changes."""
    found = [_other(number) for number in range(steps - 3)]
    found[steps // 2 : steps // 2] = _service()
    said = [
        {
            "message": f"shop: something number {number} happened to secret things\n",
            "severity": "info",
        }
        for number in range(steps // 10)
    ]
    return json.dumps(
        {"config": {"shop:active_color": "green"}, "steps": found, "diagnostics": said}
    )


def _other(number: int) -> dict[str, object]:
    inputs = {
        "description": f"rule {number}",
        "ingress": [
            {
                "cidrBlocks": [f"10.0.{port}.0/24"],
                "fromPort": port,
                "toPort": port,
                "protocol": "tcp",
            }
            for port in range(6)
        ],
        "tags": {f"tag-{index}": f"value {index}" for index in range(10)},
    }
    old = {"id": f"sg-{number}", "inputs": inputs, "outputs": {**inputs, "arn": f"arn:{number}"}}
    step: dict[str, object] = {
        "op": "update" if number % 2 else "same",
        "urn": f"{PLACE}aws:ec2/securityGroup:SecurityGroup::group-{number}",
        "oldState": old,
        "newState": {"inputs": {**inputs, "description": f"rule {number}, again"}},
    }
    if number % 2:
        step["detailedDiff"] = {"description": {"kind": "update", "inputDiff": True}}
    return step


def _service() -> list[dict[str, object]]:
    def selects(color: str) -> dict[str, object]:
        return {"inputs": {"spec": {"selector": {"app": "shop", "color": color}}}}

    def fleet(color: str) -> dict[str, object]:
        labels = {"labels": {"color": color}}
        container = {"containers": [{"image": f"shop:1.{len(color)}"}]}
        spec = {"replicas": 3, "template": {"metadata": labels, "spec": container}}
        return {
            "op": "same",
            "urn": f"{PLACE}kubernetes:apps/v1:Deployment::shop-{color}",
            "oldState": {"inputs": {"metadata": labels, "spec": spec}},
        }

    router: dict[str, object] = {
        "op": "update",
        "urn": f"{PLACE}kubernetes:core/v1:Service::shop",
        "oldState": selects("blue"),
        "newState": selects("green"),
    }
    return [router, fleet("blue"), fleet("green")]


def as_events(text: str) -> list[str]:
    """The same as an event a line."""
    document = json.loads(text)
    lines = []
    for step in document["steps"]:
        metadata = {"op": step["op"], "urn": step["urn"]}
        metadata |= {"old": step.get("oldState"), "new": step.get("newState")}
        lines.append(json.dumps({"resourcePreEvent": {"metadata": metadata, "planning": True}}))
    return lines


def ratios(text: str, rounds: int = ROUNDS) -> dict[str, float]:
    """Reading with rendering in each form, as multiples of `json.loads`, in turns; medians."""
    forms: dict[str, Callable[[], object]] = {
        "text": lambda: as_text([report_on(read_document(text))]),
        "markdown": lambda: as_markdown([report_on(read_document(text))]),
        "json": lambda: as_json([report_on(read_document(text))]),
        "html": lambda: as_html([report_on(read_document(text))]),
    }
    found: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds):
        baseline = _seconds(lambda: json.loads(text))
        for name, form in forms.items():
            found[name].append(_seconds(form) / baseline)
    return {name: statistics.median(values) for name, values in found.items()}


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_mib(work: Callable[[], object]) -> float:
    """The most memory that Python has at once while it works."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def main() -> None:
    """Prints the figures."""
    text = a_preview()
    print(f"{STEPS:,} steps, {len(text) / 2**20:.1f} MiB; json.loads is 1")
    for name, ratio in ratios(text).items():
        print(f"{name:10} {ratio:.2f}")
    loads = peak_mib(lambda: json.loads(text))
    whole = peak_mib(lambda: as_markdown([report_on(read_document(text))]))
    lines = as_events(text)
    streamed = peak_mib(lambda: as_markdown([report_on(read_document(iter(lines)))]))
    print(f"memory     {loads:.1f} MiB, document {whole:.1f} MiB, events {streamed:.1f} MiB")
    print(f"comment    {len(as_markdown([report_on(read_document(text))])):,} characters")


if __name__ == "__main__":
    main()
