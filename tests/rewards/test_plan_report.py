"""What `judge score --plan` prints: requests, tokens, the price by the user's table, and the time at the rate limits; worked by hand."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests import warm

Json = dict[str, Any]
Run = Callable[..., CompletedProcess[str]]
OPENAI = "openai:gpt-6-sol"
PRICE = '[[price]]\nmodel = "{}"\ninput = {}\ncached = {}\nwritten = {}\noutput = {}\nbatch = {}\nas_of = 2026-11-01\n'


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…`; keyword arguments become environment variables, and there are no others, so no key."""
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(args))


@pytest.fixture
def plan(judge: Run) -> Callable[..., Json]:
    def run(*args: str) -> Json:
        done = judge("score", "in.jsonl", "--plan", "--json", *args)
        assert (done.returncode, done.stderr) == (0, "")
        return dict(json.loads(done.stdout))

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Write in.jsonl with so many dialogues of one agent turn."""

    def lines(count: int, *more: Json) -> None:
        dialogues = [{"id": f"d{k}", "turns": [{"role": "agent", "text": f"Hello, account {k}."}]} for k in range(count)]
        (tmp_path / "in.jsonl").write_text("".join(json.dumps(dialogue) + "\n" for dialogue in [*dialogues, *more]))

    return lines


def test_the_price_is_the_tokens_by_the_users_table(plan: Callable[..., Json], write: Callable[..., None], tmp_path: Path) -> None:
    write(4)
    (tmp_path / "mine.toml").write_text(PRICE.format("openai/gpt-6-*", 1000, 100, 1250, 5000, 0.25) + PRICE.format("*", 1, 1, 1, 1, 1))
    told = plan("--judge", OPENAI, "--prices", "mine.toml")
    total = told["total"]
    assert total["requests"] == 4
    assert total["output_tokens"] > 0 and 0 < total["cached_tokens"] < total["input_tokens"]
    fresh = total["input_tokens"] - total["cached_tokens"] - total["written_tokens"]
    kept = total["cached_tokens"] * 100 + total["written_tokens"] * 1250
    dollars = (fresh * 1000 + kept + total["output_tokens"] * 5000) / 1e6
    assert total["cost_usd"] == pytest.approx(dollars)
    assert told["batch_usd"] == pytest.approx((total["input_tokens"] * 1000 + total["output_tokens"] * 5000) / 1e6 / 4)


def test_a_table_is_named_by_file_variable_or_command_line(judge: Run, write: Callable[..., None], tmp_path: Path) -> None:
    write(1)
    for dollars in (1, 2, 3):
        (tmp_path / f"{dollars}.toml").write_text(PRICE.format("openai/gpt-6-sol", 0, 0, 0, dollars, 0.5))
    (tmp_path / "judge.toml").write_text('prices = "1.toml"\n')

    def price(*args: str, **environ: str) -> float:
        total = json.loads(judge("score", "in.jsonl", "--judge", OPENAI, "--plan", "--json", *args, **environ).stdout)["total"]
        return float(total["cost_usd"] / total["output_tokens"] * 1e6)

    assert price() == pytest.approx(1)
    assert price(JUDGE_PRICES="2.toml") == pytest.approx(2)
    assert price("--prices", "3.toml", JUDGE_PRICES="2.toml") == pytest.approx(3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read mine.toml"),
        ("[[price]]\nmodel = 'x'\nimput = 3\n", "mine.toml:3: unknown key 'price.0.imput' (did you mean 'input'?)"),
        (PRICE.format("x", -1, 1, 1, 1, 1), "mine.toml:3: 'price.0.input' is -1: input should be greater than or equal to 0"),
        (PRICE.format("x", 1, 1, 1, 1, 2), "mine.toml:7: 'price.0.batch' is 2: input should be less than or equal to 1"),
        (PRICE.format("x", 1, 1, 1, 1, 1).replace("2026-11-01", '"soon"'), "mine.toml:8: 'price.0.as_of' is 'soon'"),
    ],
)
def test_a_wrong_price_table_is_told_with_its_line(
    judge: Run, write: Callable[..., None], tmp_path: Path, text: str | None, says: str
) -> None:
    write(1)
    if text:
        (tmp_path / "mine.toml").write_text(text)
    done = judge("score", "in.jsonl", "--judge", OPENAI, "--plan", "--prices", "mine.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_price_that_is_not_known_is_said_in_words_and_is_not_zero(
    judge: Run, plan: Callable[..., Json], write: Callable[..., None]
) -> None:
    write(2)
    told = plan("--judge", "openai:gpt-9-unheard-of")
    assert (told["total"]["cost_usd"], told["batch_usd"], told["total"]["requests"]) == (None, None, 2)
    assert told["judges"]["openai/gpt-9-unheard-of"]["cost_usd"] is None
    lines = judge("score", "in.jsonl", "--plan", "--judge", "openai:gpt-9-unheard-of").stdout.splitlines()
    assert lines[1].startswith("openai/gpt-9-unheard-of: 2 requests, ")
    assert lines[1].endswith("; price not known: name a price table with --prices")


def test_the_price_of_a_panel_is_its_members_prices_and_unknown_where_one_is(
    plan: Callable[..., Json], write: Callable[..., None], tmp_path: Path
) -> None:
    write(3)
    for name, second in (("known", "anthropic:claude-sonnet-5-5"), ("unknown", "openai:gpt-9-unheard-of")):
        (tmp_path / f"{name}.toml").write_text(f'[[member]]\njudge = "{OPENAI}"\n[[member]]\njudge = "{second}"\n')
    known, unknown = plan("--judge", "panel:known.toml"), plan("--judge", "panel:unknown.toml")
    members = known["judges"]
    assert [part["requests"] for part in members.values()] == [3, 3]
    assert known["total"]["cost_usd"] == pytest.approx(sum(part["cost_usd"] for part in members.values()))
    assert known["batch_usd"] == pytest.approx(sum(part["batch_usd"] for part in members.values()))
    assert (unknown["total"]["cost_usd"], unknown["batch_usd"]) == (None, None)
    assert unknown["judges"]["openai/gpt-6-sol"]["cost_usd"] == pytest.approx(members["openai/gpt-6-sol"]["cost_usd"])


@pytest.mark.parametrize(
    ("args", "seconds"),
    [
        ([], lambda total: 100 * 3 / 32),
        (["--concurrency", "1"], lambda total: 300),
        (["--rpm", "60"], lambda total: 100),
        (["--rpm", "60000", "--concurrency", "10"], lambda total: 30),
        (["--tpm", "10000"], lambda total: (total["input_tokens"] + total["output_tokens"]) / 10_000 * 60),
        (["--tpm", "100000000", "--rpm", "10"], lambda total: 600),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_time_is_what_the_tightest_limit_allows(
    plan: Callable[..., Json], write: Callable[..., None], args: list[str], seconds: Callable[[Json], float]
) -> None:
    write(100)
    told = plan("--judge", OPENAI, *args)
    assert told["seconds"] == pytest.approx(seconds(told["total"]), abs=0.05)


@pytest.mark.parametrize(("rpm", "says"), [("60", "about 10 s ("), ("4", "about 2 min ("), ("0.0625", "about 2.7 h (")])
def test_the_time_is_told_in_units_one_can_read(judge: Run, write: Callable[..., None], rpm: str, says: str) -> None:
    write(10)
    last = judge("score", "in.jsonl", "--judge", OPENAI, "--plan", "--rpm", rpm, "--tpm", "90000000").stdout.splitlines()[-1]
    assert last.startswith(says)
    assert f"32 in flight at 3 s each, at most {rpm} requests a minute, at most 9e+07 tokens a minute" in last or "90,000,000" in last


def test_the_json_has_every_part_and_the_text_says_the_same(judge: Run, plan: Callable[..., Json], write: Callable[..., None]) -> None:
    write(2, {"id": "long", "turns": [{"role": "agent", "text": "word " * 60_000}]}, {"id": "none", "turns": []})
    told = plan("--judge", OPENAI)
    assert set(told) == {
        "dialogues",
        "rated",
        "rejected",
        "too_long",
        "answers_paid",
        "requests_under_way",
        "total",
        "batch_usd",
        "seconds",
        "judges",
    }
    usage = {"requests", "input_tokens", "cached_tokens", "written_tokens", "output_tokens", "cost_usd"}
    assert set(told["total"]) == usage
    assert {name: set(part) for name, part in told["judges"].items()} == {"openai/gpt-6-sol": usage | {"batch_usd"}}
    assert (told["dialogues"], told["rated"], told["rejected"], told["too_long"], told["total"]["requests"]) == (3, 0, 1, 1, 2)
    text = judge("score", "in.jsonl", "--judge", OPENAI, "--plan").stdout
    total = told["total"]
    assert "3 dialogues, 0 of them rated already; 1 rejected\n" in text
    assert "1 are too long for a request and will fail\n" in text
    assert f"{total['input_tokens']:,} input tokens ({total['cached_tokens']:,} from the prompt cache)" in text
    assert f"{total['output_tokens']:,} output tokens; ${total['cost_usd']:.4f}" in text
    assert f"at most ${told['batch_usd']:.4f} with --batch" in text


@pytest.mark.parametrize(("args", "dialogues"), [(["--judge", OPENAI, "--recipe", "outcome"], 0), (["--judge", "local"], 2)])
def test_where_no_model_is_asked_nothing_is_to_pay(
    plan: Callable[..., Json], write: Callable[..., None], args: list[str], dialogues: int
) -> None:
    write(2)
    told = plan(*args)
    assert (told["dialogues"], told["total"]["requests"], told["total"]["cost_usd"], told["seconds"]) == (dialogues, 0, 0, 0)


def test_limit_and_identical_dialogues_are_planned_as_they_are_rated(plan: Callable[..., Json], write: Callable[..., None]) -> None:
    write(3, {"id": "twin", "turns": [{"role": "agent", "text": "Hello, account 0."}]})
    assert plan("--judge", OPENAI)["total"]["requests"] == 3
    assert plan("--judge", OPENAI, "--limit", "2")["total"]["requests"] == 2
    assert plan("--judge", OPENAI, "--repeats", "2", "--escalate", "4")["total"]["requests"] == 6  # those that are asked in any case
