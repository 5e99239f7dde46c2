"""`judge audit forms`: writes the forms of a sample that was drawn before; what is in the folder stays as it is."""

import json
import os
from pathlib import Path

from golden_set import options
from golden_set.audit import choices
from golden_set.audit.book import AuditBook
from golden_set.audit.form_files import DEFAULT, load_forms, write_forms
from golden_set.audit.opening import see_ledger
from golden_set.audit.sample import AuditSample
from judge.ledger import Ledger
from judge.report_files import see_writable
from judge.settings import Settings, load_settings

FOLDER = Path("audit")  # forms are written here, in a folder of the audit's name


def forms(
    audit: choices.Audit = None,
    out: choices.Out = None,
    forms: choices.Forms = DEFAULT,
    ledger: options.Ledger = None,
    as_json: choices.Json = False,
) -> None:
    """Write the forms of a sample again, or in other formats. Files that are there stay: they may be filled in."""
    settings = load_settings(Path.cwd(), os.environ, {name: ledger if name == "ledger" else None for name in Settings.model_fields})
    wanted = load_forms(forms)
    see_ledger(settings.ledger)
    with Ledger(settings.ledger) as book:
        audits = AuditBook(book)
        sample = audits.sample(audit)
        items = list(audits.items(sample.name).values())
    folder = out or FOLDER / sample.name
    see_writable(folder)
    new, kept = write_forms(sample, items, wanted.values(), folder)
    if as_json:
        told = {"audit": sample.name, "written": [str(path) for path in new], "kept": [str(path) for path in kept]}
        print(json.dumps(told, ensure_ascii=False))
        return
    print_forms(sample, new, kept)


def print_forms(sample: AuditSample, new: list[Path], kept: list[Path]) -> None:
    """Print the files and what to do with them."""
    for path in new:
        print(f"written: {path}")
    for path in kept:
        print(f"kept as it was: {path}")
    second = ", review-2 to another" if sample.twice else ""
    print(f"next: give review-1 to one person{second}; read each back with `judge audit read FILE --audit {sample.name} --rater PSEUDONYM`")
