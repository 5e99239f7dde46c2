"""Tests that each form takes any text, comes back as it was answered, and is told from other files by what is in it.

What other programs expect was checked on 2026-11-21 with their own packages (they are too heavy to be installed here for good):
label-studio-sdk 2.1.2: `LabelInterface(config).validate()` of both configurations, `validate_task` of every task, `_validate_object` of
an annotation with every choice and a note; argilla 2.8.0: `Settings.from_json(...).validate()`, `JsonIO._records_from_json`,
`Record.api_model`, responses added with `Response(...)` and written with `JsonIO.to_json` (which leaves out a response's status). The
limits of an Argilla server are those of argilla-server's api/schemas/v1/questions.py. Export fixtures are made after these models.
"""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from dialogue.errors import UsageProblem
from golden_set.audit.answers import check, questions_of
from golden_set.audit.form_files import EVERY, load_forms
from golden_set.audit.forms import table
from golden_set.audit.forms.recognition import form_of
from golden_set.audit.review import make_review
from tests.golden_set.audit import hostile_audit as made

FORMS = {name: form for name, form in load_forms(EVERY).items() if name != "html"}


def write(name: str, folder: Path, part: int = 1) -> list[Path]:
    return FORMS[name].write(made.review(part), folder)


def labels(path: Path) -> made.Said:
    """Read a file as the command does; every row is taken."""
    _, form = form_of(path)
    taken = check(form.read(path), made.QUESTIONS, {}, "rater-1")
    assert taken.refused == []
    return {(label.item, label.place): (label.ratings, label.note) for label in taken.labels}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_answers_come_back_as_they_were_given(name: str, tmp_path: Path) -> None:
    path = made.fill(name, write(name, tmp_path), made.SAID)
    assert form_of(path)[0] == name
    assert labels(path) == made.SAID


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_second_part_asks_only_what_is_rated_twice(name: str, tmp_path: Path) -> None:
    path = made.fill(name, write(name, tmp_path, part=2), made.SAID)
    assert {item for item, _ in labels(path)} == {"e001"}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_that_nobody_filled_in_has_no_answers_and_is_known(name: str, tmp_path: Path) -> None:
    asked = [path for path in write(name, tmp_path) if path.suffix != ".xml" and "settings" not in path.name and "levels" not in path.name]
    for path in asked:
        found, form = form_of(path)
        assert found == name
        assert list(form.read(path)) == []


def test_what_the_judge_said_is_in_no_form(tmp_path: Path) -> None:
    item = made.make_item(1, "hello")
    secret = item.model_copy(update={"verdict": item.verdict.model_copy(update={"episode": {"well": {"value": 1, "reason": "SECRET"}}})})
    for form in FORMS.values():
        for path in form.write(make_review(made.SAMPLE, [secret], 1), tmp_path):
            unpacked = (
                b"".join(ZipFile(path).read(name) for name in ZipFile(path).namelist()) if path.suffix == ".xlsx" else path.read_bytes()
            )
            assert b"SECRET" not in unpacked


def test_a_turn_is_shown_without_what_came_after_where_the_rubric_says_so(tmp_path: Path) -> None:
    sample, items = made.make_sample(rubric=made.TURN_WISE), made.make_items(made.TURN_WISE)
    path, _ = FORMS["csv"].write(make_review(sample, items, 1), tmp_path)
    rows = {(row["item"], row["place"]): row["dialogue"] for row in made.rows_of(path)}
    assert rows["e001", "0"] == "Agent: =cmd|' /C calc'!A0\n\nOutcome: =PAID"
    assert rows["e001", "episode"].count("\n\n") == 4
    made.fill_csv(path, made.SAID)
    assert check(FORMS["csv"].read(path), questions_of(sample, items), {}, "r").refused == []


# --- comma-separated


def test_the_columns_of_the_table(tmp_path: Path) -> None:
    path, levels = write("csv", tmp_path)
    assert (path.name, levels.name) == ("2026-11.review-1.csv", "2026-11.review-1.levels.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    names = "audit item place hash dialogue turn listens honest,note (turn),well (episode),listens (episode),note"
    rows = made.rows_of(path)
    assert ",".join(rows[0]) == names.replace(" ", ",", 7)
    assert {row["well (episode)"] for row in rows if row["place"] != "episode"} == {"-"}
    assert {row["listens"] for row in rows if row["place"] == "episode"} == {"-"}
    assert {row["listens"] for row in rows if row["place"] != "episode"} == {""}
    assert [(row["item"], row["place"]) for row in rows] == list(made.QUESTIONS.rows)


def test_no_cell_of_a_table_reads_as_a_formula_a_number_or_a_date(tmp_path: Path) -> None:
    for path in write("csv", tmp_path):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")):
            for cell in row:
                assert cell in ("", "-") or cell[0] not in "=+-@\t\r\n"
    first = made.rows_of(tmp_path / "2026-11.review-1.csv")[0]
    assert (first["audit"], first["hash"][0]) == ("#2026-11", "#")  # 2026-11 would become a date, 12e45 a number


def test_every_level_is_told_beside_the_table(tmp_path: Path) -> None:
    _, levels = write("csv", tmp_path)
    text = levels.read_text(encoding="utf-8-sig")
    assert "listens,the turn in question,“=cmd|' /C calc'!A0”,2: =2 of $300" in text
    assert text.count("\n") == 1 + 5 + 2 + 3 + 5 + 5 + 1
    last = 'all columns,,where you cannot tell,"leave the cell empty, or write - (?, n/a, na and cannot tell mean the same)"'
    assert text.splitlines()[-1] == last
    assert "honest,the turn in question,“Is $dialogue <b>true</b>?”,0: no" in text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_tables_are_read_however_a_spreadsheet_saves_them(separator: str, encoding: str, ends: str, tmp_path: Path) -> None:
    path = made.fill_csv(write("csv", tmp_path)[0], made.SAID, separator=separator, encoding=encoding, ends=ends)
    assert labels(path.rename(tmp_path / "renamed.dat")) == made.SAID


@pytest.mark.parametrize(
    ("encoding", "told"), [("cp1252", "line 2 is not UTF-8 (byte 0xfc)"), ("utf-16", "line 1 is not UTF-8 (byte 0xff)")]
)
def test_another_encoding_is_refused_with_what_to_do(encoding: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "form.csv"
    path.write_text("audit,item,place,hash,note\n#a,e001,0,#0,f\u00fcr\n", encoding=encoding)
    name, form = form_of(path)
    with pytest.raises(UsageProblem, match=re.escape(told)) as problem:
        list(form.read(path))
    assert name == "csv"
    assert "save it as CSV UTF-8" in str(problem.value)


def test_a_table_that_is_cut_off_in_a_cell_is_refused(tmp_path: Path) -> None:
    path = made.fill_csv(write("csv", tmp_path)[0], made.SAID)
    path.write_bytes(path.read_bytes().partition(b"NUL ")[0])  # in a cell, which is quoted
    with pytest.raises(UsageProblem, match=r"row \d+ cannot be read \(unexpected end of data\): is the file cut off\?"):
        list(form_of(path)[1].read(path))


ROW = "#2026-11,e001,0,#{hash},"


def table_of(tmp_path: Path, header: str, cells: str) -> Path:
    path = tmp_path / "small.csv"
    path.write_text(f"audit,item,place,hash,{header}\n{ROW.format(hash=made.QUESTIONS.rows['e001', '0'].hash)}{cells}\n")
    return path


@pytest.mark.parametrize(
    ("header", "cells", "told"),
    [
        ("listens,listens", "1,2", "the column 'listens' is there twice"),
        ("listens,Listens", "1,2", "the column 'listens' is there twice"),
        ("listens,annotation_id,lead_time", "1,7,3.1", "a CSV export of Label Studio; export it as JSON"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_whole(header: str, cells: str, told: str, tmp_path: Path) -> None:
    path = table_of(tmp_path, header, cells)
    with pytest.raises(UsageProblem, match=told):
        list(form_of(path)[1].read(path))


def test_shown_columns_may_be_left_out(tmp_path: Path) -> None:
    assert labels(table_of(tmp_path, "listens", "4")) == {("e001", "0"): ({"listens": 4}, "")}


def test_columns_are_known_whatever_their_case(tmp_path: Path) -> None:
    said = {("e001", "0"): ({"listens": 4, "honest": 1, "note": 2}, "good")}
    assert labels(table_of(tmp_path, "LISTENS,Honest,Note (Turn),NOTE", "4,1,2,good")) == said


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_a_table_says_which_columns_it_has(name: str, tmp_path: Path) -> None:
    form = FORMS[name]
    assert isinstance(form, table.Tabular)
    assert form.columns(write(name, tmp_path)[0]) == table.header(made.RUBRIC)


@pytest.mark.parametrize(
    ("value", "rating"),
    [
        ("4", 4),
        (" 4 ", 4),
        ("4.0", 4),
        (4.0, 4),
        (4, 4),
        ("3,5", 3.5),
        ("3.5", 3.5),
        ("4 - Takes up the main point", 4),
        ("4: Takes it up", 4),
        ("4 – Takes it up\nand more", 4),
        ("0", 0),
        ("", None),
        (None, None),
        ("-", None),
        ("—", None),
        ("?", None),
        ("N/A", None),
        ("na", None),
        (" Cannot Tell ", None),
        ("??", "??"),
        ("I cannot tell", "I cannot tell"),
        ("good", "good"),
        ("4-5", "4-5"),
        ("4 - 5", "4 - 5"),
        ("4 or 5", "4 or 5"),
        ("4?", "4?"),
        ("-4", "-4"),
        ("nan", "nan"),
        ("1e3", "1e3"),
        ("٤", "٤"),  # a digit elsewhere; here nobody writes it, and a mistake would not be seen
        (True, "True"),
        ("=B2", "=B2"),
        (datetime(2026, 5, 3), "2026-05-03 00:00:00"),
    ],
)
def test_what_a_cell_says(value: object, rating: float | str | None) -> None:
    assert table.rating_of(value) == rating


texts = st.text(st.characters(codec=None, categories=["L", "N", "P", "S", "Z", "Cc", "Cf", "Cs"]), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(texts, min_size=1, max_size=3), note=texts, separator=st.sampled_from([",", ";", "\t"]))
def test_any_text_goes_through_a_table(said: list[str], note: str, separator: str, tmp_path: Path) -> None:
    item = made.make_item(1, *said)
    path, _ = FORMS["csv"].write(make_review(made.SAMPLE, [item], 1), tmp_path)
    answers = {("e001", "0"): ({"listens": 2.0}, note.encode(errors="replace").decode())}
    made.fill_csv(path, answers, separator=separator)
    (found,) = FORMS["csv"].read(path)
    taken = check([found], questions_of(made.SAMPLE, [item]), {}, "rater-1")
    assert taken.refused == []
    assert taken.labels[0].ratings == {"listens": 2}
    given = note.encode(errors="replace").decode().strip()
    assert found.note == ("" if given in ("-", "–", "—") else given)  # a dash alone is no note


# --- workbook


def test_a_workbook_is_made_to_be_filled_in(tmp_path: Path) -> None:
    (path,) = write("xlsx", tmp_path)
    book = load_workbook(path)
    sheet, levels = book["Review"], book["Levels"]
    assert (sheet.freeze_panes, levels.freeze_panes, sheet.protection.sheet) == ("A2", "A2", True)
    assert {cell.data_type for row in [*sheet.iter_rows(), *levels.iter_rows()] for cell in row if cell.value is not None} == {"s"}
    head = [cell.value for cell in sheet[1]]
    lists = {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation}
    numbers = {"G": "1,2,3,4,5", "H": "0,1", "I": "1,2,3", "J": "1,2,3,4,5", "K": "1,2,3,4,5"}
    assert lists == {f"{letter}2:{letter}10": f'"{allowed}"' for letter, allowed in numbers.items()}
    turn = dict(zip(head, sheet[2], strict=True))
    assert [name for name, cell in turn.items() if not cell.protection.locked] == ["listens", "honest", "note (turn)", "note"]
    assert turn["dialogue"].alignment.wrap_text
    assert turn["note"].number_format == "@"  # so that `-1` or `=x` typed there stays a text
    assert sheet.column_dimensions["E"].width > 50
    assert [cell.value for cell in levels[3]] == ["listens", "the turn in question", "“=cmd|' /C calc'!A0”", "2: =2 of $300"]


def test_a_long_text_is_cut_where_it_can_be_seen_and_counts_as_unchanged(tmp_path: Path) -> None:
    (path,) = write("xlsx", tmp_path)
    cut = {(row[1], row[2]): row[4] for row in load_workbook(path)["Review"].iter_rows(min_row=2, values_only=True)}
    for text in (cut["e003", "0"], cut["e003", "episode"]):
        assert len(text.encode("utf-16-le")) // 2 <= 32_767  # as Excel counts
        assert text.endswith("… (cut: see the HTML page)")
    assert made.SAID["e003", "2"] == labels(made.fill_xlsx(path, made.SAID))["e003", "2"]


def excel_like(path: Path) -> Path:
    """Store the texts of a workbook as Excel and LibreOffice do: in a table of shared strings, line ends and escapes as they write them."""
    strings: list[str] = []
    with ZipFile(path) as old:
        parts = {name: old.read(name).decode() for name in old.namelist()}

    def shared(found: re.Match[str]) -> str:
        strings.append(re.sub(r"_x([0-9A-Fa-f]{4})_", r"_x005F_x\1_", found[2]).replace("\n", "_x000D_\n"))
        return f'<c{found[1]} t="s"><v>{len(strings) - 1}</v></c>'

    for name in parts:
        if name.startswith("xl/worksheets/sheet"):
            parts[name] = re.sub(r'<c([^>]*?) t="inlineStr"><is><t[^>]*>(.*?)</t></is></c>', shared, parts[name], flags=re.DOTALL)
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    items = "".join(f'<si><t xml:space="preserve">{text}</t></si>' for text in strings)
    parts["xl/sharedStrings.xml"] = f'<?xml version="1.0"?><sst xmlns="{space}">{items}</sst>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    if kind not in parts["[Content_Types].xml"]:
        override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace("</Types>", override)
    with ZipFile(path, "w") as new:
        for name, text in parts.items():
            new.writestr(name, text)
    return path


def test_a_workbook_saved_by_excel_reads_the_same(tmp_path: Path) -> None:
    path = excel_like(made.fill_xlsx(write("xlsx", tmp_path)[0], made.SAID))
    assert b"_x000D_" in ZipFile(path).read("xl/sharedStrings.xml")
    assert labels(path) == made.SAID


def test_numbers_are_read_as_programs_store_them(tmp_path: Path) -> None:
    """LibreOffice stores 4 as a float, places as numbers where somebody reformats a column, and adds empty rows and columns."""
    (path,) = write("xlsx", tmp_path)
    book = load_workbook(path)
    sheet = book["Review"]
    sheet["C2"].value = 0.0
    sheet["C2"].data_type = "n"
    sheet["G2"].value, sheet["H2"].value, sheet["I2"].value = 4.0, " 1 ", "3 - yes"
    sheet["N40"].value = " "
    book.move_sheet("Levels", -1)
    book.save(path.with_name("answers of Anna.dat"))
    assert labels(tmp_path / "answers of Anna.dat") == {("e001", "0"): ({"listens": 4, "honest": 1, "note": 3}, "")}


def test_a_formula_counts_as_its_text(tmp_path: Path) -> None:
    (path,) = write("xlsx", tmp_path)
    book = load_workbook(path)
    sheet = book["Review"]
    sheet["G2"].value, sheet["L2"].value = "=1+1", "=cmd|' /C calc'!A0"
    book.save(path)
    (answer,) = FORMS["xlsx"].read(path)
    assert (answer.note, answer.shown["listens"], answer.ratings) == ("=cmd|' /C calc'!A0", "=1+1", {})
    assert "listens is '=1+1'; expected a number from 1 to 5" in check([answer], made.QUESTIONS, {}, "r").refused[0].what


# --- Label Studio


def exported(tmp_path: Path, *annotations: dict[str, object]) -> Path:
    """Return an export of the first task with these annotations."""
    tasks = write("label-studio", tmp_path)[0]
    task = json.loads(tasks.read_text())[0] | {"id": 12, "predictions": [annotation(5)], "drafts": [annotation(5)]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task | {"annotations": list(annotations)}]), encoding="utf-8-sig")
    return path


def annotation(listens: object, **more: object) -> dict[str, object]:
    value = {"choices": listens if isinstance(listens, list) else [str(listens)]}
    return {"result": [{"from_name": "rate_listens", "to_name": "turn", "type": "choices", "value": value}], "was_cancelled": False} | more


def test_turns_and_episodes_are_two_projects(tmp_path: Path) -> None:
    paths = write("label-studio", tmp_path)
    assert [path.name.removeprefix("2026-11.review-1.label-studio-") for path in paths] == [
        "turns.json",
        "turns.xml",
        "episodes.json",
        "episodes.xml",
    ]
    turns, episodes = (ET.parse(path).getroot() for path in paths if path.suffix == ".xml")
    assert [one.get("name") for one in turns.iter("Choices")] == ["rate_listens", "rate_honest", "rate_note"]
    assert [one.get("name") for one in episodes.iter("Choices")] == ["rate_well", "rate_listens"]
    assert [(one.get("alias"), one.get("value")) for one in turns.iter("Choice")][:2] == [("1", "1: none at all"), ("2", "2: =2 of ＄300")]
    assert {one.get("required") for one in turns.iter("Choices")} == {"false"}
    named = {one.get("value") for one in turns.iter() if "$" in (one.get("value") or "")}
    assert named == {"$dialogue", "$turn"}  # what looks like a field would be replaced by nothing
    assert {task["data"]["place"] for task in json.loads(paths[2].read_text())} == {"episode"}


@pytest.mark.parametrize(
    ("annotations", "listens"),
    [
        ([annotation(4)], [4]),
        ([annotation(["4: 4 or so"])], []),  # words that begin with a number: the alias was taken out of the configuration
        ([annotation(4, was_cancelled=True)], []),
        ([annotation(4, was_cancelled=True), annotation(2)], [2]),
        ([annotation(4), annotation(4)], [4]),
        ([annotation(4, id=7), annotation(2, id=8)], []),
        ([annotation(4), annotation(2, ground_truth=True)], [2]),
        ([annotation(4, ground_truth=True), annotation(2, ground_truth=True)], []),
        ([annotation(["4", "5"])], []),
        ([{"result": []}], []),
        ([{"result": None}], []),
        ([], []),
    ],
)
def test_which_annotation_counts(annotations: list[dict[str, object]], listens: list[float], tmp_path: Path) -> None:
    path = exported(tmp_path, *annotations)
    taken = check(form_of(path)[1].read(path), made.QUESTIONS, {}, "r")
    assert [label.ratings["listens"] for label in taken.labels] == listens


def test_annotations_that_differ_are_refused_with_the_task(tmp_path: Path) -> None:
    path = exported(tmp_path, annotation(4, id=7), annotation(2, id=8))
    first, second = check(form_of(path)[1].read(path), made.QUESTIONS, {}, "r").refused
    assert (first.where, second.where) == ("task 12, annotation 7", "task 12, annotation 8")
    assert "differently (listens is 4 in task 12, annotation 7 and 2 in task 12, annotation 8)" in first.what


def test_the_small_export_is_the_wrong_one(tmp_path: Path) -> None:
    data = json.loads(write("label-studio", tmp_path)[0].read_text())[0]["data"]
    path = tmp_path / "min.json"
    path.write_text(json.dumps([data | {"id": 1, "rate_listens": "4", "annotator": 1, "annotation_id": 2, "lead_time": 1.5}]))
    name, form = form_of(path)
    with pytest.raises(UsageProblem, match="a JSON-MIN export of Label Studio; export the project as JSON"):
        list(form.read(path))
    assert name == "label-studio"


# --- Argilla


def test_settings_keep_to_what_an_argilla_server_takes(tmp_path: Path) -> None:
    long = made.RUBRIC.turn[0].model_copy(update={"levels": tuple(f"{at} " + "x" * 1_990 for at in range(11)), "question": "q" * 2_000})
    sample = made.make_sample(rubric=made.RUBRIC.model_copy(update={"turn": (long, *made.RUBRIC.turn[1:])}))
    _, settings_of_turns, *_ = FORMS["argilla"].write(make_review(sample, made.make_items(sample.rubric), 1), tmp_path)
    found = json.loads(settings_of_turns.read_text())
    assert len(found["guidelines"]) <= 10_000
    names = [one["name"] for kind in ("fields", "questions", "metadata") for one in found[kind]]
    assert len(names) == len(set(names))
    assert any(one["required"] for one in found["questions"])  # else the server does not publish
    for question in found["questions"][:-1]:
        assert len(question["description"]) <= 1_000
        assert all(len(option["text"]) <= 500 for option in question["settings"]["options"])
        assert question["settings"]["options"][-1]["value"] == "-"
        assert question["settings"]["visible_options"] == len(question["settings"]["options"]) >= 3
    assert found["questions"][0]["settings"]["options"][0]["text"].endswith("… (cut: see the HTML page)")


def returned(tmp_path: Path, status: str, **responses: list[dict[str, object]]) -> Path:
    record = json.loads(write("argilla", tmp_path)[0].read_text())[0]
    path = tmp_path / "returned.json"
    path.write_text(json.dumps([record | {"status": status, "responses": responses}]))
    return path


@pytest.mark.parametrize(
    ("status", "responses", "listens"),
    [
        ("completed", [{"value": "4", "user_id": "a"}], [4]),
        ("completed", [{"value": 4, "user_id": "a"}], [4]),  # a rating question
        ("completed", [{"value": "-", "user_id": "a"}], []),
        ("pending", [{"value": "4", "user_id": "a"}], []),  # a draft
        ("pending", [{"value": "4", "user_id": "a", "status": "submitted"}], [4]),
        ("completed", [{"value": "4", "user_id": "a", "status": "draft"}], []),
        ("completed", [{"value": "4", "user_id": "a", "status": "discarded"}, {"value": "2", "user_id": "b", "status": "submitted"}], [2]),
        ("completed", [{"value": "4", "user_id": "a"}, {"value": "4", "user_id": "b"}], [4]),
        ("completed", [{"value": "4", "user_id": "a"}, {"value": "5", "user_id": "b"}], []),
    ],
)
def test_which_responses_count(status: str, responses: list[dict[str, object]], listens: list[float], tmp_path: Path) -> None:
    path = returned(tmp_path, status, rate_listens=responses)
    taken = check(form_of(path)[1].read(path), made.QUESTIONS, {}, "r")
    assert [label.ratings["listens"] for label in taken.labels] == listens


def test_users_that_differ_are_refused_with_the_record(tmp_path: Path) -> None:
    path = returned(tmp_path, "completed", rate_listens=[{"value": "4", "user_id": "a"}, {"value": "5", "user_id": "b"}])
    refused = check(form_of(path)[1].read(path), made.QUESTIONS, {}, "r").refused
    assert [one.where for one in refused] == ["record e001-0, user a", "record e001-0, user b"]


# --- other files


def save_workbook(path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["name", "age"])
    book.save(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (bytes(range(256)), "is binary, and no workbook"),
        (b"PK\x03\x04" + b"\x00" * 60, "is a zip archive without a sheet of ours, or a workbook that is cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old or a password-protected workbook: save it as .xlsx without a password"),
        (b"name,age\nAnna,7\n", "is a text that begins with 'name,age Anna,7', without our columns"),
        (b"audit;item,place,hash\n", "is a text that begins with"),
        (b"<!DOCTYPE html><title>x", "is a page, not what was filled in: open it in a browser, and save the labels from there"),
        (b"{}", "is JSON of another kind (without keys)"),
        (b"[]", "is a JSON list of another kind (without keys)"),
        (b'[{"id": 1, "data": {"text": "x"}, "annotations": []}]', "(its keys are 'id', 'data', 'annotations')"),
        (b'[{"fields": {}, "metadata": {}, "responses": {}}]', "(its keys are 'fields', 'metadata', 'responses')"),
        (b'[{"data": {"item": "e0', "is JSON that breaks off or is wrong"),
        (b"[" * 100_000, "is JSON that breaks off or is wrong"),
        (b'{"kind": "audit-report"}', "is JSON of another kind (its keys are 'kind')"),
    ],
)
@pytest.mark.parametrize("name", ["form.csv", "form.xlsx", "form.json"])
def test_what_a_file_is_that_no_form_knows(content: bytes, told: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageProblem) as problem:
        form_of(tmp_path / name)
    assert told in str(problem.value)
    assert str(problem.value).endswith("its export: argilla, csv, html, label-studio, xlsx")
    assert "\n" not in str(problem.value)


def test_a_workbook_of_something_else_or_cut_off_is_no_form(tmp_path: Path) -> None:
    save_workbook(tmp_path / "other.xlsx")
    (whole,) = write("xlsx", tmp_path)
    (tmp_path / "cut.xlsx").write_bytes(whole.read_bytes()[:-200])
    for name in ("other.xlsx", "cut.xlsx"):
        with pytest.raises(UsageProblem, match="is a zip archive without a sheet of ours, or a workbook that is cut off"):
            form_of(tmp_path / name)
        with pytest.raises(UsageProblem, match=name):
            list(FORMS["xlsx"].read(tmp_path / name))


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_file_that_is_not_there_cannot_be_read(name: str, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        assert not FORMS[name].knows(path)
        with pytest.raises(UsageProblem, match="cannot read"):
            form_of(path)
        with pytest.raises(UsageProblem, match="cannot read"):
            list(FORMS[name].read(path))


@pytest.mark.parametrize("name", ["argilla", "label-studio"])
def test_an_export_of_a_wrong_shape_is_told_by_its_place(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"data": 1, "fields": [], "metadata": 2}]')
    with pytest.raises(UsageProblem, match=r"no (JSON export of Label Studio|records of Argilla) \(0\.(data|fields): "):
        list(FORMS[name].read(tmp_path / "x.json"))
