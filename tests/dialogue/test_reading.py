"""Several files as one stream: order, duplicates, counters, and what happens to rejects."""

import gzip
import json
import os
from functools import partial

import pytest

from dialogue import InputProblem, UsageProblem, read_transcripts
from dialogue.reading import Reading

compress = partial(gzip.compress, mtime=0)  # the same bytes in every process: they name tests


def line(name: str, **more: object) -> str:
    return json.dumps({"id": name, "turns": [{"role": "agent", "text": "hi"}], **more}) + "\n"


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str, squeeze=bytes):
        path = tmp_path / name
        path.write_bytes(squeeze(text.encode()))
        return path

    return write


def test_files_are_read_in_order_each_in_its_own_format(write):
    native = write("a.jsonl", line("first") + line("second"))
    openai = write("b.jsonl.gz", '{"messages": [{"role": "assistant", "content": "hi"}]}\n', gzip.compress)
    tau = write("c.json", '[{"task_id": 3, "trial": 0, "reward": 1.0, "info": {}, "traj": [{"role": "assistant", "content": "hi"}]}]')
    assert [made.id for made in read_transcripts(native, openai, str(tau))] == ["first", "second", "b:1", "c-task3-trial0"]


def test_without_files_there_is_nothing():
    assert list(read_transcripts()) == []


def test_reading_is_lazy(write):
    path = write("log.jsonl", line("a") + "broken\n")
    transcripts = read_transcripts(path, path.with_name("missing.jsonl"))
    assert next(transcripts).id == "a"  # neither the bad line nor the missing file is met yet
    with pytest.raises(InputProblem, match=r"log\.jsonl:2: not valid JSON"):
        next(transcripts)


def test_bad_input_raises_unless_it_is_taken(write):
    path = write("log.jsonl", line("a") + "[]\n" + line("b"))
    with pytest.raises(InputProblem) as caught:
        list(read_transcripts(path))
    assert str(caught.value) == f"{path}:2: the line holds a JSON array; expected one JSON object a line, UTF-8"
    rejects = []
    assert [made.id for made in read_transcripts(path, on_reject=rejects.append)] == ["a", "b"]
    assert [(reject.file, reject.line, reject.raw) for reject in rejects] == [(str(path), 2, "[]")]
    assert str(rejects[0]) == str(caught.value)  # the same words, raised or handed on


def test_a_duplicate_id_is_refused_with_the_place_of_the_first(write):
    one = write("one.jsonl", line("a") + line("b") + line("a", outcome="paid"))
    two = write("two.jsonl", line("c") + line("b"))
    rejects = []
    found = list(Reading([one, two], on_reject=rejects.append))
    assert [(item.transcript.id, item.file, item.line) for item in found] == [("a", str(one), 1), ("b", str(one), 2), ("c", str(two), 1)]
    assert [(reject.file, reject.line, reject.reason) for reject in rejects] == [
        (str(one), 3, f"duplicate id 'a', first at {one}:1"),
        (str(two), 2, f"duplicate id 'b', first at {one}:2"),
    ]
    assert rejects[0].raw == line("a", outcome="paid").rstrip()  # nothing is lost: it can be mended and read again


def test_the_same_file_twice_gives_its_dialogues_once(write):
    path = write("log.jsonl", line("a"))
    rejects = []
    assert len(list(read_transcripts(path, path, on_reject=rejects.append))) == len(rejects) == 1


def test_found_carries_the_line_as_it_stands_for_a_later_reject(write):
    path = write("log.jsonl", " " + line("a", meta={"é": 1.50}))
    (found,) = Reading([path])
    assert found.raw == " " + line("a", meta={"é": 1.50}).rstrip("\n")
    reject = found.reject(InputProblem("no such outcome", "paid"))
    assert str(reject) == f"{path}:1: no such outcome; expected paid"
    assert reject.raw == found.raw


def test_ignored_keys_are_counted_over_accepted_dialogues(write):
    text = line("a", weather=1, costs=2) + line("b", weather=1) + line("a", weather=1) + '{"weather": 1, "turns": []}\n'
    reading = Reading([write("log.jsonl", text)], on_reject=lambda reject: None)
    assert len(list(reading)) == 2
    assert reading.ignored == {"weather": 2, "costs": 1}  # the duplicate and the bad line are rejects, not dialogues


def test_the_position_grows_from_nothing_to_all_bytes_of_all_files(write):
    paths = [write("a.jsonl", line("a") * 1), write("b.jsonl.gz", line("b"), gzip.compress)]
    reading = Reading(paths)
    positions = [reading.position, *(reading.position for _ in reading), reading.position]
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (0, sum(os.path.getsize(path) for path in paths))  # noqa: PTH202


def test_the_position_can_be_asked_for_after_reading_stopped_early(write):
    # A progress bar is torn down in a `finally`, when bad input has ended the reading.
    text = line("a") + "broken\n"
    reading = Reading([write("log.jsonl", text)])
    with pytest.raises(InputProblem):
        list(reading)
    assert reading.position == len(text)


def test_the_format_given_holds_for_every_file(write):
    paths = [write("a.jsonl", line("a")), write("b.jsonl", '{"messages": []}\n')]
    rejects = []
    assert len(list(read_transcripts(*paths, format="native", on_reject=rejects.append))) == 1
    assert [reject.reason for reject in rejects] == ["'id' is missing"]


def test_a_missing_second_file_is_a_usage_problem(write, tmp_path):
    transcripts = read_transcripts(write("a.jsonl", line("a")), tmp_path / "missing")
    assert next(transcripts).id == "a"
    with pytest.raises(UsageProblem, match="cannot read"):
        next(transcripts)
