"""Which rewards files a policy has learned from: what it is estimated to earn there is flattered, since it chose what went well there."""

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

from policies.saved import load_saved


def seen_files(spec: str, files: Sequence[str]) -> list[str]:
    """Return those of the files whose content is among what the policy's manifest says it learned from.

    Args:
        spec: a policy file; a named policy has learned from nothing.
        files: rewards files; of stdin nothing is known.
    """
    if not spec.endswith(".json"):
        return []
    learned = {file["sha256"] for file in load_saved(spec).manifest.get("data", {}).get("files", ())}
    return [file for file in files if file != "-" and learned and _hash_of(file) in learned]


def _hash_of(file: str) -> str:
    with Path(file).open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
