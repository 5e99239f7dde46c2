"""The form `label-studio`: tasks and labelling configurations to import into Label Studio, and its JSON export as answers.

Two projects, one for turns and one for episodes, since they ask different things: Label Studio shows or hides a question by what was
answered or selected before, never by the data of the task (HumanSignal/label-studio, issue 7146). So the files are NAME.label-studio-
turns.json and .xml, and the same for episodes. How to use them: make a project, paste the .xml under Labeling Interface > Code,
import the .json; when it is done, Export > JSON (not JSON-MIN or CSV: those do not say what was skipped).
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set.audit.forms import table
from golden_set.audit.forms.json_file import content, objects
from golden_set.audit.review import Answer, Review, Row

RATE = "rate_"  # before a criterion's name: what else is on the page has a name, too
MEND = "export the project as JSON"


class LabelStudio:
    """Every level is a choice with its words, whose number stands in the export; nothing has to be answered."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write tasks and configuration, of turns and of episodes where the rubric rates them; return their paths."""
        written = []
        for name, episode, rows in table.halves(review):
            tasks, config = folder / f"{review.name}.label-studio-{name}.json", folder / f"{review.name}.label-studio-{name}.xml"
            data = [{"data": _data(review, row)} for row in rows]
            tasks.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            config.write_text(_config(review, episode=episode) + "\n", encoding="utf-8")
            written += [tasks, config]
        return written

    def knows(self, path: Path) -> bool:
        """Say whether it is a list of tasks with our keys; those of JSON-MIN too, of which `read` says that they are of no use."""
        found = objects(path)
        inner = [one.get("data", one) for one in found if "fields" not in one]
        return any(isinstance(data, dict) and table.ours(data) for data in inner)

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield an answer for each annotation that was submitted; only for the one that is marked as ground truth, if one is.

        What was skipped (cancelled), drafts and predictions are passed over. Several annotations of a task are several answers:
        they count once if they agree, and are refused if not.

        Raises:
            UsageProblem: it is no JSON export of Label Studio.
        """
        text = content(path)
        try:
            tasks = _TASKS.validate_json(text)
        except ValidationError as error:
            if any("data" not in one and table.ours(one) for one in objects(path)):
                raise UsageProblem(f"{path}: a JSON-MIN export of Label Studio; {MEND}, which says what was skipped") from error
            first = error.errors()[0]
            told = shown(f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": "))
            raise UsageProblem(f"{path}: no JSON export of Label Studio ({told[:200]}); {MEND}") from error
        for at, task in enumerate(tasks, 1):
            live = [one for one in task.annotations if not one.was_cancelled]
            chosen = [one for one in live if one.ground_truth]
            for annotation in chosen if len(chosen) == 1 else live:
                where = f"task {at if task.id is None else task.id}"
                answer = _answer(where if annotation.id is None else f"{where}, annotation {annotation.id}", task.data, annotation)
                if answer:
                    yield answer


FORM = LabelStudio()


class _Result(BaseModel):
    from_name: str | None = None
    value: dict[str, Any] = {}


class _Annotation(BaseModel):
    id: int | str | None = None
    result: list[_Result] | None = None
    was_cancelled: bool = False
    ground_truth: bool | None = None


class _Task(BaseModel):
    id: int | str | None = None
    data: dict[str, Any]
    annotations: list[_Annotation] = []


_TASKS = TypeAdapter(list[_Task])


def _data(review: Review, row: Row) -> dict[str, str]:
    keys = {"audit": review.audit, "item": row.item, "place": row.place, "hash": row.hash}
    return keys | {"dialogue": table.dialogue_of(review, row), "turn": row.question}


def _config(review: Review, *, episode: bool) -> str:
    view = ET.Element("View")
    for name, title in (("dialogue", "Dialogue"), ("turn", "To be rated")):
        ET.SubElement(view, "Header", value=title)
        ET.SubElement(view, "Text", name=name, value=f"${name}")
    for one in table.asked(review.rubric):
        if one.episode != episode:
            continue
        name = one.criterion.name
        ET.SubElement(view, "Header", value=_plain(f"{name}: {one.criterion.question}"))
        choices = ET.SubElement(view, "Choices", name=RATE + name, toName="turn", choice="single", required="false")
        for number, level in enumerate(one.levels, one.criterion.scale.low):
            ET.SubElement(choices, "Choice", alias=str(number), value=_plain(level))
    ET.SubElement(view, "Header", value="Note")
    ET.SubElement(view, "TextArea", name=table.NOTE, toName="turn", rows="3", maxSubmissions="1", editable="true", required="false")
    ET.indent(view)
    return ET.tostring(view, encoding="unicode")


def _plain(text: str) -> str:
    """Return a text as an attribute holds it: of `$300` Label Studio would take the name of a field, and show nothing."""
    return " ".join(shown(text).split()).replace("$", "\N{FULLWIDTH DOLLAR SIGN}")


def _answer(where: str, data: dict[str, Any], annotation: _Annotation) -> Answer | None:
    said: dict[str, list[object]] = {}
    for result in annotation.result or []:
        if result.from_name:
            values = next(iter(result.value.values()), None)  # {"choices": ["4"]}, {"text": ["…"]}, {"rating": 4}
            said.setdefault(result.from_name, []).extend(values if isinstance(values, list) else [values])
    note = "\n".join(str(one) for one in said.pop(table.NOTE, []) if one is not None)
    ratings = {name.removeprefix(RATE): _only(values) for name, values in said.items()}
    return table.answer(where, data, ratings, note, {name: data[name] for name in table.TEXTS if name in data})


def _only(values: list[object]) -> object:
    """Return the answer to a question; where there are several, a text, which is no rating."""
    return values[0] if len(values) == 1 else ", ".join(map(str, values))
