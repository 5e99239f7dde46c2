"""Conversations as the elements of one JSON array: the form in which many collections are handed round."""

import json
from pathlib import Path

import pytest

from dialogue import read_transcripts

ROWS = {
    "openai": {"id": 7, "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]},
    "sharegpt": {"id": 7, "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]},
    "native": {"id": "7", "turns": [{"role": "user", "text": "hi"}, {"role": "agent", "text": "hello"}]},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ROWS)
def test_an_array_is_sniffed_and_read_like_lines(tmp_path: Path, name: str, indent: int | None) -> None:
    (tmp_path / "array.json").write_text(json.dumps([ROWS[name], ROWS[name] | {"id": "8"}], indent=indent))
    (tmp_path / "lines.jsonl").write_text(json.dumps(ROWS[name]) + "\n" + json.dumps(ROWS[name] | {"id": "8"}) + "\n")
    array, lines = (list(read_transcripts(tmp_path / file)) for file in ("array.json", "lines.jsonl"))
    assert array == lines
    assert [transcript.id for transcript in array] == ["7", "8"]


def test_a_bad_element_is_one_reject(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([ROWS["sharegpt"], {"conversations": 5}, ROWS["sharegpt"] | {"id": 9}]))
    rejects = []
    found = list(read_transcripts(tmp_path / "a.json", on_reject=rejects.append))
    assert [transcript.id for transcript in found] == ["7", "9"]
    assert [(reject.line, reject.reason) for reject in rejects] == [(2, "'conversations' is a JSON number")]


def test_a_long_array_is_sniffed_by_its_beginning(tmp_path: Path) -> None:
    long = {"conversations": [{"from": "human", "value": "x" * 100_000}, {"from": "gpt", "value": "hello"}]}
    (tmp_path / "a.json").write_text(json.dumps([long]))
    assert len(list(read_transcripts(tmp_path / "a.json"))) == 1
