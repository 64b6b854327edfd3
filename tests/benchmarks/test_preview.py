"""The benchmark of `bluegreen preview`; its times are not judged, its memory is."""

import json

from benchmarks.preview import a_preview, as_events, peak_mib, ratios
from bluegreen.preview import as_markdown, read_document, report_on


def rendered(text):
    return as_markdown([report_on(read_document(text))])


def test_the_preview_that_is_measured_is_a_switch_among_many_resources():
    text = a_preview(600)

    found = rendered(text)

    assert found.startswith("**shop/prod: 100 % of production traffic moves blue 1.4 → green 1.5; ")
    assert rendered(iter(as_events(text))).splitlines()[0] == found.splitlines()[0]


def test_every_form_has_a_ratio():
    assert set(ratios(a_preview(50), rounds=1)) == {"text", "markdown", "json", "html"}


def test_memory_does_not_grow_with_what_is_not_shown():
    text = a_preview(2_000)
    lines = as_events(text)
    loads = peak_mib(lambda: json.loads(text))

    assert peak_mib(lambda: rendered(text)) < 1.3 * loads
    # One event after the other: never all of them.
    assert peak_mib(lambda: rendered(iter(lines))) < loads / 5
