"""Recordings: what `--record` writes is played back offline to the same bytes, holds no secrets, and is refused when it does not fit."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue import Transcript
from dialogue.errors import UsageProblem
from judge import Ledger, Verdict, load_rubric, make_judge
from judge.batch import rate_all
from judge.judges import terms_of
from judge.ledger import Answer
from judge.recording import begin
from judge.settings import Settings
from tests import warm
from tests.provider import KEY, VENDORS, Provider

Run = Callable[..., subprocess.CompletedProcess[str]]
ThereAndBack = Callable[[str, list[Transcript]], tuple[list[Answer], list[Answer]]]

SPECS = {
    "openai": "openai:model-1",
    "openai-logprobs": "openai:model-1?api=chat&logprobs=true",
    "openai-decisions": "openai-decisions:model-1",
    "anthropic": "anthropic:model-1",
    "compatible": "compatible:model-1@{url}/v1",
}
PANEL = """
reducer = "median"
[[member]]
judge = "openai:model-1"
[[member]]
judge = "anthropic:model-2"
"""


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(map(str, args)))


@pytest.fixture
def example(root: Path) -> Path:
    return root / "examples/collections.jsonl"


@pytest.fixture
def online(judge: Run, provider: Provider, example: Path, tmp_path: Path) -> Run:
    """Score the example by a judge, recording into rec.jsonl; more arguments may follow."""
    (tmp_path / "panel.toml").write_text(PANEL)

    def run(spec: str, *args: str) -> subprocess.CompletedProcess[str]:
        where = ("--judge", spec.format(url=provider.url), "--record", "rec.jsonl")
        return judge("score", example, *where, "--out", "live.jsonl", *args, **provider.environ)

    return run


@pytest.fixture
def offline(judge: Run, provider: Provider, example: Path) -> Run:
    """Play rec.jsonl back without keys and without a server, into a ledger of its own."""

    def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
        before = provider.asked()
        nowhere = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
        given = ("--judge", "replay:rec.jsonl", "--ledger", "replay.db", "--out", "replayed.jsonl")
        done = judge("score", *(args or (example,)), *given, **nowhere)
        assert provider.asked() == before
        return done

    return run


@pytest.fixture
def there_and_back(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ThereAndBack:
    """Rate dialogues by a judge, recording into rec.jsonl, then by the recording, without keys; return the answers of both."""

    def run(spec: str, dialogues: list[Transcript]) -> tuple[list[Answer], list[Answer]]:
        for name in os.environ:
            if name.startswith(VENDORS):
                monkeypatch.delenv(name)
        for name, value in provider.environ.items():
            monkeypatch.setenv(name, value)
        path, rubric = tmp_path / "rec.jsonl", load_rubric("collections")
        named = spec.format(url=provider.url)
        terms = terms_of(Settings(judge=named), os.environ, record=path)
        begin(path, named)
        with Ledger(":memory:") as ledger:
            live = [answer for _, answer in rate_all(dialogues, make_judge(named, rubric, terms), ledger)]
        for name in provider.environ:
            monkeypatch.delenv(name)
        with Ledger(":memory:") as ledger:
            return live, [answer for _, answer in rate_all(dialogues, make_judge(f"replay:{path}", rubric), ledger)]

    return run


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_recording_of_any_form_plays_back_and_holds_nothing_that_names_an_account_or_a_request(
    provider: Provider, there_and_back: ThereAndBack, tmp_path: Path, said: Callable[..., Transcript], spec: str
) -> None:
    dialogues = [said(f"A: Could you pay {k}?", "U: No.", "A: Then let's find what you can.", id=str(k)) for k in range(4)]
    live, replayed = there_and_back(spec, dialogues)
    assert replayed == live
    assert all(isinstance(answer, Verdict) for answer in live)
    assert provider.asked() == 4
    text = (tmp_path / "rec.jsonl").read_text()
    assert KEY not in text and KEY[8:20] not in text
    assert not re.search(r"\b(resp|msg|req|chatcmpl)_\w{6}|fp_provider|prompt_cache_key|created|metadata|Bearer", text)
    assert text.count('"usage"') == 4  # what it cost is no secret


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_words_that_look_like_an_account_play_back_unchanged(
    there_and_back: ThereAndBack, said: Callable[..., Transcript], spec: str
) -> None:
    words = said("A: user-friendly org-charts, proj_name123 and msg_board99 now", "U: No.", "A: user-friendly again, please")
    live, replayed = there_and_back(spec, [words])
    assert (replayed, isinstance(live[0], Verdict)) == (live, True)


def test_the_rewards_of_a_recording_are_the_same_bytes(online: Run, offline: Run, tmp_path: Path) -> None:
    assert online(SPECS["openai-logprobs"]).returncode == 0
    done = offline()
    assert (done.returncode, "12 scored, 0 failed" in done.stdout) == (0, True), done.stderr
    assert (tmp_path / "replayed.jsonl").read_bytes() == (tmp_path / "live.jsonl").read_bytes()


def test_repeats_of_a_panel_turn_by_turn_play_back_too(
    online: Run, offline: Run, example: Path, root: Path, tmp_path: Path, provider: Provider
) -> None:
    rubric = (root / "judge/rubrics/collections.toml").read_text().replace("sees_outcome", 'unit = "turn"\nsees_outcome', 1)
    (tmp_path / "mine.toml").write_text(rubric)
    (tmp_path / "judge.toml").write_text('rubric = "mine.toml"\noutcomes = "collections"\nrepeats = 2\n')
    provider.set(noise=1.0)
    assert online("panel:panel.toml", "--limit", "3").returncode == 0
    assert offline(example, "--limit", "3").returncode == 0
    live = (tmp_path / "live.jsonl").read_bytes()
    assert (tmp_path / "replayed.jsonl").read_bytes() == live
    assert json.loads(live.splitlines()[0])["judge"]["sampling"] == "median; mean of 2"


def test_answers_that_were_bad_play_back_with_the_second_question_or_as_the_failure_that_they_were(
    online: Run, offline: Run, provider: Provider, tmp_path: Path
) -> None:
    script = ["wrong_schema", "wrong_schema", "refusal", "invalid_json", "empty", "truncated"]
    provider.set(script=script)
    assert online("anthropic:model-1").returncode == 1
    done = offline()
    live = (tmp_path / "live.jsonl").read_text()
    assert (done.returncode, (tmp_path / "replayed.jsonl").read_text()) == (1, live)
    failed = {record["failure"]["kind"] for record in map(json.loads, live.splitlines()) if "failure" in record}
    assert failed == {"refused", "empty", "truncated"}  # what did not fit was asked again
    assert len((tmp_path / "rec.jsonl").read_text().splitlines()) == 1 + 12 + 3


def test_a_request_that_was_not_recorded_ends_the_run_and_says_what_to_do(online: Run, offline: Run, example: Path, tmp_path: Path) -> None:
    assert online("openai:model-1", "--limit", "3").returncode == 0
    (tmp_path / "changed.jsonl").write_text(example.read_text().splitlines()[0].replace("Good morning", "Good evening") + "\n")
    for transcripts in (example, "changed.jsonl"):
        done = offline(transcripts)
        assert done.returncode == 2
        assert "the recording rec.jsonl has no answer to the request" in done.stderr
        assert "make a new one with --record" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "replayed.jsonl").exists()


def test_a_recording_is_continued_by_the_same_judge_and_by_no_other(online: Run, offline: Run, tmp_path: Path, provider: Provider) -> None:
    assert online("openai:model-1", "--limit", "5").returncode == 0
    first = (tmp_path / "rec.jsonl").read_text()
    assert online("openai:model-1").returncode == 0
    whole = (tmp_path / "rec.jsonl").read_text()
    assert whole.startswith(first) and len(whole.splitlines()) == 1 + 12
    assert offline().returncode == 0
    assert (tmp_path / "replayed.jsonl").read_bytes() == (tmp_path / "live.jsonl").read_bytes()
    asked = provider.asked()
    done = online("openai:model-2")
    assert done.returncode == 2
    assert "rec.jsonl is a recording of openai:model-1, not of openai:model-2; name another file with --record" in done.stderr
    assert (provider.asked(), (tmp_path / "rec.jsonl").read_text()) == (asked, whole)


HEAD = '{"recording": 1, "judge": "openai:model-1"}\n'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read the recording rec.jsonl: No such file"),
        ("", "rec.jsonl is empty: no recording; make one with --record"),
        ("hello\n", "rec.jsonl:1: not a line of a recording"),
        ('{"id": "a", "turns": []}\n', "rec.jsonl:1: not a line of a recording"),
        ("[1]\n", "rec.jsonl:1: not a line of a recording"),
        (HEAD + '{"key": "a", "who": "b"}\n', "rec.jsonl:2: not a line of a recording"),
        (HEAD + '{"key": "a", "reply": {"out', "rec.jsonl:2: not a line of a recording"),
        ('{"judge": "telepathy"}\n', "unknown judge 'telepathy'"),
        (HEAD, "has no answer to the request"),
        (b"\xff\xfe\x00", "rec.jsonl:1: not a line of a recording"),
    ],
)
def test_what_is_no_recording_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Callable[..., Transcript], content: str | bytes | None, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "rec.jsonl").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UsageProblem, match=re.escape(says)), Ledger(":memory:") as ledger:
        list(rate_all([said("A: Hello.")], make_judge("replay:rec.jsonl", load_rubric("collections")), ledger))


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("in.jsonl", "--record in.jsonl is one of the transcripts (in.jsonl); name another file with --record"),
        ("out.jsonl", "--record out.jsonl is what --out names; name another file with --record"),
        ("out.jsonl.rejects.jsonl", "--record out.jsonl.rejects.jsonl is the rejects file; name another file with --record"),
        ("led.db", "--record led.db is the ledger led.db; name another file with --record"),
        ("led.db-wal", "--record led.db-wal is the ledger led.db; name another file with --record"),
        ("notes.txt", "notes.txt:1: not a line of a recording"),
        (".", "the recording .: Is a directory"),
        ("no/such/folder/rec.jsonl", "cannot write the recording no/such/folder/rec.jsonl"),
    ],
)
def test_a_recording_is_written_over_nothing_else(
    judge: Run, provider: Provider, example: Path, tmp_path: Path, place: str, says: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(example.read_bytes())
    (tmp_path / "notes.txt").write_text("Call Lena.\n")
    where = ("--out", "out.jsonl", "--ledger", "led.db", "--record", place)
    done = judge("score", "in.jsonl", "--judge", "openai:model-1", *where, **provider.environ)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "notes.txt", "stdout", "stderr"}  # nothing was written
    assert (tmp_path / "in.jsonl").read_bytes() == example.read_bytes()
    assert (tmp_path / "notes.txt").read_text() == "Call Lena.\n"
    assert provider.asked() == 0


def test_replay_without_a_file_says_what_is_expected(judge: Run, example: Path) -> None:
    done = judge("score", example, "--judge", "replay")
    assert (done.returncode, "which file? Expected replay:FILE" in done.stderr) == (2, True)
