"""Whatever an import has done: undone, it is as it was before, as far as the rules let it (Q2)."""

import pytest

from tests.simulation.imports.scenarios import IMPORTS, imports
from tests.simulation.imports.subject import Importing, ImportScenario
from tests.simulation.undo import oracle

# Those whose act begins an import; of the others there is none to undo.
_IMPORTING = [
    scenario
    for scenario in IMPORTS
    if getattr(scenario.act, "__qualname__", "").startswith(imports.__qualname__)
    or scenario.name in ("some people are imported", "a parked import is approved")
]
_SAMPLED = {"much has changed", "an import is parked", "namesakes come in"}
_REST = [scenario for scenario in _IMPORTING if scenario.name not in _SAMPLED]


def _id(scenario: ImportScenario) -> str:
    return scenario.name


sampled = pytest.mark.parametrize(
    "scenario", [scenario for scenario in _IMPORTING if scenario.name in _SAMPLED], ids=_id
)


def _begin(company: Importing, scenario: ImportScenario) -> None:
    company.start("scenario", scenario.name, lambda: company.prepare(scenario))()


@sampled
def test_undone_while_its_cause_stands_it_changes_nothing_that_would_come_again(
    scenario: ImportScenario, company: Importing
) -> None:
    _begin(company, scenario)
    oracle.undone_while_its_cause_stands(company, scenario)


@sampled
def test_undone_once_its_cause_is_mended_everybody_is_as_before(
    scenario: ImportScenario, company: Importing
) -> None:
    _begin(company, scenario)
    oracle.undone_once_its_cause_is_mended(company, scenario)


@pytest.mark.long
@pytest.mark.parametrize("scenario", _REST, ids=_id)
def test_every_import_undone_at_once_changes_nothing_that_would_come_again(
    scenario: ImportScenario, company: Importing
) -> None:
    _begin(company, scenario)
    oracle.undone_while_its_cause_stands(company, scenario)


@pytest.mark.long
@pytest.mark.parametrize("scenario", [each for each in IMPORTS if each.name not in _SAMPLED], ids=_id)
def test_after_anything_whoever_bad_filters_closed_is_as_before(
    scenario: ImportScenario, company: Importing
) -> None:
    _begin(company, scenario)
    oracle.undone_once_its_cause_is_mended(company, scenario)
