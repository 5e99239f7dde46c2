"""Which episodes a policy has learned from: what it is estimated to earn on them is flattered, since it chose what went well there."""

from base64 import b64decode, b64encode
from collections.abc import Sequence, Set
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np

from dialogue.errors import listed
from rewards.admission import SKETCH

SOME = 0.01  # of the episodes; beyond, an estimate is clearly flattered


@dataclass(frozen=True, slots=True)
class Known:
    """What a policy has learned from of the episodes it is to be evaluated on.

    Attributes:
        files: those that it learned from as they are.
        share: of the episodes, by their ids; estimated where it learned from more than a sketch holds.
    """

    files: tuple[str, ...] = ()
    share: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.files) or self.share > SOME

    def __str__(self) -> str:
        return listed(self.files) if self.files else f"about {self.share:.0%} of these episodes"


def packed(sketch: Sequence[int]) -> str:
    """Return an admission's sketch as a text."""
    return b64encode(np.array(sketch, "<u8").tobytes()).decode()


def learned_from(manifest: dict[str, Any], files: Sequence[str], ids: Set[int]) -> Known:
    """Return what of these files and episodes a policy has learned from.

    Args:
        manifest: the policy's; of another than `judge train` made from a log nothing is known.
        files: rewards files; of stdin the episodes alone are looked at.
        ids: numbers of the episodes' ids.
    """
    data = manifest.get("data", {})
    hashes = {file["sha256"] for file in data.get("files", ())}
    same = tuple(file for file in files if hashes and file != "-" and hash_of(file) in hashes)
    sketch = np.frombuffer(b64decode(data.get("ids", "")), "<u8").tolist()
    if not sketch:
        return Known(same)
    beyond = max(sketch) if len(sketch) == SKETCH else 2**64
    asked = [number for number in ids if number <= beyond]
    return Known(same, len(set(sketch).intersection(asked)) / len(asked) if asked else 0.0)


def hash_of(file: str | Path) -> str:
    """Return the hash by which the contents of a rewards file are known again."""
    with Path(file).open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
