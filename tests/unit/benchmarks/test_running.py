import re
from collections.abc import Iterator

import pytest

from tests.benchmarks.paired import Ratio
from tests.benchmarks.running import Bench, of_ratios, run


def _sizes() -> Iterator[tuple[str, str]]:
    yield "layer", "8.0 MiB"


def _fails_midway() -> Iterator[tuple[str, str]]:
    yield "functions", "1.0 MiB"
    raise RuntimeError("no layer is built")


def test_a_benchmark_that_cannot_run_says_why_and_the_rest_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken, sound = Bench("Size of functions", _fails_midway), Bench("Size of the layer", _sizes)
    assert run([broken, sound]) == ["Size of functions"]
    lines = re.sub(r"\d+ s\b", "N s", capsys.readouterr().out).splitlines()
    assert lines == [
        "Size of functions …",
        "functions  1.0 MiB",
        "could not run, after N s: RuntimeError: no layer is built",
        "",
        "Size of the layer …",
        "layer  8.0 MiB",
        "took N s",
        "",
    ]


def test_ratios_are_shown_under_headings_with_what_was_aimed_at(capsys: pytest.CaptureFixture[str]) -> None:
    ratio = Ratio("import / floor", [1.0, 3.0, 2.0], 2.5, "3 calls")
    assert run([of_ratios("Imports against a floor", lambda: [ratio])]) == []
    compares, headings, row, *_ = capsys.readouterr().out.splitlines()
    assert compares == "Imports against a floor …"
    assert headings.split("  ")[0] == "what / against what"
    assert " ".join(row.split()) == "import / floor 2.00 1.00 to 3.00 3 at most 2.5 met 3 calls"
