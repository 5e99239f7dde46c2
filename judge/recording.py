"""Recordings of answers: `--record` writes one line an answer, scrubbed of secrets and account ids; `replay:FILE` reads them back."""

import json
from pathlib import Path
from typing import IO, Any

from dialogue.errors import UsageProblem
from judge.contract import Body, ChatModel
from judge.keys import wiped

# Fields of answers that name an account, a machine or a request, in any of the providers' forms.
_PERSONAL = frozenset(
    "id request_id organization organization_id project project_id account user user_id metadata safety_identifier "
    "system_fingerprint billing previous_response_id conversation container created created_at completed_at "
    "encrypted_content signature service_account prompt_cache_key user_profile_id workspace_id".split()
)
# What the model said. It stays as it is: `user-friendly` is no account, and a quote must still be found in its turn.
_SAID = frozenset("text content token refusal".split())


def scrubbed(value: Any) -> Any:
    """Return an answer's JSON without fields that name an account, and without what looks like a key or an account id."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in _PERSONAL}
        return {key: inner if key in _SAID and isinstance(inner, str) else scrubbed(inner) for key, inner in kept.items()}
    if isinstance(value, list):
        return [scrubbed(inner) for inner in value]
    return wiped(value) if isinstance(value, str) else value


class Recorder:
    """Appends answers to a recording; its first line says who judged."""

    def __init__(self, path: Path, model: ChatModel) -> None:
        self._path = path
        self._who = f"{model.provider}/{model.model}"

    def write(self, key: str, reply: Body) -> None:
        """Add an answer, whole or not at all: a line is one write.

        Raises:
            UsageProblem: the file cannot be written.
        """
        line = json.dumps({"key": key, "who": self._who, "reply": scrubbed(reply)}, ensure_ascii=False) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise UsageProblem(f"cannot write the recording {self._path}: {error.strerror}; name another place with --record") from error


def begin(path: Path, spec: str) -> None:
    """Make a recording of the judge `spec`, or see that the one at `path` is of the same judge: it is then continued.

    Raises:
        UsageProblem: it cannot be written, or holds something else.
    """
    if path.exists() and path.stat().st_size:
        found, _ = load(path)
        if found != spec:
            raise UsageProblem(f"{path} is a recording of {found}, not of {spec}; name another file with --record")
        return
    try:
        path.write_text(json.dumps({"recording": 1, "judge": spec}) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"cannot write the recording {path}: {error.strerror}; name another place with --record") from error


def load(path: Path) -> tuple[str, dict[str, Body]]:
    """Return the judge of a recording, and its answers by key (the last one counts).

    Raises:
        UsageProblem: no such file, or it is no recording.
    """
    try:
        stream: IO[str] = path.open(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"cannot read the recording {path}: {error.strerror}") from error
    replies: dict[str, Body] = {}
    spec, number = None, 1
    with stream:
        try:
            for number, line in enumerate(stream, start=1):
                record = json.loads(line)
                if number == 1:
                    spec = record["judge"]
                else:
                    replies[record["key"]] = record["reply"]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageProblem(f"{path}:{number}: not a line of a recording; make one with --record") from error
    if not isinstance(spec, str):
        raise UsageProblem(f"{path} is empty: no recording; make one with --record")
    return spec, replies
