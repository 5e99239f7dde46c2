"""A small audit whose dialogues and rubric try to break forms, and people's answers to it, filled in as each tool would."""

import csv
import io
import json
from datetime import date
from pathlib import Path

from openpyxl import load_workbook

from dialogue import Transcript, Turn
from dialogue.transcript import Role
from golden_set.audit.answers import Questions, questions_of
from golden_set.audit.review import Review, make_review
from golden_set.audit.sample import AuditItem, AuditSample, Framed, Purpose, Stratum, criteria_of
from golden_set.case import EPISODE
from judge import JudgeId, Rating, Rubric, Verdict
from judge.rubric import Criterion, Unit
from judge.verdict import TurnRatings

FIVE = ("none at all", "=2 of $300", "-", "4 or so", "+5")
RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    sees_outcome=True,
    turn=(
        Criterion(name="listens", question="=cmd|' /C calc'!A0", levels=FIVE),
        Criterion(name="honest", question="Is $dialogue <b>true</b>?", critical=True, levels=("no", "yes")),
        Criterion(name="note", question="Is a note taken?", levels=("no", "half", "yes")),
    ),
    episode=(Criterion(name="well", question="Well?", levels=FIVE), Criterion(name="listens", question="All in all?", levels=FIVE)),
)
JUDGE = JudgeId(provider="scripted", model="m", rubric="calls", rubric_hash=RUBRIC.hash, prompt_hash="p")
HOSTILE = (
    ("=cmd|' /C calc'!A0", "+1", "@SUM(A1)\n=2\r\n\"quoted\", 'so'; \tit goes", "-1"),
    ("NUL \x00, bell \x07, turned \u202e, _x0041_ x005F_ _x000D_ $turn {{x}}", "<script>alert(1)</script>", "ü 漢 😀 \uffff"),
    ("a" * 50_000, "yes", "😀" * 20_000 + "the end"),
)
Said = dict[tuple[str, str], tuple[dict[str, float], str]]  # by item and place: ratings and note
SAID: Said = {
    ("e001", "0"): ({"listens": 4, "honest": 1, "note": 2}, '=HYPERLINK("http://x") \'a\' "b", c;\nd'),
    ("e001", "2"): ({"listens": 3.5}, ""),
    ("e001", "episode"): ({"well": 1, "listens": 5}, "@all +1 -1"),
    ("e002", "0"): ({"honest": 0}, "ü 漢 😀"),
    ("e003", "2"): ({"listens": 1, "honest": 1, "note": 3}, ""),
    ("e003", "episode"): ({"well": 2}, ""),
}


def make_item(number: int, *texts: str, rubric: Rubric = RUBRIC, twice: bool = False) -> AuditItem:
    """Return an episode in which the agent says the first, third, … text."""
    roles = (Role.AGENT, Role.USER)
    turns = tuple(Turn(role=roles[at % 2], text=text) for at, text in enumerate(texts))
    transcript = Transcript(id=f"e{number:03}", turns=turns, outcome="=PAID")
    rated = {place: {c.name: Rating(value=c.scale.low, reason="") for c in criteria_of(rubric, place)} for place in ("0", EPISODE)}
    verdict = Verdict(
        judge=JUDGE, turns=tuple(TurnRatings(turn=at, ratings=rated["0"]) for at in transcript.agent_turns), episode=rated[EPISODE]
    )
    framed = Framed(id=f"d{number}", content_hash="0", stratum="all", slices=(), reward=None, handling=0, spread=0, means={}, violated=())
    return AuditItem(
        item=transcript.id, purpose=Purpose.ESTIMATE, twice=twice, framed=framed, inclusion=0.5, shown=transcript, verdict=verdict
    )


def make_items(rubric: Rubric = RUBRIC) -> list[AuditItem]:
    """Return the hostile episodes; the first is rated twice."""
    return [make_item(at, *texts, rubric=rubric, twice=at == 1) for at, texts in enumerate(HOSTILE, 1)]


def make_sample(name: str = "2026-11", rubric: Rubric = RUBRIC) -> AuditSample:
    """Return a sample; its name is one that spreadsheets take for a date."""
    return AuditSample(
        name=name,
        drawn_on=date(2026, 11, 2),
        seed=1,
        judge=JUDGE,
        rubric=rubric,
        recipe="blend@0",
        outcomes="collections@0",
        stratified_by=("all",),
        strata=(Stratum(name="all", size=6, drawn=3),),
        asked_for=3,
        rare=0,
        hunted=0,
        twice=1,
        masked=True,
        unscored=0,
        duplicates=0,
    )


SAMPLE, ITEMS = make_sample(), make_items()
QUESTIONS: Questions = questions_of(SAMPLE, ITEMS)
TURN_WISE = RUBRIC.model_copy(update={"unit": Unit.TURN})


def review(part: int = 1) -> Review:
    """Return what a person is asked."""
    return make_review(SAMPLE, ITEMS, part)


def column(criterion: str, place: str) -> str:
    """Return the column of a criterion, as the forms are documented."""
    return f"{criterion} (episode)" if place == EPISODE else {"note": "note (turn)"}.get(criterion, criterion)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a comma-separated form."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def fill_csv(path: Path, said: Said, *, separator: str = ",", ends: str = "\r\n", encoding: str = "utf-8-sig") -> Path:
    """Fill in a comma-separated form and save it as a spreadsheet would."""
    rows = rows_of(path)
    for row in rows:
        ratings, note = said.get((row["item"], row["place"]), ({}, ""))
        row |= {column(name, row["place"]): f"{value:g}" for name, value in ratings.items()} | {"note": note}
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=separator, lineterminator=ends)
        writer.writeheader()
        writer.writerows(rows)
    return path


def fill_xlsx(path: Path, said: Said) -> Path:
    """Fill in a workbook."""
    book = load_workbook(path)
    sheet = book["Review"]
    names = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        cells = dict(zip(names, row, strict=True))
        place = str(cells["place"].value)
        ratings, note = said.get((str(cells["item"].value), place), ({}, ""))
        for name, value in ratings.items():
            cells[column(name, place)].value = value
        if note:
            cells["note"].value, cells["note"].data_type = note, "s"
    book.save(path)
    return path


def fill_label_studio(tasks: list[Path], said: Said, folder: Path) -> Path:
    """Return a JSON export with an annotation a task, after label_studio_sdk.label_interface.objects and the task format's page."""
    exported = []
    for number, task in enumerate([one for path in tasks for one in json.loads(path.read_text())], 1):
        ratings, note = said.get((task["data"]["item"], task["data"]["place"]), ({}, ""))
        made = [("rate_" + name, "choices", {"choices": [f"{value:g}"]}) for name, value in ratings.items()]
        made += [("note", "textarea", {"text": [note]})] if note else []
        result = [{"id": "x", "from_name": name, "to_name": "turn", "type": kind, "value": value} for name, kind, value in made]
        base = {"id": 100 + number, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "lead_time": 3.2, "task": number}
        exported.append(
            {"id": number, "annotations": [base | {"result": result}], "drafts": [], "predictions": [], "data": task["data"], "meta": {}}
        )
    path = folder / "project-1-at-2026-11-20.json"
    path.write_text(json.dumps(exported))
    return path


def fill_argilla(records: list[Path], said: Said, folder: Path) -> Path:
    """Return what `dataset.records.to_json` writes (argilla 2.8.0: `Record.to_dict`, whose responses have no status)."""
    made = []
    for record in [one for path in records for one in json.loads(path.read_text())]:
        ratings, note = said.get((record["metadata"]["item"], record["metadata"]["place"]), ({}, ""))
        given = {f"rate_{name}": f"{value:g}" for name, value in ratings.items()} | ({"note": note} if note else {})
        user = "00000000-0000-0000-0000-000000000007"
        responses = {name: [{"value": value, "user_id": user}] for name, value in given.items()}
        made.append(record | {"responses": responses, "status": "completed" if given else "pending"})
    path = folder / "answers.json"
    path.write_text(json.dumps(made))
    return path


def fill(name: str, written: list[Path], said: Said) -> Path:
    """Fill in a form that was just written; return the file to read."""
    folder = written[0].parent
    if name == "csv":
        return fill_csv(written[0], said)
    if name == "xlsx":
        return fill_xlsx(written[0], said)
    lists = [path for path in written if path.suffix == ".json" and "settings" not in path.name]
    return fill_label_studio(lists, said, folder) if name == "label-studio" else fill_argilla(lists, said, folder)
