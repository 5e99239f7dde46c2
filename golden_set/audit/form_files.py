"""The forms of a sample as files in a folder: never over one that is there, since somebody may have filled it in."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.installed import installed
from golden_set.audit.review import Form, make_review
from golden_set.audit.sample import AuditItem, AuditSample

GROUP = "judge.forms"
EVERY = "all"
DEFAULT = "html,csv,xlsx"


def load_forms(names: str) -> dict[str, Form]:
    """Return forms by name.

    Args:
        names: separated by commas, or `all`.

    Raises:
        UsageProblem: none is installed under one of the names.
    """
    known = installed(GROUP)
    wanted = list(known) if names == EVERY else [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise UsageProblem(f"--forms is {names!r}; expected some of {listed(sorted(known))}, separated by commas, or {EVERY}")
    for name in wanted:
        if name not in known:
            raise UsageProblem(f"unknown form {name!r}{did_you_mean(name, known)}; installed: {listed(sorted(known))}, or {EVERY}")
    return {name: known[name].load() for name in dict.fromkeys(wanted)}


def left_from_before(name: str, folder: Path) -> list[Path]:
    """Return files in a folder that belong to an audit of this name."""
    return sorted(folder.glob(f"{name}.review-*")) if folder.is_dir() else []


def write_forms(sample: AuditSample, items: Iterable[AuditItem], forms: Iterable[Form], folder: Path) -> tuple[list[Path], list[Path]]:
    """Write the forms of a stored sample; return those that are new, and those that were there and stay as they are.

    Part 1 asks about every episode, part 2 about those that a second person rates. Each file appears whole or not at all.

    Raises:
        UsageProblem: the folder cannot be written; the sample is in the ledger all the same.
    """
    items = list(items)
    parts = [1, 2] if any(item.twice for item in items) else [1]
    new, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".") as spare:
            for part in parts:
                review = make_review(sample, items, part)
                for form in forms:
                    for made in form.write(review, Path(spare)):
                        path = folder / made.relative_to(spare)
                        if path.exists():
                            kept.append(path)
                            continue
                        path.parent.mkdir(parents=True, exist_ok=True)
                        made.replace(path)
                        new.append(path)
    except OSError as error:
        raise UsageProblem(
            f"cannot write the forms to {folder}: {error.strerror}; the sample is kept: "
            f"write them elsewhere with `judge audit forms --audit {sample.name} --out FOLDER`"
        ) from error
    return new, kept
