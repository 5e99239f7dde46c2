"""Which of the installed forms reads a file: by what is in it, whatever it is called."""

from pathlib import Path

from dialogue.errors import UsageProblem, listed
from dialogue.visible import shown
from golden_set.audit.form_files import EVERY, load_forms
from golden_set.audit.forms.json_file import parsed
from golden_set.audit.review import Form

HEAD = 400  # bytes that are looked at to say what a file is


def form_of(path: Path) -> tuple[str, Form]:
    """Return the name of the form that a file is, and what reads it.

    Raises:
        UsageProblem: it cannot be read, or is not exactly one form.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror or error}; name files that people filled in") from error
    installed = load_forms(EVERY)
    found = sorted(name for name, form in installed.items() if form.knows(path))
    if len(found) == 1:
        return found[0], installed[found[0]]
    what = f"looks like several forms ({listed(found)})" if found else _seen(path, head)
    raise UsageProblem(f"{path} {what}; expected a filled-in form, or its export: {listed(sorted(installed))}")


def _seen(path: Path, head: bytes) -> str:
    """Say what a file is that no form knows, and what may be meant."""
    if not head.strip():
        return "is empty"
    if head.startswith(b"PK"):
        return "is a zip archive without a sheet of ours, or a workbook that is cut off"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "is an old or a password-protected workbook: save it as .xlsx without a password"
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if text[:14].casefold().startswith(("<!doctype html", "<html")):
        return "is a page, not what was filled in: open it in a browser, and save the labels from there"
    if text[:1] in ("{", "["):
        return _seen_json(path)
    if b"\x00" in head or text.count("\ufffd") > len(text) / 10:
        return "is binary, and no workbook"
    return f"is a text that begins with {' '.join(shown(text).split())[:60]!r}, without our columns"


def _seen_json(path: Path) -> str:
    try:
        found = parsed(path)
    except ValueError as error:
        return f"is JSON that breaks off or is wrong ({shown(str(error))[:100]})"
    kind = "is JSON"
    if isinstance(found, list):
        kind, found = "is a JSON list", found[0] if found else {}
    keys = [repr(shown(key)[:30]) for key in list(found)[:8]] if isinstance(found, dict) else []
    return f"{kind} of another kind ({'its keys are ' + listed(keys) if keys else 'without keys'})"
