"""docs/operations.md knows what admins meet: codes of the error log, what a push counts, and every metric."""

import re
from pathlib import Path

import pytest

from muster.crm import engage_features
from muster.engage import push_items
from muster.imports import planning_vault_crm
from muster.provisioning import account_errors
from muster.roster import (
    erasure,
    namesakes,
    refuted_messages,
    taking_snapshots,
    unlinked_holders,
    vault_lifecycle,
    vault_links,
)
from muster.roster.decisions import Outcome
from muster.roster.reasons import NAMESAKE_LEFT
from muster.webhook import losses
from tests.integration.told_metrics import GAUGES, SERVICE, counted

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.mark.parametrize(
    "code",
    sorted(
        {
            *engage_features.FAILED,
            *account_errors.CODES,
            *losses.CODES,
            *erasure.CODES,
            refuted_messages.CODE,
            taking_snapshots.CODE,
            vault_lifecycle.AMBIGUOUS,
            vault_lifecycle.REQUEST_KEPT,
            unlinked_holders.CODE,
            *(vault_links.RENAMED, vault_links.HANDED_ON, vault_links.GONE, vault_links.LEFT_IN_GROUP),
            planning_vault_crm.MOVED,
            *(namesakes.WAITS_FOR_NAMESAKE, namesakes.ADDRESS_TAKEN, NAMESAKE_LEFT),
        }
    ),
)
def test_a_code_of_the_error_log_is_explained(code: str) -> None:
    assert f"`{code}`" in PAGE


@pytest.mark.parametrize(
    "count", [*push_items.COUNTED.values(), "in_line", "under_way", "refused", "not_sent"]
)
def test_a_count_of_a_push_is_explained(count: str) -> None:
    assert f"`{count}`" in PAGE


METRICS = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
# The import counts these otherwise; the worker never comes to them.
_NOT_OF_THE_WORKER = (Outcome.UNLINKED, Outcome.AMBIGUOUS, Outcome.ERASED)
NEVER_COUNTED = {f"Changes{outcome.title()}" for outcome in _NOT_OF_THE_WORKER}


def _listed() -> dict[str, str]:
    """Return the metrics of the page's tables, each with the rest of its row."""
    rows = re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \|(.+)\|$", METRICS, re.MULTILINE)
    return {name: rest for names, rest in rows for name in names.split(", ")}


def test_every_metric_is_listed_and_no_other() -> None:
    told = {name for name, _ in GAUGES | counted()} - NEVER_COUNTED
    assert _listed().keys() == told


@pytest.mark.parametrize(("metric", "dimensions"), sorted(GAUGES), ids=str)
def test_the_dimensions_of_a_gauge_are_listed(metric: str, dimensions: tuple[str, ...]) -> None:
    listed = {*re.findall(r"`(\w+)`", _listed()[metric].partition("|")[0])}
    assert {*dimensions} - {*SERVICE} <= listed
    assert dimensions != SERVICE or "service" in listed
