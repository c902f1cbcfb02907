"""What gets into the packages: our code in functions, everybody else's in the layer, all of it compiled."""

import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.local_stack.building import BUILT, ROOT, architecture, built
from tests.integration import template_reading

# One worker of a parallel run does it all, and builds once.
pytestmark = pytest.mark.xdist_group("build")
PROJECT = (
    "functions",
    "layers",
    "workflows",
    "Makefile",
    "samconfig.toml",
    "pyproject.toml",
    "template.yaml",
    "dashboard.yaml",
    "uv.lock",
)
# What native code says of the processor it is for: ELF's e_machine, Mach-O's cputype.
PROCESSORS = {
    "arm64": {struct.pack("<H", 183), struct.pack("<I", 0x0100000C)},
    "x86_64": {struct.pack("<H", 62), struct.pack("<I", 0x01000007)},
}
UNCHECKED_HASH = 0b01


@dataclass(frozen=True)
class Build:
    """A build folder and the processor it is meant for."""

    folder: Path
    processor: str

    @property
    def packages(self) -> list[Path]:
        """The folders that become packages of functions."""
        return [folder for folder in self.folder.iterdir() if folder.name.endswith("Function")]

    @property
    def layer(self) -> Path:
        """The folder that becomes the layer."""
        return self.folder / "DependenciesLayer"


@pytest.fixture(scope="module")
def build_for_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """What `make up` deploys to the emulator."""
    with built(tmp_path_factory.mktemp("logs") / "build.log"):  # which keeps others from building meanwhile
        yield Build(BUILT, architecture())


@pytest.fixture(scope="module")
def build_for_aws(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What `make build` makes, in a copy of the project so that nobody's build is overwritten."""
    copy = tmp_path_factory.mktemp("project")
    for name in PROJECT:
        take: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        take(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix)
    uv = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    # The virtual environment is taken as it is.
    command = ["make", "--old-file", ".venv/ready", "--old-file", "setup", "build", f"UV={uv}"]
    done = subprocess.run(  # noqa: S603 - the project's own command
        command, cwd=copy, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Build(copy / ".aws-sam/build", "arm64")


@pytest.fixture(params=["build_for_this_machine", "build_for_aws"])
def build(request: pytest.FixtureRequest) -> Build:
    """Each of the two."""
    either: Build = request.getfixturevalue(request.param)
    return either


def test_each_function_is_packaged_with_our_code_and_nothing_else(
    build: Build, template: dict[str, Any]
) -> None:
    functions = {
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    ours = {
        path.relative_to(ROOT / "functions")
        for path in (ROOT / "functions").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {package.name for package in build.packages} == functions
    for package in build.packages:
        packaged = {
            path.relative_to(package)
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert packaged == ours


def test_the_template_is_built_as_it_is_written(build: Build, source: dict[str, Any]) -> None:
    """SAM has its own idea of tables and included files; only the places of code may differ."""
    assert without_places(template_reading.source(build.folder)) == without_places(source)


def without_places(part: Any) -> Any:
    """Return a template without the paths that a build replaces."""
    if isinstance(part, list):
        return [without_places(each) for each in part]
    if not isinstance(part, dict):
        return part
    places = {"CodeUri", "ContentUri", "DefinitionUri"}
    return {key: without_places(value) for key, value in part.items() if key not in places}


def test_the_layer_holds_what_is_locked_and_nothing_of_ours(build: Build) -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (build.layer / "requirements.txt").read_text(), re.MULTILINE))
    installed = {normalized(path.name.split("-")[0]) for path in (build.layer / "python").glob("*.dist-info")}
    assert {"boto3", "pydantic", "aws-lambda-powertools"} <= locked
    assert installed == {normalized(name) for name in locked}
    ours = {path.stem for path in (ROOT / "functions").iterdir()} - {"__pycache__"}
    assert ours.isdisjoint(path.stem for path in (build.layer / "python").iterdir())


def normalized(name: str) -> str:
    """Return a distribution's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_all_bytecode_is_there_and_used_without_a_look_at_the_source(build: Build) -> None:
    sources = [path for folder in (*build.packages, build.layer) for path in folder.rglob("*.py")]
    assert len(sources) > 500
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        magic, flags, source_hash = struct.unpack("<4sI8s", compiled.read_bytes()[:16])
        assert magic == importlib.util.MAGIC_NUMBER, source
        assert flags == UNCHECKED_HASH, source
        assert source_hash == importlib.util.source_hash(source.read_bytes()), source


def test_native_code_is_for_the_right_processor(build: Build) -> None:
    native = [path for path in build.layer.rglob("*") if path.suffix in {".so", ".dylib"}]
    assert native, "pydantic has some"
    for path in native:
        head = path.read_bytes()[:20]
        assert {head[18:20], head[4:8]} & PROCESSORS[build.processor], path


def test_every_function_starts_with_the_layer_alone(build_for_this_machine: Build) -> None:
    package = build_for_this_machine.packages[0]  # all hold the same (above)
    paths = [str(package), str(build_for_this_machine.layer / "python")]
    for module in package.glob("*.py"):
        script = f"import sys; sys.path[:0] = {paths}; import {module.stem}"
        subprocess.run(  # noqa: S603 - the project's own code, without the virtual environment's packages
            [os.path.realpath(sys.executable), "-I", "-S", "-c", script],
            env={"AWS_DEFAULT_REGION": "us-east-1"},
            check=True,
            timeout=60,
        )
