import json
import os
import random
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from golden_set.audit.book import AuditBook
from golden_set.audit.review import make_review
from golden_set.audit.sample import AuditItem, Purpose
from judge.ledger import Ledger
from tests import warm

ROOT = Path(__file__).parent.parent.parent.parent
EXAMPLES = ROOT / "examples" / "collections.jsonl"
Judge = Callable[..., CompletedProcess[str]]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("JUDGE_")}


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Run `judge ARGS…` in an empty folder; keyword arguments become environment variables."""
    return lambda *args, **environ: warm.run(tmp_path, ENVIRON | environ, [str(arg) for arg in args])


AGENT = ["Good morning, this is Lena.", "I'm sorry to hear that, Teresa. What could you manage?", "I need the full $1,150 today."]
AGENT += ["That's not my problem.", "Thank you, I will email the plan.", "We will have you arrested if you do not pay today."]
USER = ["I lost my job.", "I can send 40 a month from card 4111 1111 1111 1111.", "Call me at 212-555-0187.", "Goodbye."]
WORDS = ["estimate", "hunt", "flagged", "stratum"]
OUTCOMES = ["PAYMENT_SECURED", "PAYMENT_PLAN_AGREED", "CALLBACK_SCHEDULED", "HANGUP", "ESCALATED"]


def write_log(path: Path, count: int = 300) -> None:
    rng = random.Random(3)
    lines = []
    for at in range(count):
        turns = []
        for turn in range(rng.randint(2, 4)):
            turns.append({"role": "agent", "text": f"{rng.choices(AGENT, [4, 4, 2, 2, 4, 0.3])[0]} {at}.{turn}", "action": "PROCEED_XQ"})
            turns.append({"role": "user", "text": rng.choice(USER)})
        meta = {"policy": f"secretpolicy{at % 2}", "customer": {"name": "Teresa Moyo"}}
        lines.append(json.dumps({"id": f"hidden-id-{at}", "turns": turns, "outcome": rng.choice(OUTCOMES), "meta": meta}))
    path.write_text("\n".join(lines) + "\n")


def stored(folder: Path, name: str | None = None) -> tuple[AuditBook, list[AuditItem]]:
    book = AuditBook(Ledger(folder / "judge-ledger.db"))
    return book, list(book.items(book.sample(name).name).values())


def every_text(path: Path) -> str:
    """Return all that a file says, unpacked."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as packed:
            return "".join(packed.read(name).decode() for name in packed.namelist())
    return path.read_text(encoding="utf-8-sig")


def test_the_examples_are_drawn_whole(judge: Judge, tmp_path: Path) -> None:
    assert judge("score", EXAMPLES).returncode == 0
    done = judge("audit", "draw", EXAMPLES, "--seed", "1", "--day", "2026-11-21", "--forms", "csv")
    assert done.returncode == 0, done.stderr
    assert "12 scored episodes to draw from; left out: 0 without a verdict, 0 rejected" in done.stdout
    assert "12 drawn of 120 asked for (all there are)" in done.stdout
    assert "seed 1\naudit 2026-11\nwritten: audit/2026-11/2026-11.review-1.csv" in done.stdout
    assert "give review-1 to one person, review-2 to another" in done.stdout
    _, items = stored(tmp_path)
    assert len(items) == 12
    assert {item.inclusion for item in items} == {1.0}
    assert sum(item.twice for item in items) == 3
    assert next(line for line in done.stdout.splitlines() if line.startswith("  flagged")).split() == ["flagged", "3", "3", "1.0000"]
    again = judge("audit", "draw", EXAMPLES, "--day", "2026-11-22", "--forms", "csv", "--json")
    assert json.loads(again.stdout)["audit"] == "2026-11-b"
    assert AuditBook(Ledger(tmp_path / "judge-ledger.db")).names() == ["2026-11", "2026-11-b"]


def test_a_log_is_drawn_and_the_forms_are_blind(judge: Judge, tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl")
    (tmp_path / "unscored.jsonl").write_text(
        '{"id": "late", "turns": [{"role": "agent", "text": "hello"}], "outcome": "HANGUP"}\n{"id": 3}\n'
    )
    assert judge("score", "log.jsonl").returncode == 0
    args = ["audit", "draw", "log.jsonl", "unscored.jsonl", "--n", "60", "--name", "first", "--seed", "7", "--forms", "all"]
    plan = judge(*args, "--plan", "--json")
    assert plan.returncode == 0, plan.stderr
    assert not (tmp_path / "audit").exists()
    with sqlite3.connect(tmp_path / "judge-ledger.db") as ledger:
        assert not ledger.execute("select name from sqlite_master where name like 'audit%'").fetchall()
    done = judge(*args, "--json")
    told = json.loads(done.stdout)
    assert "unscored.jsonl:2: " in done.stderr
    assert (told["unscored"], told["rejects"], told["framed"], told["drawn"], told["hunted"]) == (1, 1, 300, 60, 20)
    assert told["twice"] == 15
    assert told["strata"] == json.loads(plan.stdout)["strata"]
    assert sum(stratum["drawn"] for stratum in told["strata"]) == 60
    book, items = stored(tmp_path)
    sample, frame = book.sample(), list(book.frame("first"))
    assert len(frame) == 300
    assert {made.slices[1] for made in frame} == {"policy:secretpolicy0", "policy:secretpolicy1"}
    assert sum(item.purpose is Purpose.HUNT for item in items) == 20
    for item in items:
        its = next(stratum for stratum in sample.strata if stratum.name == item.framed.stratum)
        assert item.inclusion == (None if item.purpose is Purpose.HUNT else its.inclusion)
    # What people get says what was said, and nothing of who said it, what came of it, what the judge found, or why they are asked.
    files = [tmp_path / path for path in told["written"]]
    assert {path.suffix for path in files} >= {".html", ".csv", ".xlsx", ".json"}
    hidden = ["hidden-id", "secretpolicy", "PROCEED_XQ", "Teresa", "Moyo", "4111 1111", "555-0187", *WORDS]
    hidden += OUTCOMES
    hidden += [made.content_hash for made in frame]
    hidden += [stratum.name for stratum in sample.strata] + [item.why for item in items if item.why]
    ratings = [rating for item in items for turn in item.verdict.turns for rating in turn.ratings.values()]
    ratings += [rating for item in items for rating in item.verdict.episode.values()]
    hidden += [str(rating.value) for rating in ratings if len(str(rating.value)) > 6]
    hidden += list({rating.reason for rating in ratings if len(rating.reason) > 12})
    shown = {path: every_text(path) for path in files}
    for path, text in shown.items():
        # A level's sentence may be a reason's, too, or a word of the page's own: what the form would say of any sample is no secret.
        said = [secret for secret in hidden if secret in text]
        assert [secret for secret in said if not everywhere(secret, sample.rubric.model_dump_json(), path)] == [], path
    first = next(text for path, text in shown.items() if path.name == "first.review-1.csv")
    second = next(text for path, text in shown.items() if path.name == "first.review-2.csv")
    for item in items:
        assert f",{item.item}," in first
        assert item.shown.turns[0].text in first
        assert (f",{item.item}," in second) == item.twice
    assert "$1,150" in first
    assert len(make_review(sample, items, 2).outcomes) == 15


def everywhere(secret: str, rubric: str, path: Path) -> bool:
    """Say whether a word is one that the page itself has, in its script and its instructions."""
    return secret in rubric or (path.suffix == ".html" and secret in WORDS)


def test_the_same_seed_draws_the_same_sample(judge: Judge, tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", 60)
    assert judge("score", "log.jsonl").returncode == 0
    drawn = {}
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        done = judge(
            "audit", "draw", "log.jsonl", "--n", "20", "--hunt", "5", "--name", name, "--seed", str(seed), "--forms", "csv", "--json"
        )
        assert done.returncode == 0, done.stderr
        drawn[name] = [(item.item, item.framed.id, item.twice) for item in stored(tmp_path, name)[1]]
    assert drawn["a"] == drawn["b"] != drawn["c"]
    free = json.loads(judge("audit", "draw", "log.jsonl", "--n", "20", "--plan", "--json").stdout)["seed"]
    assert free not in (5, 6)  # a new one, but once in a thousand million


def test_forms_are_written_again_and_never_over_answers(judge: Judge, tmp_path: Path) -> None:
    judge("score", EXAMPLES)
    judge("audit", "draw", EXAMPLES, "--name", "x", "--forms", "csv")
    answered = tmp_path / "audit/x/x.review-1.csv"
    answered.write_text("filled in")
    (tmp_path / "audit/x/x.review-2.csv").unlink()
    done = judge("audit", "forms", "--audit", "x", "--forms", "csv,label-studio", "--json")
    told = json.loads(done.stdout)
    assert "audit/x/x.review-1.csv" in told["kept"]
    assert "audit/x/x.review-2.csv" in told["written"]
    assert answered.read_text() == "filled in"
    assert any("label-studio" in path for path in told["written"])
    elsewhere = judge("audit", "forms", "--forms", "csv", "--out", "again")
    assert "written: again/x.review-1.csv" in elsewhere.stdout
    refused = judge("audit", "forms", "--audit", "y")
    assert refused.returncode == 2
    assert "no audit 'y'" in refused.stderr


def test_a_sample_that_is_stored_survives_a_folder_that_fails(judge: Judge, tmp_path: Path) -> None:
    judge("score", EXAMPLES)
    (tmp_path / "audit").write_text("a file")
    done = judge("audit", "draw", EXAMPLES, "--name", "x", "--forms", "csv")
    assert done.returncode == 2
    assert "cannot write to audit/x" in done.stderr
    assert AuditBook(Ledger(tmp_path / "judge-ledger.db")).names() == []  # seen before anything was kept


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["-"], "cannot draw from stdin (-): the transcripts are read twice"),
        (["nothing.jsonl"], "cannot read nothing.jsonl: no such file"),
        (["log.jsonl", "--forms", "pdf"], "unknown form 'pdf'; installed: argilla, csv, html, label-studio, xlsx"),
        (["log.jsonl", "--forms", "cvs"], "unknown form 'cvs' (did you mean 'csv'?)"),
        (["log.jsonl", "--forms", ","], "--forms is ','; expected some of"),
        (["log.jsonl", "--region", "UK"], "--region is 'UK'"),
        (["log.jsonl", "--name", "../x"], "--name is '../x'; expected up to 64 letters"),
        (["log.jsonl", "--strata", "outcome,polcy"], "no episode has 'polcy' in its meta (did you mean 'policy'?)"),
        (["log.jsonl", "--slice", "nothing"], "no episode has 'nothing' in its meta"),
        (["log.jsonl", "--slice", "policy", "--slice", "customer_name"], "--slice has 'customer_name', a key that identifies a person"),
        (["log.jsonl", "--strata", "outcome,zipCode"], "--strata has 'zipCode', a key that identifies a person: its values would stand"),
        (["log.jsonl", "--slice", "customer_name", "--no-mask"], "no episode has 'customer_name' in its meta"),
        (["log.jsonl", "--slice", "customer_segment"], "no episode has 'customer_segment' in its meta"),
        (["log.jsonl", "--ledger", "other.db"], "no ledger other.db: run `judge score` first"),
        (["log.jsonl", "--day", "today"], "--day is 'today'"),
        (["log.jsonl", "--rubric", "sales", "--rare", "5"], "run `judge score` first"),
        (["log.jsonl", "--rubric", "support", "--rare", "5"], "--rare is 5, but no criterion of the rubric 'support' is critical"),
        (["log.jsonl", "--repeats", "2"], "none of 12 episodes has a verdict by local/cues-1 on"),
        (["log.jsonl", "--recipe", "nonsense"], "nonsense"),
        (["log.jsonl", "--n", "3"], "Invalid value for '--n'"),
        (["log.jsonl", "--double", "1.5"], "Invalid value for '--double'"),
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_kept(scored: Path, args: list[str], told: str) -> None:
    done = warm.run(scored, ENVIRON, ["audit", "draw", *args])
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert not list(scored.glob("audit/*/*"))
    assert not (scored / "other.db").exists()


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    (folder / "log.jsonl").write_bytes(EXAMPLES.read_bytes())
    assert warm.run(folder, ENVIRON, ["score", "log.jsonl"]).returncode == 0
    return folder


def test_a_folder_with_forms_of_that_name_is_refused(judge: Judge, tmp_path: Path) -> None:
    judge("score", EXAMPLES)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/x.review-1.csv").write_text("filled in")
    done = judge("audit", "draw", EXAMPLES, "--name", "x", "--out", "mine", "--forms", "csv")
    assert done.returncode == 2
    assert "mine has forms of an audit 'x' already (x.review-1.csv)" in done.stderr
    judge("audit", "draw", EXAMPLES, "--name", "x", "--forms", "csv")
    assert "there is an audit 'x' already" in judge("audit", "draw", EXAMPLES, "--name", "x", "--forms", "csv").stderr


def test_settings_hold_and_masking_can_be_left_out(judge: Judge, tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", 40)
    judge("score", "log.jsonl", JUDGE_LEDGER="elsewhere.db")
    done = judge("audit", "draw", "log.jsonl", "--no-mask", "--forms", "csv", "--name", "x", JUDGE_LEDGER="elsewhere.db")
    assert done.returncode == 0, done.stderr
    assert "personal data is NOT masked" in done.stdout
    assert "4111 1111 1111 1111" in (tmp_path / "audit/x/x.review-1.csv").read_text(encoding="utf-8-sig")
    assert not AuditBook(Ledger(tmp_path / "elsewhere.db")).sample().masked
