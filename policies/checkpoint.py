"""A checkpoint: a tree of values in one `.npz` file that is whole or not there, without pickle; `policies.tree` says what may be in it."""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from dialogue.errors import Problem, UsageProblem
from policies.tree import pack, unpack

VERSION = 1
NEWEST, PREVIOUS = "checkpoint.npz", "checkpoint.previous.npz"
PART = ".part"  # what a file is called until it is whole
TREE, SEAL = "tree", "sha256"  # entries of the file beside the arrays `a0`, `a1` …


class BrokenCheckpoint(Problem):
    """The file is torn, was edited, or is no checkpoint at all."""


@dataclass(frozen=True, slots=True)
class Found:
    """What `load` found: the tree, the file that it stood in, and what was wrong with the newer one, if that could not be used."""

    tree: dict[str, Any]
    path: Path
    warning: str | None = None


def save(folder: Path, tree: Mapping[str, Any]) -> Path:
    """Make `tree` the folder's newest checkpoint, and the one that was newest the previous one.

    At every moment there is a whole checkpoint in the folder, once there was one: the new file is written beside and renamed when it is
    safe on the disk, and only a file whose seal holds is ever put in the place of the previous one.

    Raises:
        TypeError: the tree holds what a checkpoint cannot.
        OSError: it cannot be written; the checkpoints that are there stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    newest = folder / NEWEST
    part = folder / (NEWEST + PART)
    try:
        _written(part, sealed(tree))
        if newest.exists() and _holds(newest):
            _keep(newest, folder / PREVIOUS)
        part.replace(newest)
        _settle(folder)
    except BaseException:
        for left in (part, folder / (PREVIOUS + PART)):
            left.unlink(missing_ok=True)
        raise
    return newest


def load(folder: Path) -> Found:
    """Return the newest checkpoint of a folder, or the previous one where the newest is broken.

    Raises:
        UsageProblem: there is none, none is whole, or a later version of this program wrote it.
    """
    broken: list[str] = []
    for path in (folder / NEWEST, folder / PREVIOUS):
        try:
            tree = opened(path.read_bytes(), path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageProblem(f"cannot read {path}: {error.strerror}; see that this user may read it") from error
        except BrokenCheckpoint as problem:
            broken.append(str(problem))
            continue
        return Found(tree, path, f"{broken[0]}; went back to {path.name}" if broken else None)
    if broken:
        raise UsageProblem(f"{'; '.join(broken)}; no whole checkpoint is left in {folder}: train anew with --out in another folder")
    raise UsageProblem(f"there is no checkpoint in {folder}; name a folder that `judge train --out` wrote")


def has_checkpoint(folder: Path) -> bool:
    """Say whether there is a checkpoint, whole or not, that must not be written over."""
    return any((folder / name).exists() for name in (NEWEST, PREVIOUS))


def sealed(tree: Mapping[str, Any]) -> bytes:
    """Return the tree as the bytes of a file: the same tree gives the same bytes.

    Raises:
        TypeError: it holds what a checkpoint cannot.
    """
    data, arrays = pack(dict(tree))
    text = json.dumps({"version": VERSION, **data}, ensure_ascii=False, separators=(",", ":"))
    entries = {TREE: np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8), **arrays}
    buffer = BytesIO()
    seal = hashlib.sha256()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in entries.items():
            content = _as_bytes(array)
            _seal(seal, name, content)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content)
        archive.writestr(zipfile.ZipInfo(f"{SEAL}.npy"), _as_bytes(np.frombuffer(seal.digest(), np.uint8)))
    return buffer.getvalue()


def opened(content: bytes, path: Path) -> dict[str, Any]:
    """Return the tree that `sealed` made these bytes of.

    Raises:
        BrokenCheckpoint: these are not those bytes.
        UsageProblem: a later version of this program wrote them.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
        seal = hashlib.sha256()
        for name, entry in entries.items():
            if name != SEAL:
                _seal(seal, name, entry)
        if _as_array(entries[SEAL]).tobytes() != seal.digest():
            raise BrokenCheckpoint(f"{path} is broken: its content is not what its seal says")
        data = json.loads(_as_array(entries[TREE]).tobytes().decode("utf-8", "surrogatepass"))
    except BrokenCheckpoint:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise anything of a torn file
        raise BrokenCheckpoint(f"{path} is broken: it is not a whole checkpoint ({type(error).__name__})") from error
    if data["version"] > VERSION:
        raise UsageProblem(f"{path} is of version {data['version']}, this program reads up to {VERSION}: use the program that wrote it")
    arrays = {name: _as_array(entry) for name, entry in entries.items() if name not in (TREE, SEAL)}
    tree: dict[str, Any] = unpack(data, arrays)
    return tree


def _as_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _as_array(content: bytes) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.lib.format.read_array(BytesIO(content), allow_pickle=False)
    return array


def _seal(seal: Any, name: str, content: bytes) -> None:
    """Take in an entry; with its length, so that nothing can move from one entry to the next."""
    seal.update(f"{name}:{len(content)}:".encode())
    seal.update(content)


def _holds(path: Path) -> bool:
    try:
        opened(path.read_bytes(), path)
    except BrokenCheckpoint:
        return False
    except UsageProblem:
        return True  # whole, though of a later version: not ours to throw away
    return True


def _written(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _keep(newest: Path, previous: Path) -> None:
    """Make the newest file the previous one as well: it is never missing under its own name where the disk knows hard links."""
    spare = previous.with_name(previous.name + PART)
    spare.unlink(missing_ok=True)
    try:
        os.link(newest, spare)
    except OSError:  # a disk without hard links: `load` looks at the previous one while the newest is away
        newest.replace(previous)
        return
    spare.replace(previous)


def _settle(folder: Path) -> None:
    """Have the disk note the new names too; some file systems cannot."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
