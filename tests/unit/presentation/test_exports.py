import csv
import io
from typing import Any

import pytest

from muster.presentation import exports


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (3, "3"),
        (-3, "-3"),
        ("Ada", "Ada"),
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("a\0b", "ab"),
        ("a=1", "a=1"),
    ],
)
def test_no_cell_is_run_as_a_formula(value: Any, shown: str) -> None:
    assert exports.cell(value) == shown


def test_a_line_is_read_back_whatever_is_in_it() -> None:
    cells = ["a,b", 'say "hi"', "two\nlines", "ß王", ""]
    assert list(csv.reader(io.StringIO(exports.line(cells), newline=""))) == [cells]
    assert exports.line(["a"]).endswith("\r\n")
