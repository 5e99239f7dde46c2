"""Keys: from the environment or a file that it names, never from a command line, and wiped out of whatever is shown or stored."""

import re
from collections.abc import Mapping
from pathlib import Path

from dialogue.errors import UsageProblem

WIPED = "[key]"
SHORTEST = 8  # characters: anything shorter would wipe ordinary words
# What keys, tokens and account ids of the providers look like.
# Ids are long and hold a digit: `user_satisfaction` and `user-friendly` are words, and recordings must keep them.
_SECRET = re.compile(
    r"\b(?:sk|pk)[-_](?=[A-Za-z0-9*_-]*[0-9*])[A-Za-z0-9*_-]{6,}"
    r"|\b(?:org|proj|req|resp|msg|user|acct|wrkspc|msgbatch|chatcmpl)[-_](?=[A-Za-z]*[0-9])[A-Za-z0-9]{16,}"
    r"|\bBearer\s+\S+"
)


def find_key(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the key in the variable `name`, or in the file that `name_FILE` names; None where neither is set.

    Raises:
        UsageProblem: the file cannot be read, or the key in it cannot be one.
    """
    key = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip()
    if not key and path:
        try:
            key = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageProblem(f"cannot read the key file {path} that {name}_FILE names: {reason}") from error
        if not key:
            raise UsageProblem(f"the key file {path} that {name}_FILE names is empty")
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageProblem(f"{name} holds no key: spaces, line breaks or characters outside ASCII are in it")
    return key or None


def need_key(name: str, environ: Mapping[str, str]) -> str:
    """Return the key, as `find_key`.

    Raises:
        UsageProblem: there is none.
    """
    if key := find_key(name, environ):
        return key
    raise UsageProblem(f"no key: set {name}, or {name}_FILE to a file that holds it; keys are never taken from the command line")


def wiped(text: str, *keys: str | None) -> str:
    """Return the text without the keys, and without anything that looks like a key or an account id."""
    for key in keys:
        if key and len(key) >= SHORTEST:
            text = text.replace(key, WIPED)
    return _SECRET.sub(WIPED, text)
