"""How large what is deployed is: our code, and the layer of what it depends on."""

import compileall
import io
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode

from packaging.markers import Marker

_ROOT = Path(__file__).parents[2]
_MIB = 1024 * 1024
# Lambda's own limits for a function and its layers, unzipped.
UNZIPPED_LIMIT_MIB = 250


def sizes() -> Iterator[tuple[str, str]]:
    """Yield what is measured and its size, the layer as installed on this machine."""
    with tempfile.TemporaryDirectory() as scratch:
        ours, layer = Path(scratch, "functions"), Path(scratch, "layer")
        shutil.copytree(_ROOT / "functions", ours, ignore=shutil.ignore_patterns("__pycache__"))
        by_package = dict(_installed(layer / "python"))
        for state in ("source only", "with bytecode"):
            if state == "with bytecode":
                for tree in (ours, layer):
                    compileall.compile_dir(
                        tree, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
                    )
            yield (
                f"functions, {state}",
                f"{_zipped(ours) / 1024:,.0f} KiB zipped, {_unzipped(ours) / 1024:,.0f} KiB unzipped",
            )
            yield (
                f"layer, {state}",
                f"{_zipped(layer) / _MIB:,.1f} MiB zipped, {_unzipped(layer) / _MIB:,.1f} MiB unzipped"
                f" of {UNZIPPED_LIMIT_MIB} MiB that Lambda takes",
            )
        yield "largest packages of the layer", _largest(by_package)


def _installed(target: Path) -> Iterator[tuple[str, int]]:
    """Copy the layer's packages from where they are installed; yields each with its size."""
    for name in locked():
        size = 0
        for file in metadata.distribution(name).files or ():
            source = Path(str(file.locate()))
            if "__pycache__" in file.parts or ".." in file.parts or not source.is_file():
                continue
            copy = target / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            size += copy.stat().st_size
        yield name, size


def locked() -> list[str]:
    """Return the names of all packages that the functions need on this platform, by uv.lock."""
    packages = {each["name"]: each for each in tomllib.loads((_ROOT / "uv.lock").read_text())["package"]}
    found: list[str] = []
    needed = list(packages["muster"]["dev-dependencies"]["functions"])
    for need in needed:
        if need["name"] not in found and Marker(need.get("marker", "python_version > '3'")).evaluate():
            found.append(need["name"])
            package = packages[need["name"]]
            needed += package.get("dependencies", ())
            for extra in need.get("extra", ()):
                needed += package["optional-dependencies"][extra]
    return found


def _largest(sizes_by_package: Mapping[str, int]) -> str:
    largest = sorted(sizes_by_package.items(), key=lambda each: -each[1])[:5]
    return ", ".join(f"{name} {size / _MIB:.1f} MiB" for name, size in largest)


def _unzipped(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


def _zipped(tree: Path) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                written.write(path, path.relative_to(tree))
    return len(archive.getvalue())
