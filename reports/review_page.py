"""The review page: one HTML file in which a person rates an audit's dialogues, and the labels file that it saves."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, ValidationError

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set.audit.forms.table import TEXTS, TURN
from golden_set.audit.review import Answer, Form, Review, Row
from golden_set.case import EPISODE
from judge.rubric import Criterion, StateCriterion
from reports.page import render

KIND = "audit-labels"
SCRIPTS = ("review_answers.js", "review.js")  # in this order
MEND = "download it anew from the review page"
# What could end the block of data, or the line that it is on; as escapes JSON reads them as the same.
_ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


class ReviewPage:
    """The form `html`: a page that opens by double click, and the labels files that people download from it."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write the page; return its path in a list."""
        script = "\n".join((files("reports") / "templates" / name).read_text(encoding="utf-8") for name in SCRIPTS)
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        rules = (
            "default-src 'none'",
            f"script-src 'sha256-{digest}'",
            "style-src 'unsafe-inline'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",  # no text can become markup, not even by a mistake in the script
            "trusted-types 'none'",
        )
        data = json.dumps(_data(review), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
        page = render(
            "review.html.j2",
            review=review,
            policy=Markup("; ".join(rules)),  # noqa: S704 - ours, and free of quotation marks
            data=Markup(data),  # noqa: S704 - escaped above
            script=Markup(script),  # noqa: S704 - ours
        )
        path = folder / f"{review.name}.html"
        path.write_text(page + "\n", encoding="utf-8", newline="\n")
        return [path]

    def knows(self, path: Path) -> bool:
        """Say whether a file is a labels file, also one that breaks off."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return False
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return re.search(rf'"kind"\s*:\s*"{KIND}"', text[:400]) is not None
        return isinstance(found, dict) and found.get("kind") == KIND

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield the answers of a labels file. A rating that is no number stands in `Answer.shown`, as `forms.table` has it.

        Raises:
            UsageProblem: it cannot be read, or is no labels file; nothing was yielded.
        """
        try:
            found = _File.model_validate_json(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UsageProblem(f"cannot read the labels file {path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise UsageProblem(f"{path}: no labels file: it is not UTF-8; {MEND}") from error
        except ValidationError as error:
            raise UsageProblem(f"{path}: no labels file: {_told(error)}; {MEND}") from error
        for at, label in enumerate(found.labels, 1):
            numbers = {name: number for name, value in label.ratings.items() if (number := _number(value)) is not None}
            others = {
                name + TURN if name in TEXTS else name: value if isinstance(value, str) else json.dumps(value)
                for name, value in label.ratings.items()
                if name not in numbers
            }
            yield Answer(f"label {at}", found.audit, label.item, label.place, label.hash, numbers, label.note, others)


FORM: Form = ReviewPage()


class _Label(BaseModel):
    model_config = ConfigDict(strict=True)

    item: str
    place: str
    hash: str
    ratings: dict[str, Any]  # one that is wrong is told of its place: the others count
    note: str = ""


class _File(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: Literal["audit-labels"]
    audit: str
    labels: list[_Label]


def _number(value: object) -> float | None:
    """Return a JSON number, finite or not; None of anything else, and of one that is too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    place = list(first["loc"])
    if place[:1] == ["labels"] and len(place) > 1:
        place[:2] = [f"label {int(place[1]) + 1}"]
    where = ", ".join(map(str, place))
    wrong = first["msg"][:1].lower() + first["msg"][1:]
    return " ".join(shown(f"{where}: {wrong}" if where else wrong).split())


def _data(review: Review) -> dict[str, Any]:
    """Return what the script works on. A dialogue is in it once; each of its places says how much of it may be seen there."""
    rubric = review.rubric
    content = "".join(f"{row.item}/{row.place}/{row.hash};" for row in review.rows)
    return {
        "audit": review.audit,
        "part": review.part,
        "name": review.name,
        "content": hashlib.sha256(content.encode()).hexdigest()[:16],
        "rubric": rubric.name,
        "about": shown(rubric.about),
        "whole": EPISODE,
        "turn": [_asked(criterion) for criterion in rubric.turn_criteria],
        "episode": [_asked(criterion) for criterion in rubric.episode],
        "items": [_item(item, list(rows), review.outcomes[item]) for item, rows in groupby(review.rows, lambda row: row.item)],
    }


def _asked(criterion: Criterion | StateCriterion) -> dict[str, Any]:
    return {
        "name": criterion.name,
        "question": shown(criterion.question),
        "critical": isinstance(criterion, Criterion) and criterion.critical,
        "low": criterion.scale.low,
        "levels": [shown(level) for level in criterion.levels],
    }


def _item(item: str, rows: list[Row], outcome: str) -> dict[str, Any]:
    whole = max((row.said for row in rows), key=len)
    for row in rows:
        if row.said != whole[: len(row.said)]:
            raise ValueError(f"{item}, place {row.place}: what is shown there is not how the dialogue begins")
    return {
        "item": item,
        "outcome": outcome,
        "said": [[one.speaker, one.text, one.place] for one in whole],
        "rows": [[row.place, row.hash, len(row.said)] for row in rows],
    }
