"""What the command line is made of: installed by itself, and no part of what is deployed."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from muster_cli import app
from tests.conftest import ROOT
from tests.doubles.muster_functions import APP, carry_out
from tests.unit.muster_cli.conftest import Answering

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILES = sorted((ROOT / "muster_cli").glob("*.py"))
# By the name that it is imported under, what an installation brings along.
PACKAGES = {"boto3": "boto3", "botocore": "boto3", "rich": "rich", "ruamel": "ruamel.yaml", "typer": "typer"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_of_muster_it_knows_only_the_words(path: Path) -> None:
    ours = {name for name in imports(path) if name.split(".")[0] == "muster"}
    assert not {name for name in ours if name != "muster" and not name.startswith("muster.presentation")}


def test_an_installation_brings_along_what_it_imports() -> None:
    others = {
        name.split(".")[0] for path in FILES for name in imports(path) if not name.startswith("mypy_boto3")
    } - sys.stdlib_module_names
    assert {PACKAGES[name] for name in others - {"muster", "muster_cli"}} == set(
        PROJECT["project"]["dependencies"]
    )


def test_the_layer_has_none_of_it() -> None:
    exported = (ROOT / "layers" / "dependencies" / "Makefile").read_text()
    assert "--only-group functions " in exported
    functions = {re.split(r"[<\[]", name)[0] for name in PROJECT["dependency-groups"]["functions"]}
    assert not functions & {"typer", "rich"}


def test_what_is_in_the_package_is_said() -> None:
    document = ast.get_docstring(ast.parse((ROOT / "muster_cli" / "__init__.py").read_text())) or ""
    shown = set(re.findall(r"^(\w+) {2,}\S", document, re.MULTILINE))
    assert shown == {path.stem for path in FILES} - {"__init__", "__main__"}


@cache
def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in get_command(APP).commands.items():  # type: ignore[attr-defined]  # a group has them
        inner = getattr(one, "commands", {})
        found |= {f"{name} {each}": command for each, command in inner.items()} or {name: one}
    return found


def test_the_page_shows_every_command_and_no_other() -> None:
    page = (ROOT / "docs" / "command_line.md").read_text()
    rows = re.findall(r"^\| `muster ([^`|]+)` \|", page, re.MULTILINE)
    shown = [name for row in rows for name in commands() if f"{row} ".startswith(f"{name} ")]
    # One that is used in two ways has a row for each.
    assert set(shown) == set(commands())
    assert len(rows) == len(shown)


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_and_what_all_of_them_take(name: str) -> None:
    result = carry_out(*name.split(), "--help")

    assert result.exit_code == 0
    for option in (
        "--organization",
        "--by",
        "--stack",
        "--profile",
        "--region",
        "--local",
        "--json",
        "--detail",
    ):
        assert option in result.stdout
    assert commands()[name].help


def script(*words: str) -> subprocess.CompletedProcess[str]:
    paths = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'functions')!r}]"
    code = f"{paths}; sys.argv = ['muster', *{words!r}]; from muster_cli.app import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603


def test_a_wrong_command_line_is_no_planned_change() -> None:
    done = script("plan", "--nonsense")
    assert done.returncode == 1
    assert "No such option: --nonsense" in done.stderr


def test_it_says_its_version() -> None:
    assert script("--version").stdout.strip() == PROJECT["project"]["version"]


def test_whatever_happens_there_is_no_traceback(
    answering: Answering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(RuntimeError("out of paper"))
    monkeypatch.setattr(sys, "argv", ["muster", "health", "-o", "acme"])
    with pytest.raises(SystemExit) as ended:
        app.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines()[0] == "muster has broken off: RuntimeError: out of paper"
