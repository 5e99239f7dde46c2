"""The rewards file, read back."""

import gzip
from functools import partial
from pathlib import Path

import pytest

from dialogue import InputProblem, read_transcripts
from judge import LocalJudge, load_rubric
from rewards import read_rewards, score

compress = partial(gzip.compress, mtime=0)  # the same bytes in every process: they name tests


def test_what_was_written_is_read_back(root: Path, tmp_path: Path) -> None:
    records = list(score(read_transcripts(root / "examples/collections.jsonl"), LocalJudge(load_rubric("collections"))))
    text = "".join(record.to_json() + "\n" for record in records)
    (tmp_path / "r.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "r.jsonl.gz").write_bytes(compress(text.encode()))
    for name in ("r.jsonl", "r.jsonl.gz"):
        read = list(read_rewards(tmp_path / name))
        assert read == records
        assert [record.to_json() for record in read] == [record.to_json() for record in records]


@pytest.mark.parametrize("line", ["{}", "[]", "not json", '{"id": "x"}', "\xff"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(InputProblem, match=r"r\.jsonl:2: not a line of a rewards file"):
        list(read_rewards(path))
