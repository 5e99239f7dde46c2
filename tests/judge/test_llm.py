"""Judges that ask a language model, against the fake provider: every wire format, every fault, what is asked, paid and kept."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dialogue import Transcript
from dialogue.errors import UsageProblem
from dialogue.reading import Reading
from dialogue.transcript import Role, Turn
from judge import Judge, JudgeFailure, Ledger, Rubric, Verdict, gate, load_rubric, make_judge
from judge.batch import rate_all
from judge.contract import Terms
from judge.ledger import Answer
from judge.llm import LLMJudge
from judge.meter import Meter
from judge.panel import Panel
from judge.pooling import Repeats, pooled, undecided
from judge.rubric import LevelsShown, Marks, shipped_rubrics
from judge.verdict import FailureKind, Rating, misfit
from tests.provider import KEY, VENDORS, Provider

RUBRIC = load_rubric("collections")
CHATS = {
    "openai": "openai:model-1",
    "openai-chat": "openai:model-1?api=chat",
    "anthropic": "anthropic:model-1",
    "compatible": "compatible:model-1@{url}/v1",
}
FORMS = CHATS | {"openai-decisions": "openai-decisions:model-1"}
PATHS = {
    "openai": "/v1/responses",
    "openai-chat": "/v1/chat/completions",
    "openai-decisions": "/v1/decisions",
    "anthropic": "/v1/messages",
    "compatible": "/v1/chat/completions",
}


@dataclass(frozen=True)
class Asked:
    """What came of a run."""

    judge: Judge
    answers: list[Answer]
    meter: Meter

    @property
    def verdicts(self) -> list[Verdict]:
        assert [(answer.kind, answer.detail) for answer in self.answers if isinstance(answer, JudgeFailure)] == []
        return [answer for answer in self.answers if isinstance(answer, Verdict)]

    @property
    def failures(self) -> list[JudgeFailure]:
        assert not [answer for answer in self.answers if isinstance(answer, Verdict)]
        return [answer for answer in self.answers if isinstance(answer, JudgeFailure)]


Ask = Callable[..., Asked]


@pytest.fixture
def ask(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Rate dialogues by a judge that asks the fake provider; keyword arguments are terms. Back-off is short."""
    for name in os.environ:
        if name.startswith(VENDORS):
            monkeypatch.delenv(name)
    for name, value in provider.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(gate, "FIRST_DELAY", 0.01)

    def run(
        spec: str,
        dialogues: list[Transcript],
        *,
        rubric: Rubric = RUBRIC,
        ledger: Ledger | None = None,
        repeats: Repeats | None = None,
        **terms: Any,
    ) -> Asked:
        kept = Terms(**terms)
        judge = make_judge(spec.format(url=provider.url), rubric, kept)
        book = ledger or Ledger(":memory:")
        try:
            return Asked(judge, [answer for _, answer in rate_all(dialogues, judge, book, repeats=repeats)], kept.meter)
        finally:
            if ledger is None:
                book.close()

    return run


@pytest.fixture
def examples(root: Path) -> list[Transcript]:
    return [found.transcript for found in Reading([str(root / "examples/collections.jsonl")], format=None, on_reject=print)]


@pytest.fixture
def turn_by_turn(tmp_path: Path) -> Rubric:
    """The rubric `collections` as somebody would copy it who wants no hindsight."""
    text = shipped_rubrics()["collections"].read_text(encoding="utf-8")
    path = tmp_path / "turn_by_turn.toml"
    path.write_text(text.replace('name = "collections"', 'name = "collections"\nunit = "turn"', 1), encoding="utf-8")
    return load_rubric(path)


def made_up(number: int, rounds: int = 6) -> Transcript:
    """Return a dialogue whose turns are all different: turn k of dialogue n says `mark-n-k.`."""
    turns = []
    for k in range(rounds):
        offer = f"mark-{number}-{2 * k}. This is about account {number}: would ${20 + number + k} on the {k + 1}th of each month suit you?"
        reply = f"mark-{number}-{2 * k + 1}. I lost my job {k + 2} weeks ago, so {number + k} dollars are hard for me."
        turns += [Turn(role=Role.AGENT, text=offer), Turn(role=Role.USER, text=reply)]
    return Transcript(id=f"d{number}", turns=tuple(turns))


def ratings_of(verdict: Verdict) -> list[Rating]:
    return [rating for turn in verdict.turns for rating in turn.ratings.values()] + list(verdict.episode.values())


def values_of(verdict: Verdict) -> list[float]:
    return [rating.value for rating in ratings_of(verdict)]


@pytest.mark.parametrize("form", CHATS)
def test_every_chat_model_answers_letters_and_levels_that_are_shown_best_first(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str
) -> None:
    provider.set(keep_bodies=True)
    seen = set()
    for update in ({"marks": Marks.LETTERS}, {"levels_shown": LevelsShown.BEST_FIRST}):
        rubric = RUBRIC.model_copy(update=update)
        asked = ask(CHATS[form], examples[:4], rubric=rubric)
        assert [misfit(verdict, rubric, transcript) for verdict, transcript in zip(asked.verdicts, examples, strict=False)] == [None] * 4
        assert len({tuple(values_of(verdict)) for verdict in asked.verdicts}) == 4
        seen.add(asked.judge.id.key)
    assert len(seen) == 2
    told = json.dumps(provider.bodies()[0])
    assert "E: Takes up the specifics" in told
    assert "then the letter of one level" in told


@pytest.mark.parametrize("form", ["openai", "openai-chat", "compatible"])
def test_letters_are_weighted_by_what_the_model_held_possible(ask: Ask, examples: list[Transcript], form: str) -> None:
    spec = CHATS[form] + ("&" if "?" in CHATS[form] else "?") + "logprobs=true"
    numbers = ask(spec, examples[:3])
    letters = ask(spec, examples[:3], rubric=RUBRIC.model_copy(update={"marks": Marks.LETTERS}))
    # The fake model chooses by its options' places, and is as sure of a letter as of the number in its place.
    assert [values_of(verdict) for verdict in letters.verdicts] == [pytest.approx(values_of(verdict)) for verdict in numbers.verdicts]
    assert all(rating.spread for verdict in letters.verdicts for rating in ratings_of(verdict))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_rates_every_turn_and_the_episode(provider: Provider, ask: Ask, examples: list[Transcript], form: str) -> None:
    asked = ask(FORMS[form], examples)
    assert [misfit(verdict, RUBRIC, transcript) for verdict, transcript in zip(asked.verdicts, examples, strict=True)] == [None] * 12
    assert len({tuple(values_of(verdict)) for verdict in asked.verdicts}) == 12
    assert all(verdict.judge == asked.judge.id and verdict.judge.model == "model-1" for verdict in asked.verdicts)
    assert all(rating.reason for verdict in asked.verdicts for rating in ratings_of(verdict))
    stats = provider.stats()
    assert stats["requests"] == {"total": 12, f"POST {PATHS[form]}": 12}
    assert asked.meter.spent == sum((verdict.usage for verdict in asked.verdicts), start=type(asked.meter.spent)())
    counted = (stats["input_tokens"], stats["cached_tokens"], stats["written_tokens"], stats["output_tokens"])
    spent = asked.meter.spent
    assert (spent.input_tokens, spent.cached_tokens, spent.written_tokens, spent.output_tokens) == counted
    assert (spent.requests, asked.meter.failed) == (12, 0)


@pytest.mark.parametrize("form", CHATS)
def test_quotes_stand_in_the_turns_that_they_are_of(ask: Ask, examples: list[Transcript], form: str) -> None:
    for verdict, transcript in zip(ask(CHATS[form], examples).verdicts, examples, strict=True):
        for turn in verdict.turns:
            for rating in turn.ratings.values():
                assert rating.quote and rating.quote in transcript.turns[turn.turn].text
                assert (rating.quote_turn, rating.spread) == (turn.turn, None)


@pytest.mark.parametrize("form", FORMS)
def test_turn_by_turn_no_request_shows_what_came_later(provider: Provider, ask: Ask, turn_by_turn: Rubric, form: str) -> None:
    provider.set(keep_bodies=True)
    dialogues = [made_up(number, rounds=3) for number in range(4)]
    asked = ask(FORMS[form], dialogues, rubric=turn_by_turn)
    assert [misfit(verdict, RUBRIC, transcript) for verdict, transcript in zip(asked.verdicts, dialogues, strict=True)] == [None] * 4
    assert [verdict.usage.requests for verdict in asked.verdicts] == [4] * 4
    shown: dict[str, list[list[int]]] = {}
    for body in provider.bodies():
        marks = re.findall(r"mark-(\d+)-(\d+)\.", json.dumps(body))
        (number,) = {number for number, _ in marks}
        shown.setdefault(number, []).append([int(turn) for _, turn in marks])
    once = [[0], [0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]]  # each agent turn with what came before it, then all for the episode
    assert shown == {str(number): once for number in range(4)}


@pytest.mark.parametrize("form", ["openai", "openai-chat", "anthropic"])
def test_turn_by_turn_most_of_what_is_shown_again_comes_from_the_prompt_cache(
    provider: Provider, ask: Ask, turn_by_turn: Rubric, form: str, record_property: Callable[[str, object], None]
) -> None:
    provider.set(latency=0.02)
    dialogues = [made_up(number) for number in range(40)]
    asked = ask(FORMS[form], dialogues, rubric=turn_by_turn)
    assert len(asked.verdicts) == 40
    assert isinstance(asked.judge, LLMJudge)
    requests = [question.content for dialogue in dialogues for step in asked.judge.questions(dialogue) for question in step]
    known_before = sum(len("".join((request.system, *request.blocks[:-1]))) // 4 for request in requests)  # tokens, as the provider counts
    spent = asked.meter.spent
    record_property("share of the prefix", spent.cached_tokens / known_before)
    record_property("share of all input", spent.cached_tokens / spent.input_tokens)
    assert spent.requests == 40 * 7
    assert spent.cached_tokens / known_before >= 0.7
    assert spent.cached_tokens / spent.input_tokens >= 0.65


TEXT_FAULTS = [
    (["refusal"], FailureKind.REFUSED),
    (["empty"], FailureKind.EMPTY),
    (["truncated"], FailureKind.TRUNCATED),
    (["wrong_schema", "wrong_schema"], FailureKind.MALFORMED),
    (["invalid_json", "invalid_json"], FailureKind.MALFORMED),
    (["invalid_json", "refusal"], FailureKind.REFUSED),
]
DECISION_FAULTS = [
    (["refusal"], FailureKind.REFUSED),
    (["empty"], FailureKind.MALFORMED),
    (["truncated"], FailureKind.MALFORMED),
    (["wrong_schema"], FailureKind.MALFORMED),
]


@pytest.mark.parametrize("form", FORMS)
def test_a_bad_answer_is_a_failure_of_its_own_kind_that_was_paid_for_and_is_asked_again_by_the_next_run(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str
) -> None:
    table = TEXT_FAULTS if form in CHATS else DECISION_FAULTS
    with Ledger(":memory:") as ledger:
        for transcript, (script, kind) in zip(examples, table, strict=False):
            before = provider.asked()
            provider.set(script=script)
            asked = ask(FORMS[form], [transcript], ledger=ledger)
            (failure,) = asked.failures
            assert (failure.kind, failure.usage.requests, provider.asked() - before) == (kind, len(script), len(script))
            assert failure.usage == asked.meter.spent and failure.usage.input_tokens
            assert failure.detail
        before = provider.asked()
        assert len(ask(FORMS[form], examples[: len(table)], ledger=ledger).verdicts) == len(table)
        assert provider.asked() - before == len(table)


@pytest.mark.parametrize(("form", "fault"), [("openai", "wrong_schema"), *((form, "invalid_json") for form in CHATS)])
def test_a_malformed_answer_is_shown_to_the_model_once_with_what_is_wrong(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str, fault: str
) -> None:
    provider.set(keep_bodies=True)
    times = 4 if fault == "wrong_schema" else 1  # it comes in four ways in turn
    for at, transcript in enumerate(examples[:times]):
        provider.set(script=[fault])
        (verdict,) = ask(CHATS[form], [transcript]).verdicts
        assert misfit(verdict, RUBRIC, transcript) is None
        assert verdict.usage.requests == 2
        first, second = (body.get("input") or body["messages"] for body in provider.bodies()[2 * at :])
        assert len(second) == len(first) + 2
        assert (second[-2]["role"], second[-1]["role"]) == ("assistant", "user")
        assert second[-2]["content"].startswith("{")  # what it had said
        wrong = {"wrong_schema": r"t9999|99, expected|without|is given twice", "invalid_json": r"not JSON|no JSON object"}[fault]
        assert re.search(rf"^That is not what was asked for: .*({wrong})", second[-1]["content"])
    assert provider.stats()["faults"] == {fault: times}


def test_another_model_in_the_middle_of_a_run_is_a_failure_that_names_both(
    provider: Provider, ask: Ask, examples: list[Transcript]
) -> None:
    provider.set(script=["ok", "wrong_model", "ok"])
    answers = ask("openai:model-1", examples[:3], concurrency=1).answers
    assert [getattr(answer, "kind", None) for answer in answers] == [None, FailureKind.WRONG_MODEL, None]
    assert isinstance(answers[1], JudgeFailure)
    assert answers[1].detail == "asked 'model-1', but 'someone-else-1' answered"


@pytest.mark.parametrize("form", FORMS)
def test_another_model_from_the_start_ends_the_run_unless_its_name_was_expected(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str
) -> None:
    provider.set(wrong_model=1.0)
    with pytest.raises(UsageProblem, match=r"answers as 'someone-else-1', not as 'model-1'.*\?echo=someone-else-1"):
        ask(FORMS[form], examples)
    spec = FORMS[form] + ("&" if "?" in FORMS[form] else "?") + "echo=someone-else-1"
    asked = ask(spec, examples[:2])
    assert {verdict.judge.model for verdict in asked.verdicts} == {"someone-else-1"}


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_key_ends_the_run_and_is_not_told(provider: Provider, ask: Ask, examples: list[Transcript], form: str) -> None:
    provider.set(key="sk-another-key")
    with pytest.raises(UsageProblem, match=r"status 401.*check the key") as caught:
        ask(FORMS[form], examples)
    assert KEY not in str(caught.value) and KEY[8:20] not in str(caught.value)
    assert provider.stats()["statuses"] == {"401": provider.asked()}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("openai:model-1", "OPENAI_BASE_URL"),
        ("openai-decisions:model-1", "OPENAI_BASE_URL"),
        ("anthropic:model-1", "ANTHROPIC_BASE_URL"),
        ("compatible:model-1@{url}/nowhere", ""),
    ],
)
def test_a_wrong_address_ends_the_run(
    provider: Provider, ask: Ask, examples: list[Transcript], monkeypatch: pytest.MonkeyPatch, spec: str, name: str
) -> None:
    if name:
        monkeypatch.setenv(name, f"{provider.url}/nowhere")
    with pytest.raises(UsageProblem, match=r"status 404.*check the model's name and the server's address"):
        ask(spec, examples)


@pytest.mark.parametrize("form", FORMS)
def test_another_model_at_the_start_is_not_remembered_by_the_next_run(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str
) -> None:
    provider.set(script=["wrong_model"])
    with Ledger(":memory:") as ledger:
        with pytest.raises(UsageProblem, match="someone-else-1"):
            ask(FORMS[form], examples[:1], ledger=ledger)
        assert len(ask(FORMS[form], examples[:1], ledger=ledger).verdicts) == 1
    assert provider.asked() == 2


@pytest.mark.parametrize(
    ("spec", "rejects", "notes"),
    [
        ("openai:model-1?temperature=0", ["temperature"], ["openai/model-1 does not take temperature: asked without"]),
        ("openai:model-1?effort=low", ["reasoning"], ["openai/model-1 does not take effort: asked without"]),
        ("openai:model-1", ["prompt_cache_options"], ["openai/model-1 does not take cache marks: asked without"]),
        ("openai:model-1", ["prompt_cache_key"], ["openai/model-1 does not take cache key: asked without"]),
        ("openai:model-1", ["text.format"], ["openai/model-1 does not take a JSON schema"]),
        ("openai:model-1?logprobs=true", ["top_logprobs"], ["openai/model-1 does not take logprobs: asked without"]),
        ("openai:model-1?api=chat", ["response_format"], ["does not take a JSON schema", "does not take a JSON format"]),
        ("openai:model-1?api=chat", ["response_format.json_schema"], ["does not take a JSON schema"]),
        ("openai:model-1?api=chat&temperature=0", ["prompt_cache_options", "temperature"], ["cache marks", "temperature"]),
        ("openai-decisions:model-1", ["prompt_cache_options"], ["openai-decisions/model-1 does not take cache marks"]),
        ("anthropic:model-1", ["output_config"], ["anthropic/model-1 does not take a JSON schema"]),
        ("anthropic:model-1?effort=low", ["output_config.effort"], ["anthropic/model-1 does not take effort"]),
        ("compatible:model-1@{url}/v1?logprobs=true", ["logprobs"], ["compatible/model-1 does not take logprobs"]),
        ("compatible:model-1@{url}/v1", ["response_format"], ["does not take a JSON schema", "does not take a JSON format"]),
    ],
)
def test_a_parameter_that_the_server_refuses_is_left_out_and_told(
    provider: Provider, ask: Ask, examples: list[Transcript], spec: str, rejects: list[str], notes: list[str]
) -> None:
    provider.set(rejects=rejects, keep_bodies=True)
    asked = ask(spec, examples[:3], concurrency=1)
    assert [misfit(verdict, RUBRIC, transcript) for verdict, transcript in zip(asked.verdicts, examples[:3], strict=True)] == [None] * 3
    assert len(asked.meter.notes) == len(notes)
    assert all(said in note for said, note in zip(notes, asked.meter.notes, strict=True))
    assert provider.asked() == 3 + len(notes)  # learnt once for the run
    if "does not take a JSON schema" in " ".join(notes):
        assert '"properties' in json.dumps(provider.bodies()[-1]).replace("\\", "")  # then the schema stands in the words


@pytest.mark.parametrize(
    ("form", "options", "rejects", "notes"),
    [
        ("openai", "?temperature=0", ["temperature"], 1),
        ("openai", "", ["prompt_cache_options", "prompt_cache_key"], 2),
        ("openai-chat", "", ["response_format.json_schema"], 1),
        ("anthropic", "?effort=low", ["output_config.effort"], 1),
        ("anthropic", "", ["output_config"], 1),
        ("compatible", "", ["response_format"], 2),
        ("openai-decisions", "", ["prompt_cache_options"], 1),
    ],
)
def test_many_requests_in_flight_that_are_refused_for_the_same_parameter_are_all_asked_without_it(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str, options: str, rejects: list[str], notes: int
) -> None:
    provider.set(rejects=rejects, latency=0.02)
    asked = ask(FORMS[form] + options, examples)
    assert (len(asked.verdicts), len(asked.meter.notes)) == (12, notes)


def test_a_request_that_is_refused_for_no_parameter_of_ours_is_a_failure(provider: Provider, ask: Ask, examples: list[Transcript]) -> None:
    provider.set(rejects=["model"])
    (failure,) = ask("openai:model-1", examples[:1]).failures
    assert (failure.kind, provider.asked()) == (FailureKind.REJECTED, 1)
    assert "status 400" in failure.detail and "'model'" in failure.detail


PASSING = {
    "rate_limit": FailureKind.RATE_LIMITED,
    "overloaded": FailureKind.SERVER_ERROR,
    "server_error": FailureKind.SERVER_ERROR,
    "bad_gateway": FailureKind.SERVER_ERROR,
    "reset": FailureKind.UNREACHABLE,
    "cut_stream": FailureKind.UNREACHABLE,
    "hang": FailureKind.TIMED_OUT,
    "slow": FailureKind.TIMED_OUT,
}


@pytest.mark.parametrize("form", FORMS)
def test_trouble_that_passes_costs_a_retry_and_nothing_else(provider: Provider, ask: Ask, examples: list[Transcript], form: str) -> None:
    provider.set(script=list(PASSING), retry_after=0.05)
    asked = ask(FORMS[form], examples[: len(PASSING)], timeout=1.0)
    assert len(asked.verdicts) == len(PASSING)
    assert (provider.asked(), asked.meter.failed, asked.meter.spent.requests) == (2 * len(PASSING), len(PASSING), len(PASSING))
    assert provider.stats()["faults"] == dict.fromkeys(PASSING, 1)


@pytest.mark.parametrize("form", ["openai", "anthropic", "openai-decisions"])
def test_without_retries_every_trouble_is_a_failure_of_its_own_kind(
    provider: Provider, ask: Ask, examples: list[Transcript], form: str
) -> None:
    told = {}
    for fault in PASSING:
        provider.set(script=[fault])
        (failure,) = ask(FORMS[form], examples[:1], timeout=0.25 if fault in ("hang", "slow") else 10, max_retries=0).failures
        told[fault] = failure.kind
        assert failure.usage.requests == 0  # it brought no answer
        assert "<html>" not in failure.detail.split(":")[0]
    assert told == PASSING
    assert provider.asked() == len(PASSING)


def test_a_server_that_is_not_there_is_told_after_all_retries(ask: Ask, examples: list[Transcript]) -> None:
    (failure,) = ask("compatible:model-1@http://127.0.0.1:9/v1", examples[:1], max_retries=2).failures
    assert failure.kind is FailureKind.UNREACHABLE
    assert failure.detail.endswith("(3 times)")


@pytest.mark.parametrize("form", ["openai", "openai-chat", "compatible"])
def test_log_probabilities_make_ratings_means_with_a_spread(ask: Ask, examples: list[Transcript], form: str) -> None:
    spec = FORMS[form] + ("&" if "?" in FORMS[form] else "?") + "logprobs=true"
    plain, weighed = ask(FORMS[form], examples[:3]).verdicts, ask(spec, examples[:3]).verdicts
    moved = 0
    for verdict, without, transcript in zip(weighed, plain, examples[:3], strict=True):
        assert misfit(verdict, RUBRIC, transcript) is None
        assert verdict.judge != without.judge
        for rating, chosen in zip(ratings_of(verdict), ratings_of(without), strict=True):
            assert (rating.reason, chosen.spread) == (chosen.reason, None)
            assert rating.spread is not None and rating.spread > 0
            assert abs(rating.value - chosen.value) < 0.75
            moved += rating.value != chosen.value  # all but the middle of a scale are drawn towards it
    assert moved > sum(len(values_of(verdict)) for verdict in plain) / 2


def test_a_decision_model_gives_a_spread_and_names_the_likeliest_level(ask: Ask, examples: list[Transcript]) -> None:
    for verdict in ask("openai-decisions:model-1", examples[:3]).verdicts:
        for turn in verdict.turns:
            for name, rating in turn.ratings.items():
                levels = next(criterion.levels for criterion in RUBRIC.turn_criteria if criterion.name == name)
                assert rating.spread is not None and rating.spread > 0
                assert any(rating.reason.startswith(level) for level in levels) and rating.reason.endswith("% likely)")


def test_repeats_are_pooled_under_a_judge_that_says_so_and_more_repeats_ask_only_the_new_ones(
    provider: Provider, ask: Ask, examples: list[Transcript]
) -> None:
    provider.set(noise=1.0)
    with Ledger(":memory:") as ledger:
        three = ask("openai:model-1", examples, ledger=ledger, repeats=Repeats(3, 3))
        assert provider.asked() == 3 * 12
        assert {verdict.judge.sampling for verdict in three.verdicts} == {"default; mean of 3"}
        five = ask("openai:model-1", examples, ledger=ledger, repeats=Repeats(5, 5))
        assert provider.asked() == 5 * 12
        assert {verdict.judge.sampling for verdict in five.verdicts} == {"default; mean of 5"}
        assert ask("openai:model-1", examples, ledger=ledger).verdicts  # the first repeat alone is the plain judge's verdict
        assert provider.asked() == 5 * 12
        for verdicts, times in ((three.verdicts, 3), (five.verdicts, 5)):
            for verdict, transcript in zip(verdicts, examples, strict=True):
                single = stored(ledger, five.judge, transcript)[:times]
                for rating, *each in zip(ratings_of(verdict), *map(ratings_of, single), strict=True):
                    assert rating.value == pytest.approx(sum(one.value for one in each) / times)
                    assert rating.spread is not None
                assert verdict.usage.requests == times


def stored(ledger: Ledger, judge: Judge, transcript: Transcript) -> list[Verdict]:
    """Return the repeats that the ledger holds, in order."""
    key = transcript.content_hash(with_outcome=False)
    found = [ledger.verdicts(judge.id, [key], repeat).get(key) for repeat in range(10)]
    verdicts = [verdict for verdict in found if verdict]
    assert found[: len(verdicts)] == verdicts
    return verdicts


def test_escalation_asks_more_only_where_a_decision_hangs_on_the_spread(provider: Provider, ask: Ask, examples: list[Transcript]) -> None:
    provider.set(noise=0.05)
    with Ledger(":memory:") as ledger:
        asked = ask("openai:model-1", examples, ledger=ledger, repeats=Repeats(2, 4), concurrency=1)
        assert {verdict.judge.sampling for verdict in asked.verdicts} == {"default; mean of 2 to 4"}
        times = Counter[int]()
        for transcript in examples:
            single = stored(ledger, asked.judge, transcript)
            times[len(single)] += 1
            after = [undecided(pooled(single[:count], asked.judge.id), RUBRIC) for count in range(2, len(single) + 1)]
            assert after[:-1] == [True] * (len(single) - 2)
            assert len(single) == 4 or not after[-1]
        assert times[2] and times.total() - times[2], times
        assert provider.asked() == sum(count * many for count, many in times.items())
        assert ask("openai:model-1", examples, ledger=ledger, repeats=Repeats(2, 4)).verdicts == asked.verdicts
        assert provider.asked() == sum(count * many for count, many in times.items())


PANEL = """
reducer = "mean"
[[member]]
judge = "openai:model-1"
weight = 3.0
[[member]]
judge = "anthropic:model-2"
"""


@pytest.fixture
def panel(tmp_path: Path) -> str:
    (tmp_path / "panel.toml").write_text(PANEL)
    return f"panel:{tmp_path / 'panel.toml'}"


def test_a_panel_pools_its_members_by_weight(provider: Provider, ask: Ask, examples: list[Transcript], panel: str) -> None:
    with Ledger(":memory:") as ledger:
        asked = ask(panel, examples, ledger=ledger)
        assert isinstance(asked.judge, Panel)
        assert asked.judge.id.model == "openai/model-1 + anthropic/model-2"
        for verdict, transcript in zip(asked.verdicts, examples, strict=True):
            assert misfit(verdict, RUBRIC, transcript) is None
            (one,), (two,) = (stored(ledger, member, transcript) for member in asked.judge.members)
            for rating, first, second in zip(ratings_of(verdict), ratings_of(one), ratings_of(two), strict=True):
                assert rating.value == pytest.approx((3 * first.value + second.value) / 4)
            assert verdict.usage == one.usage + two.usage
        assert provider.asked() == 24
        assert ask(panel, examples, ledger=ledger).verdicts == asked.verdicts
        assert ask("anthropic:model-2", examples, ledger=ledger).verdicts  # a member's verdicts are that judge's
        assert provider.asked() == 24


def test_a_member_that_cannot_say_silences_the_panel_and_only_it_is_asked_again(
    provider: Provider, ask: Ask, examples: list[Transcript], panel: str
) -> None:
    provider.set(script=["refusal"])
    with Ledger(":memory:") as ledger:
        (failure,) = ask(panel, examples[:1], ledger=ledger).failures
        assert failure.kind is FailureKind.REFUSED
        name, _, _ = failure.detail.partition(": ")
        path = {"openai/model-1": PATHS["openai"], "anthropic/model-2": PATHS["anthropic"]}[name]
        assert failure.judge.provider == "panel"
        assert ask(panel, examples[:1], ledger=ledger).verdicts
        requests = provider.stats()["requests"]
        assert (requests["total"], requests[f"POST {path}"]) == (3, 2)


@pytest.mark.parametrize("form", FORMS)
def test_no_key_is_said_before_anything_is_asked(
    provider: Provider, ask: Ask, examples: list[Transcript], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "COMPATIBLE_API_KEY"):
        monkeypatch.delenv(name)
    if form == "compatible":  # local servers ask for none
        assert ask(FORMS[form], examples[:1]).verdicts
        return
    with pytest.raises(UsageProblem, match=r"no key: set (OPENAI|ANTHROPIC)_API_KEY"):
        ask(FORMS[form], examples)
    assert provider.asked() == 0
