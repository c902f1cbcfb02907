"""Reads the zip of a deployment: package.xml, the components it names, and what to delete.

Limits: the REST resource deployRequest of the Metadata API.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.salesforce.metadata_objects import Problem
from sandbox.salesforce.metadata_xml import children, root_of, text

LARGEST_ARCHIVE = 39 * 1024 * 1024
LARGEST_CONTENT = 600 * 1024 * 1024
MOST_FILES = 10_000
MANIFEST = "package.xml"
DELETE_FIRST = ("destructiveChanges.xml", "destructiveChangesPre.xml")
DELETE_LAST = ("destructiveChangesPost.xml",)
_VERSION = re.compile(r"\d{1,3}\.0", re.ASCII)


class Member(NamedTuple):
    """A component that a manifest names."""

    type: str
    name: str
    manifest: str


@dataclass(frozen=True)
class Package:
    """What a deployment asks for."""

    version: float
    members: tuple[Member, ...]
    deletions: tuple[Member, ...]
    late_deletions: tuple[Member, ...]
    files: Mapping[str, bytes]


class BadPackage(Exception):
    """A package that cannot be deployed at all: the file at fault, and what is wrong with it."""

    def __init__(self, file_name: str, problem: str) -> None:
        """Take what the component failure says."""
        super().__init__(problem)
        self.file_name = file_name
        self.problem = problem


def read_package(archive: bytes) -> Package:
    """Return the package in a zip with package.xml at its root. Raises BadPackage."""
    files = _files(archive)
    if MANIFEST not in files:
        raise BadPackage(MANIFEST, "No package.xml found")
    version, members = _manifest(files, MANIFEST)
    late, first = (
        [each for name in names if name in files for each in _manifest(files, name)[1]]
        for names in (DELETE_LAST, DELETE_FIRST)
    )
    return Package(version, tuple(members), tuple(first), tuple(late), files)


def _files(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [each for each in opened.infolist() if not each.is_dir()]
            if len(entries) > MOST_FILES or sum(each.file_size for each in entries) > LARGEST_CONTENT:
                raise BadPackage("", f"Maximum size of request reached: {MOST_FILES} files, 600 MB unzipped")
            return {each.filename: opened.read(each) for each in entries}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
        raise BadPackage("", "The zip file could not be read") from None


def _manifest(files: Mapping[str, bytes], name: str) -> tuple[float, list[Member]]:
    try:
        root = root_of(files[name], "Package")
    except Problem as problem:
        raise BadPackage(name, str(problem)) from None
    version = text(root, "version")
    if name == MANIFEST and not _VERSION.fullmatch(version):
        raise BadPackage(name, f"Invalid version specified: {version}" if version else "No version specified")
    members: list[Member] = []
    for types in children(root, "types"):
        type_name = text(types, "name")
        members += [Member(type_name, (each.text or "").strip(), name) for each in children(types, "members")]
    return float(version or 0), members
