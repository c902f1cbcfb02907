"""docs/operations.md knows what admins meet: the codes of the error log, and what a push counts."""

from pathlib import Path

import pytest

from muster import groups, pushes, vault_lifecycle

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.mark.parametrize(
    "code",
    sorted({*groups.FAILED, vault_lifecycle.AMBIGUOUS, vault_lifecycle.REQUEST_KEPT}),
)
def test_a_code_of_the_error_log_is_explained(code: str) -> None:
    assert f"`{code}`" in PAGE


@pytest.mark.parametrize("count", [*pushes.COUNTED.values(), "in_line", "under_way", "refused", "not_sent"])
def test_a_count_of_a_push_is_explained(count: str) -> None:
    assert f"`{count}`" in PAGE
