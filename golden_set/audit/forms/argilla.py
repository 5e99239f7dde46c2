"""The form `argilla`: settings and records for Argilla 2, and the records that it writes back as answers.

Two datasets, one for turns and one for episodes, since all records of a dataset are asked the same. How to use them, with an Argilla
server and its Python package (`import argilla as rg`):

    settings = rg.Settings.from_json("NAME.argilla-turns-settings.json")
    dataset = rg.Dataset(name="NAME-turns", settings=settings).create()
    dataset.records.from_json("NAME.argilla-turns.json")
    dataset.records.to_json("answers.json")  # when people are done

A server takes at most so many characters of a level and of the guidelines; what is longer is cut visibly.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set.audit.forms import table
from golden_set.audit.forms.json_file import content, objects
from golden_set.audit.review import Answer, Review, Row

RATE = "rate_"  # fields, questions and metadata share their names, and some words are taken
SUBMITTED, COMPLETED = "submitted", "completed"
OPTION, DESCRIPTION, GUIDELINES = 500, 1_000, 10_000  # characters that a server takes
MEND = "write it with dataset.records.to_json(PATH)"


class Argilla:
    """Every criterion is a question with its levels in words. All are required, as a server wants of one at least; so each has a dash."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write records and settings, of turns and of episodes where the rubric rates them; return their paths."""
        written = []
        for name, episode, rows in table.halves(review):
            records, settings = folder / f"{review.name}.argilla-{name}.json", folder / f"{review.name}.argilla-{name}-settings.json"
            for path, data in ((records, [_record(review, row) for row in rows]), (settings, _settings(review, episode=episode))):
                path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
                written.append(path)
        return written

    def knows(self, path: Path) -> bool:
        """Say whether it is a list of records with our metadata."""
        return any(isinstance(one.get("metadata"), dict) and table.ours(one["metadata"]) and "fields" in one for one in objects(path))

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield an answer for each user who submitted one. Several users of a record count once if they agree, and are refused if not.

        `to_json` writes drafts, too, and does not say which responses are: those of a record that is not completed are drafts.

        Raises:
            UsageProblem: they are no records of Argilla.
        """
        text = content(path)
        try:
            records = _RECORDS.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            told = shown(f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": "))
            raise UsageProblem(f"{path}: no records of Argilla ({told[:200]}); {MEND}") from error
        for at, record in enumerate(records, 1):
            users: dict[str, dict[str, object]] = {}
            for question, responses in record.responses.items():
                for one in responses:
                    if (one.status or (SUBMITTED if record.status == COMPLETED else "draft")) == SUBMITTED:
                        users.setdefault(str(one.user_id), {})[question] = one.value
            for user, said in users.items():
                ratings = {question.removeprefix(RATE): value for question, value in said.items() if question != table.NOTE}
                texts = {name: record.fields[name] for name in table.TEXTS if name in record.fields}
                where = f"record {record.id or at}" + (f", user {user}" if len(users) > 1 else "")
                if answer := table.answer(where, record.metadata, ratings, said.get(table.NOTE), texts):
                    yield answer


FORM = Argilla()


class _Response(BaseModel):
    value: Any = None
    user_id: str | None = None
    status: str | None = None


class _Record(BaseModel):
    id: str | int | None = None
    fields: dict[str, Any]
    metadata: dict[str, Any]
    responses: dict[str, list[_Response]] = {}
    status: str = "pending"


_RECORDS = TypeAdapter(list[_Record])


def _record(review: Review, row: Row) -> dict[str, Any]:
    return {
        "id": f"{row.item}-{row.place}",
        "fields": {"dialogue": table.dialogue_of(review, row), "turn": row.question},
        "metadata": {"audit": review.audit, "item": row.item, "place": row.place, "hash": row.hash},
        "suggestions": {},
        "responses": {},
        "vectors": {},
        "status": "pending",
        "_server_id": None,
    }


def _settings(review: Review, *, episode: bool) -> dict[str, Any]:
    criteria = [one for one in table.asked(review.rubric) if one.episode == episode]
    told = [f"{one.criterion.name}: {shown(one.criterion.question)}\n" + "\n".join(one.levels) for one in criteria]
    return {
        "guidelines": _clipped("\n\n".join([shown(review.rubric.about), "Choose the dash where you cannot say.", *told]), GUIDELINES),
        "questions": [*map(_question, criteria), _note()],
        "fields": [
            {"name": name, "title": title, "required": True, "settings": {"type": "text", "use_markdown": False}}
            for name, title in (("dialogue", "Dialogue"), ("turn", "To be rated"))
        ],
        "vectors": [],
        "metadata": [
            {"name": name, "title": name, "visible_for_annotators": True, "settings": {"type": "terms", "values": None}}
            for name in table.KEYS
        ],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def _question(one: table.Asked) -> dict[str, Any]:
    low = one.criterion.scale.low
    options = [{"value": str(number), "text": _clipped(level, OPTION)} for number, level in enumerate(one.levels, low)]
    options.append({"value": table.UNASKED, "text": "- cannot say"})
    return {
        "name": RATE + one.criterion.name,
        "title": one.criterion.name,
        "description": _clipped(shown(one.criterion.question), DESCRIPTION),
        "required": True,
        "settings": {"type": "label_selection", "options": options, "visible_options": len(options)},
    }


def _note() -> dict[str, Any]:
    settings = {"type": "text", "use_markdown": False}
    return {"name": table.NOTE, "title": "Note", "description": "What should be known.", "required": False, "settings": settings}


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(table.CUT)] + table.CUT
