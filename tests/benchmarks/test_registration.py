"""What the benchmark of many services makes of figures, and that it declares what it says."""

import dataclasses
import json

import pytest

from benchmarks.registration.__main__ import Cost, Row, main, markdown, rows_of


def a_cost(cpu_seconds: float, mib: float = 4.0, resources: int = 6) -> Cost:
    return Cost(cpu_seconds, cpu_seconds, mib, resources, hooks=0)


def test_the_median_of_the_runs_counts_and_rows_ascend():
    costs = {
        10: {"plain": [a_cost(2.0)], "ours": [a_cost(3.0)]},
        1: {"plain": [a_cost(1.0), a_cost(9.0), a_cost(2.0)], "ours": [a_cost(3.0)] * 3},
    }

    rows = rows_of(costs)

    assert [row.services for row in rows] == [1, 10]
    assert [row.plain.cpu_seconds for row in rows] == [2.0, 2.0]


def test_the_ratio_is_also_told_for_each_registration():
    row = Row(1, plain=a_cost(1.0, resources=6), ours=a_cost(2.0, resources=12))

    assert row.cpu_ratio == 2.0
    assert row.cpu_ratio_each == 1.0


def test_memory_too_little_to_be_seen_has_no_ratio():
    row = Row(1, plain=a_cost(1.0, mib=0.0), ours=a_cost(2.0))

    assert row.memory_ratio is None
    assert markdown([row])[-1].endswith("| - |")
    assert dataclasses.replace(row, plain=a_cost(1.0, mib=2.0)).memory_ratio == 2.0


@pytest.mark.parametrize(
    ("platform", "of_plain", "of_ours"),
    [
        ("onprem", 12, 20),
        pytest.param("kubernetes", 18, 26, marks=pytest.mark.soak),
        pytest.param("aws", 40, 48, marks=pytest.mark.soak),
    ],
)
def test_a_real_run_declares_the_same_services_with_both_programs(
    tmp_path, capsys, platform, of_plain, of_ours
):
    report = tmp_path / "registration.json"
    words = ["--platform", platform, "--counts", "1", "2", "--markdown", "--into", str(report)]

    assert main(words) == 0

    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in shown[2:]] == ["1", "2"]
    _, both = json.loads(report.read_text())
    assert (both["plain"]["resources"], both["ours"]["resources"]) == (of_plain, of_ours)
