"""`sam build` for this machine's own processor, done again only when the sources changed."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / ".aws-sam" / "local" / "build"  # as samconfig.toml has it
SOURCES = (
    "functions",
    "layers",
    "workflows",
    "template.yaml",
    "dashboard.yaml",
    "samconfig.toml",
    "pyproject.toml",
    "uv.lock",
)


def architecture() -> str:
    """Return this machine's processor as the template's parameter `Architecture` names it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def digest() -> str:
    """Return a fingerprint of everything the build is made from."""
    found = hashlib.sha256(architecture().encode())
    for source in SOURCES:
        top = ROOT / source
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()


@contextmanager
def built(log: Path) -> Iterator[str]:
    """Build if anything changed, writing to `log`, and yield the sources' digest.

    While the block runs, other stacks wait with their builds. Raises CalledProcessError if the build fails.
    """
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    with (BUILT.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, done = digest(), BUILT / "sources.sha256"
        if not done.exists() or done.read_text() != wanted:
            _build(log)
            done.write_text(wanted)
        yield wanted


def _build(log: Path) -> None:
    system = "apple-darwin" if sys.platform == "darwin" else "manylinux2014"
    processor = "aarch64" if architecture() == "arm64" else "x86_64"
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PLATFORM": f"{processor}-{system}",
        "UV": os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools/bin/uv"),
        "SAM_CLI_TELEMETRY": "0",
    }
    parameters = ["--parameter-overrides", f"Architecture={architecture()}"]
    run_logged(
        ["-m", "samcli", "build", "--config-env", "local", *parameters], log=log, environment=environment
    )
    # As `make build` does: SAM ships no bytecode, and starting without it takes twice as long.
    compiling = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(BUILT)]
    run_logged(compiling, log=log, environment=environment)


def run_logged(arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
    """Run Python with `arguments` at the top of the project, adding its output to `log`.

    Raises CalledProcessError if it fails.
    """
    with log.open("ab") as output:
        subprocess.run(  # noqa: S603 - the project's own commands
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )
