"""License, version, links, and the gate as others run it: what a project needs that people deploy."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from muster import __version__

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
# Of the text at apache.org/licenses/LICENSE-2.0.txt, appendix included.
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


# ── License and version ──────────────────────────────────────────────────────────────────────────────


def test_the_license_is_apache_2_word_for_word() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])


def test_the_lock_is_of_the_same_version() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    [muster] = [package for package in packages if package["name"] == PROJECT["name"]]
    assert muster["version"] == PROJECT["version"]


def test_the_page_and_the_events_for_the_first_settings_have_the_same_document() -> None:
    """An admin reads the page, pastes the event that previews and then the one that saves."""
    page = (ROOT / "README.md").read_text().partition("**4. Settings.**")[2].partition("**5.")[0]
    [block] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    named = re.findall(r"\((events/organization_settings_\w+\.json)\)", page)
    assert named == [f"events/organization_settings_{name}.json" for name in ("preview", "put")]
    for name in named:
        assert json.loads((ROOT / name).read_text())["settings"] == YAML(typ="safe").load(block), name


VERSIONS = re.findall(r"^## (\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)


def test_the_functions_and_the_stack_are_of_the_same_version() -> None:
    outputs = (ROOT / "template.yaml").read_text().partition("\nOutputs:\n")[2]
    assert re.findall(r'^  Version: { Value: "(.+?)"', outputs, re.MULTILINE) == [PROJECT["version"]]
    assert __version__ == PROJECT["version"]


def test_the_changelog_begins_with_this_version_and_goes_back_from_there() -> None:
    assert len(VERSIONS) == CHANGELOG.count("\n## ")
    assert ".".join(VERSIONS[0]) == PROJECT["version"]
    numbers = [tuple(map(int, version)) for version in VERSIONS]
    assert all(newer > older for newer, older in pairwise(numbers))


def test_every_upgrade_says_what_must_be_done() -> None:
    first, *sections = reversed(CHANGELOG.split("\n## ")[1:])
    assert first.startswith("0.1.0")
    assert all("\n### What you must do\n" in section for section in sections)


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────


def _anchors(page: Path) -> set[str]:
    """Return what the headings of a page can be linked as."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if not target.startswith("https://"):
                yield page.relative_to(ROOT).as_posix(), target


@pytest.mark.parametrize(("page", "target"), sorted(set(_links())))
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (ROOT / page).parent / path if path else ROOT / page
    assert found.exists()
    assert not anchor or anchor in _anchors(found)


def test_the_index_of_decisions_has_every_heading() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text()
    assert re.findall(r"^\| \[(.+?)\]\(#", page, re.MULTILINE) == re.findall(r"^## (.+)$", page, re.MULTILINE)


def test_the_targets_that_contributors_are_told_exist() -> None:
    there = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"`make ([a-z]+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert told
    assert told <= there


# ── The gate, elsewhere ──────────────────────────────────────────────────────────────────────────────

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_workflow_runs_the_gate() -> None:
    workflow = YAML(typ="safe").load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["gate"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_uses_what_is_pinned_by_its_hash(path: Path) -> None:
    text = path.read_text()
    workflow = YAML(typ="safe").load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    uses = re.findall(r"uses: (.+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", use) for use in uses), uses


def test_only_the_lock_and_the_workflows_are_renewed() -> None:
    renovate = json.loads((ROOT / "renovate.json").read_text())
    [off] = [rule for rule in renovate["packageRules"] if rule.get("enabled") is False]
    assert off["matchManagers"] == ["pep621"]
    assert "lockFileMaintenance" not in off["matchUpdateTypes"]
    assert renovate["lockFileMaintenance"]["enabled"]
