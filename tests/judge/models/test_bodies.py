"""Requests and answers of the three APIs: what a body holds, that the vendors' SDKs know it, and what every kind of answer means."""

import asyncio
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, Required, Union, get_args, get_origin

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.decision_create_params import DecisionCreateParams
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from typing_extensions import get_type_hints, is_typeddict

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from judge.chat import ChatReply, ChatRequest, Token, Trouble
from judge.contract import Body, ChatModel, Sent, Terms
from judge.decisions import DecisionModel, Decisions
from judge.line import Line
from judge.llm import LLMJudge, NoReplies, Rater
from judge.models.anthropic import EFFORTS as ANTHROPIC_EFFORTS
from judge.models.anthropic import MOST_OUTPUT, Messages, make_anthropic
from judge.models.compatible import ChatCompletions, make_compatible
from judge.models.openai import Responses, make_openai
from judge.models.spec import EFFORTS, ModelSpec
from judge.rubric import load_rubric
from judge.structured import Structured
from judge.verdict import FailureKind, JudgeFailure, Usage
from judge.view import views

TERMS = Terms(environ={})
REQUEST = ChatRequest(
    system="The rules.",
    blocks=("one\n", "two\n", "three\n", "four\n"),
    question="Rate.\n",
    schema={"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    cache_key="judge-key",
)
SHARED = ChatRequest(REQUEST.system, REQUEST.blocks, REQUEST.question, REQUEST.schema, REQUEST.cache_key, shared=True)
EVERYTHING = ModelSpec("m", temperature=0.3, effort="low", max_output_tokens=900, logprobs=True)
APIS: dict[str, Callable[[ModelSpec], ChatModel]] = {
    "responses": Responses,
    "chat": lambda spec: ChatCompletions("openai", spec, "OPENAI_API_KEY"),
    "compatible": lambda spec: ChatCompletions("compatible", spec, "COMPATIBLE_API_KEY"),
    "messages": Messages,
}
MARKED = ["responses", "chat", "messages"]
BREAK, EPHEMERAL = {"mode": "explicit"}, {"type": "ephemeral"}


def marks(value: Any) -> Iterator[str]:
    """Yield the texts that carry a cache mark, in order."""
    if isinstance(value, dict):
        if mark := value.get("prompt_cache_breakpoint") or value.get("cache_control"):
            assert mark in (BREAK, EPHEMERAL)
            yield value["text"]
        for inner in value.values():
            yield from marks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from marks(inner)


def messages(body: Body) -> list[tuple[str, str]]:
    """Return roles and texts of a body's messages, the system's first."""
    turns = body.get("input") or body["messages"]
    turns = [{"role": "system", "content": body["system"]}, *turns] if "system" in body else turns
    return [(turn["role"], text(turn["content"])) for turn in turns]


def text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


# Bodies


@pytest.mark.parametrize(
    ("api", "system"), [("responses", "developer"), ("chat", "system"), ("compatible", "system"), ("messages", "system")]
)
def test_a_body_says_system_transcript_and_question_in_this_order(api: str, system: str) -> None:
    body = APIS[api](ModelSpec("m")).body(REQUEST)
    assert messages(body) == [(system, "The rules."), ("user", "one\ntwo\nthree\nfour\nRate.\n")]
    assert body["model"] == "m"


@pytest.mark.parametrize("api", MARKED)
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_cache_marks_stand_at_the_system_text_and_where_shared_at_the_last_two_blocks(api: str, count: int) -> None:
    model, blocks = APIS[api](ModelSpec("m")), tuple(f"block {k}\n" for k in range(count))
    alone, shared = (
        model.body(ChatRequest("The rules.", blocks, "Rate.\n", {}, "k", shared=shared).again("an answer", "wrong"))
        for shared in (False, True)
    )
    assert list(marks(alone)) == ["The rules."]
    assert list(marks(shared)) == ["The rules.", *blocks[-2:]]
    assert len(list(marks(shared))) <= 4
    assert list(marks(model.body(SHARED, {"cache marks"}))) == []


def test_a_compatible_server_gets_plain_texts_and_nothing_of_caches() -> None:
    body = APIS["compatible"](ModelSpec("m")).body(SHARED)
    assert all(isinstance(message["content"], str) for message in body["messages"])
    assert body.keys() == {"model", "messages", "response_format"}


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (
            "responses",
            {
                "model": "m",
                "store": False,
                "text": {"format": {"type": "json_schema", "name": "verdict", "schema": REQUEST.schema, "strict": True}},
                "prompt_cache_options": {"mode": "explicit"},
                "prompt_cache_key": "judge-key",
                "temperature": 0.3,
                "reasoning": {"effort": "low"},
                "max_output_tokens": 900,
                "include": ["message.output_text.logprobs"],
                "top_logprobs": 20,
            },
        ),
        (
            "chat",
            {
                "model": "m",
                "response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": REQUEST.schema, "strict": True}},
                "prompt_cache_options": {"mode": "explicit"},
                "prompt_cache_key": "judge-key",
                "temperature": 0.3,
                "reasoning_effort": "low",
                "max_completion_tokens": 900,
                "logprobs": True,
                "top_logprobs": 20,
            },
        ),
        (
            "compatible",
            {
                "model": "m",
                "response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": REQUEST.schema, "strict": True}},
                "temperature": 0.3,
                "reasoning_effort": "low",
                "max_tokens": 900,
                "logprobs": True,
                "top_logprobs": 20,
            },
        ),
        (
            "messages",
            {
                "model": "m",
                "max_tokens": 900,
                "output_config": {"format": {"type": "json_schema", "schema": REQUEST.schema}, "effort": "low"},
            },
        ),
    ],
)
def test_everything_that_was_asked_for_is_in_the_body(api: str, body: Body) -> None:
    found = APIS[api](EVERYTHING).body(REQUEST)
    assert {name: value for name, value in found.items() if name not in ("input", "messages", "system")} == body


@pytest.mark.parametrize("api", APIS)
def test_what_was_not_asked_for_is_left_to_the_provider(api: str) -> None:
    body = APIS[api](ModelSpec("m")).body(REQUEST)
    options = {
        "temperature",
        "reasoning",
        "reasoning_effort",
        "max_output_tokens",
        "max_completion_tokens",
        "logprobs",
        "top_logprobs",
        "include",
    }
    assert not body.keys() & options
    assert body.get("max_tokens") == (MOST_OUTPUT if api == "messages" else None)
    assert "effort" not in body.get("output_config", {})


def test_a_temperature_of_zero_is_asked_for() -> None:
    for api, make in APIS.items():
        if api != "messages":  # which knows no temperature
            assert make(ModelSpec("m", temperature=0.0)).body(REQUEST)["temperature"] == 0.0


@pytest.mark.parametrize(
    ("api", "without", "gone"),
    [
        ("responses", "cache marks", {"prompt_cache_options", "input"}),
        ("responses", "cache key", {"prompt_cache_key"}),
        ("responses", "temperature", {"temperature"}),
        ("responses", "logprobs", {"include", "top_logprobs"}),
        ("responses", "effort", {"reasoning"}),
        ("responses", "schema", {"text", "input"}),
        ("chat", "cache marks", {"prompt_cache_options", "messages"}),
        ("chat", "cache key", {"prompt_cache_key"}),
        ("chat", "temperature", {"temperature"}),
        ("chat", "logprobs", {"logprobs", "top_logprobs"}),
        ("chat", "effort", {"reasoning_effort"}),
        ("chat", "schema", {"response_format", "messages"}),
        ("chat", "json", set()),  # it is what is tried after the schema
        ("compatible", "cache marks", set()),
        ("compatible", "cache key", set()),
        ("compatible", "temperature", {"temperature"}),
        ("compatible", "logprobs", {"logprobs", "top_logprobs"}),
        ("compatible", "effort", {"reasoning_effort"}),
        ("compatible", "schema", {"response_format", "messages"}),
        ("compatible", "json", set()),
        ("messages", "cache marks", {"system", "messages"}),
        ("messages", "effort", {"output_config"}),
        ("messages", "schema", {"output_config", "messages"}),
        ("messages", "output config", {"output_config"}),  # what is tried last
    ],
)
def test_without_a_parameter_the_body_lacks_that_and_nothing_else(api: str, without: str, gone: set[str]) -> None:
    model = APIS[api](EVERYTHING)
    whole, less = model.body(SHARED), model.body(SHARED, {without})
    assert {name for name in whole if whole[name] != less.get(name)} == gone
    assert less.keys() <= whole.keys()
    assert messages(less)[0] == messages(whole)[0]
    assert (messages(less)[1:] == messages(whole)[1:]) is (without != "schema")


@pytest.mark.parametrize("api", APIS)
def test_all_that_can_be_dropped_is_known_and_without_it_a_plain_question_remains(api: str) -> None:
    model = APIS[api](EVERYTHING)
    plain = model.body(SHARED, set(model.can_drop))
    kept = {"model", "input", "messages", "system", "store", "max_output_tokens", "max_completion_tokens", "max_tokens"}
    assert plain.keys() <= kept
    assert messages(plain)[1] == ("user", "one\ntwo\nthree\nfour\n" + REQUEST.question_with_schema)
    assert model.body(SHARED, {"cache", "text", "nonsense"}) == model.body(SHARED)


@pytest.mark.parametrize("api", ["chat", "compatible"])
def test_a_server_without_schemas_gets_the_schema_in_words_and_is_asked_for_an_object(api: str) -> None:
    model = APIS[api](ModelSpec("m"))
    assert model.body(REQUEST, {"schema"})["response_format"] == {"type": "json_object"}
    assert "response_format" not in model.body(REQUEST, {"schema", "json"})


@pytest.mark.parametrize("api", APIS)
def test_a_question_asked_again_shows_the_answers_and_what_was_wrong(api: str) -> None:
    model = APIS[api](EVERYTHING)
    first, again = model.body(SHARED), model.body(SHARED.again("five", "not JSON").again("six", "nor that"))
    assert messages(again) == [
        *messages(first),
        ("assistant", "five"),
        ("user", "not JSON"),
        ("assistant", "six"),
        ("user", "nor that"),
    ]
    assert {name for name in first if first[name] != again[name]} <= {"input", "messages"}
    turns = {name: value for name, value in again.items() if name in ("input", "messages")}
    for name, value in turns.items():
        assert value[: len(first[name])] == first[name]  # a cache knows its beginning


def test_the_schema_in_words_is_the_schema() -> None:
    assert REQUEST.question_with_schema == (
        "Rate.\nAnswer with one JSON object that fits this JSON schema, and nothing else:\n"
        '{"type":"object","properties":{},"required":[],"additionalProperties":false}\n'
    )


@pytest.mark.parametrize(
    ("query", "sampling"),
    [
        ("", "default"),
        ("?temperature=0", "temperature=0"),
        ("?temperature=0.3", "temperature=0.3"),
        ("?temperature=1", "temperature=1"),
        ("?effort=low&temperature=0.50", "temperature=0.5 effort=low"),
        ("?effort=max", "effort=max"),
        ("?max_output_tokens=900", "max_output_tokens=900"),
        ("?echo=m-2026", "default"),
    ],
)
def test_the_sampling_that_was_asked_for_is_part_of_the_judge_s_name(query: str, sampling: str) -> None:
    models = [make_openai(f"m{query}", TERMS), make_compatible(f"m@http://h/v1{query}", TERMS)]
    if "temperature" not in query:
        models.append(make_anthropic(f"m{query}", TERMS))
    for model in models:
        assert (model.model, model.sampling) == ("m", sampling)
        assert model.echo == ("m-2026" if "echo" in query else "m")


def test_each_name_makes_its_api() -> None:
    made = {
        "openai": make_openai("m", TERMS),
        "openai chat": make_openai("m?api=chat", TERMS),
        "openai responses": make_openai("m?api=responses", TERMS),
        "anthropic": make_anthropic("m", TERMS),
        "compatible": make_compatible("m@http://h/v1", TERMS),
    }
    assert [(type(model).__name__, model.provider) for model in made.values()] == [
        ("Responses", "openai"),
        ("ChatCompletions", "openai"),
        ("Responses", "openai"),
        ("Messages", "anthropic"),
        ("ChatCompletions", "compatible"),
    ]
    assert made["openai chat"].sampling == "api=chat"  # another API may answer otherwise: another judge
    for wrong in ("m?logprobs=true", "m?api=chat", "m?temperature=0.5"):
        with pytest.raises(UsageProblem, match=r"unknown option .* allowed: effort, max_output_tokens, echo"):
            make_anthropic(wrong, TERMS)
    for effort in ("none", "minimal"):
        with pytest.raises(UsageProblem, match=f"option effort is '{effort}'; expected low, medium, high, xhigh, max"):
            make_anthropic(f"m?effort={effort}", TERMS)


# Parity with the SDKs


def fits(value: Any, kind: Any) -> bool:
    """Say whether a value has the shape that an SDK's types give: every key known, the required ones there, literals among theirs."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in (Any, object):
        return True
    if origin is Required:
        return fits(value, inner[0])
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in inner)
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        required = {name for name, hint in hints.items() if get_origin(hint) is Required}
        plain = get_type_hints(kind)
        return (
            isinstance(value, dict) and required <= value.keys() <= hints.keys() and all(fits(value[name], plain[name]) for name in value)
        )
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping)
    if origin is not None and issubclass(origin, Iterable):
        return isinstance(value, list) and all(fits(one, inner[0]) for one in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in (str, int, bool, type(None)):
        return type(value) is kind
    return False


SDK: dict[str, Any] = {
    "responses": ResponseCreateParamsNonStreaming,
    "chat": CompletionCreateParamsNonStreaming,
    "compatible": CompletionCreateParamsNonStreaming,
    "messages": MessageCreateParamsNonStreaming,
}


@pytest.mark.parametrize("api", APIS)
def test_the_sdk_knows_every_key_and_value_of_a_body(api: str) -> None:
    model, rubric = APIS[api](EVERYTHING), load_rubric("collections")
    transcript = Transcript(id="d", turns=(Turn(role=Role.USER, text="Hi."), Turn(role=Role.AGENT, text="Hello.")))
    question = Structured(rubric, model).questions(transcript, views(transcript, rubric)[0], "n" * 32, shared=True)[0].content
    for request in (question, question.again("five", "not JSON")):
        for without in ((), *((name,) for name in model.can_drop), tuple(model.can_drop)):
            body = model.body(request, without)
            hints = get_type_hints(SDK[api])
            assert body.keys() <= hints.keys()
            assert {name for name, value in body.items() if not fits(value, hints[name])} == set()
            assert fits(body, SDK[api])


@pytest.mark.parametrize("api", APIS)
def test_the_sdk_knows_every_effort_that_can_be_asked_for(api: str) -> None:
    for effort in ANTHROPIC_EFFORTS if api == "messages" else EFFORTS:
        assert fits(APIS[api](ModelSpec("m", effort=effort)).body(REQUEST), SDK[api]), effort


def test_the_sdk_knows_every_key_and_value_of_a_decision() -> None:
    rubric = load_rubric("collections")
    form = Decisions(rubric, DecisionModel(ModelSpec("m")))
    transcript = Transcript(id="d", turns=(Turn(role=Role.USER, text="Hi."), Turn(role=Role.AGENT, text="Hello.")))
    (question,) = form.questions(transcript, views(transcript, rubric)[0], "n" * 32, shared=True)
    for without in ((), ("cache marks",), ("cache key",)):
        assert fits(form.body(question, without), DecisionCreateParams)


@pytest.mark.parametrize(
    ("api", "change"),
    [
        ("responses", {"temperatur": 1}),
        ("responses", {"prompt_cache_options": {"mode": "always"}}),
        ("responses", {"reasoning": {"effort": "lots"}}),
        ("responses", {"input": [{"role": "developer", "content": [{"type": "text", "text": "x"}]}]}),
        ("chat", {"max_output_tokens": 1}),
        ("chat", {"response_format": {"type": "json_schema"}}),
        ("messages", {"max_tokens": "900"}),
        ("messages", {"system": [{"type": "text", "text": "x", "cache_control": {"type": "explicit"}}]}),
    ],
)
def test_the_comparison_with_the_sdk_sees_what_is_wrong(api: str, change: Body) -> None:
    body = APIS[api](ModelSpec("m")).body(SHARED)
    assert fits(body, SDK[api])
    assert not fits(body | change, SDK[api])


# Answers


def responses(*contents: Body, **update: Any) -> Body:
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}, "output_tokens": 7}
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": list(contents)}]
    return {"id": "r", "model": "m-1", "status": "completed", "output": output, "usage": usage} | update


def chat(content: Any = "{}", finish: str = "stop", **message: Any) -> Body:
    usage = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}, "completion_tokens": 7}
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"id": "c", "model": "m-1", "choices": [choice], "usage": usage}


def message(*contents: Body, stop: str = "end_turn", **update: Any) -> Body:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30, "output_tokens": 7}
    return {"id": "a", "type": "message", "model": "m-1", "content": list(contents), "stop_reason": stop, "usage": usage} | update


def output(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": []}


def block(text: str) -> Body:
    return {"type": "text", "text": text}


USAGE = Usage(input_tokens=100, cached_tokens=60, written_tokens=30, output_tokens=7)


@pytest.mark.parametrize(
    ("api", "reply"),
    [
        ("responses", responses(output("{}"))),
        ("responses", responses(output("{"), output("}"))),
        ("responses", responses(output("{}"), status=None)),
        ("chat", chat()),
        ("chat", chat(refusal=None)),
        ("compatible", chat()),
        ("compatible", chat() | {"choices": [*chat()["choices"], *chat("[]")["choices"]]}),
        ("messages", message(block("{}"))),
        ("messages", message({"type": "thinking", "thinking": "hm", "signature": "s"}, block("{"), block("}"))),
        ("messages", message(block("{}"), stop="stop_sequence")),
    ],
)
def test_an_answer_gives_text_model_and_usage(api: str, reply: Body) -> None:
    assert APIS[api](ModelSpec("m")).read(reply) == ChatReply("{}", "m-1", USAGE)


@pytest.mark.parametrize(
    ("api", "reply", "kind", "detail"),
    [
        ("responses", responses({"type": "refusal", "refusal": "I cannot."}), FailureKind.REFUSED, "I cannot."),
        ("responses", responses({"type": "refusal", "refusal": ""}), FailureKind.REFUSED, "the model refused"),
        ("responses", responses(output("{}"), {"type": "refusal", "refusal": "No."}), FailureKind.REFUSED, "No."),
        ("responses", responses(), FailureKind.EMPTY, "an answer without text"),
        ("responses", responses(output(" \n")), FailureKind.EMPTY, "an answer without text"),
        ("responses", responses(output=None), FailureKind.EMPTY, "an answer without text"),
        ("responses", responses(output=["x", {"type": "message", "content": "{}"}]), FailureKind.EMPTY, "an answer without text"),
        (
            "responses",
            responses(output("{"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            FailureKind.TRUNCATED,
            "the answer is incomplete: max_output_tokens",
        ),
        ("responses", responses(status="incomplete"), FailureKind.TRUNCATED, "the answer is incomplete: None"),
        (
            "responses",
            responses(output("{}"), status="incomplete", incomplete_details={"reason": "content_filter"}),
            FailureKind.REFUSED,
            "the answer is incomplete: content_filter",
        ),
        (
            "responses",
            responses(status="failed", error={"code": "server_error", "message": "It broke."}),
            FailureKind.SERVER_ERROR,
            "the answer failed: It broke.",
        ),
        ("responses", responses(status="cancelled", error=None), FailureKind.SERVER_ERROR, "the answer cancelled: no reason given"),
        ("chat", chat(None, refusal="I cannot."), FailureKind.REFUSED, "I cannot."),
        ("chat", chat("{", "content_filter"), FailureKind.REFUSED, "the answer was filtered"),
        ("chat", chat("{", "length"), FailureKind.TRUNCATED, "the answer is incomplete: it reached the limit of tokens"),
        ("chat", chat("", "length"), FailureKind.TRUNCATED, "the answer is incomplete: it reached the limit of tokens"),
        ("chat", chat(None), FailureKind.EMPTY, "an answer without text"),
        ("chat", chat(" \n"), FailureKind.EMPTY, "an answer without text"),
        ("compatible", chat([{"type": "text", "text": "{}"}]), FailureKind.EMPTY, "an answer without text"),
        ("compatible", chat() | {"choices": []}, FailureKind.EMPTY, "an answer without text"),
        ("compatible", chat() | {"choices": None}, FailureKind.EMPTY, "an answer without text"),
        ("compatible", chat() | {"choices": ["x"]}, FailureKind.EMPTY, "an answer without text"),
        ("compatible", chat() | {"choices": [{"message": None}]}, FailureKind.EMPTY, "an answer without text"),
        ("messages", message(block("No."), stop="refusal"), FailureKind.REFUSED, "the model refused"),
        ("messages", message(stop="refusal", stop_details=None), FailureKind.REFUSED, "the model refused"),
        (
            "messages",
            message(stop="refusal", stop_details={"type": "refusal", "category": "bio", "explanation": "Not this."}),
            FailureKind.REFUSED,
            "Not this.",
        ),
        ("messages", message(block("{"), stop="max_tokens"), FailureKind.TRUNCATED, "the answer is incomplete: it reached max_tokens"),
        (
            "messages",
            message(block("{"), stop="model_context_window_exceeded"),
            FailureKind.TOO_LONG,
            "the transcript does not fit into the model's context",
        ),
        ("messages", message(), FailureKind.EMPTY, "an answer without text"),
        ("messages", message(block("")), FailureKind.EMPTY, "an answer without text"),
        ("messages", message({"type": "thinking", "thinking": "hm"}), FailureKind.EMPTY, "an answer without text"),
        ("messages", message(content=None), FailureKind.EMPTY, "an answer without text"),
    ],
)
def test_what_is_no_answer_says_why_and_what_it_cost(api: str, reply: Body, kind: FailureKind, detail: str) -> None:
    with pytest.raises(Trouble) as raised:
        APIS[api](ModelSpec("m")).read(reply)
    trouble = raised.value
    assert (trouble.kind, trouble.detail, trouble.usage) == (kind, detail, USAGE)
    assert not trouble.hopeless  # it concerns this transcript only
    if kind is FailureKind.TRUNCATED and api != "responses":
        assert trouble.raw in ("{", "")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"input_tokens": None, "output_tokens": None, "prompt_tokens": None, "completion_tokens": None},
        {"input_tokens_details": None, "prompt_tokens_details": None},
        {
            "input_tokens_details": {"cached_tokens": None},
            "prompt_tokens_details": {"cached_tokens": None},
            "cache_read_input_tokens": None,
        },
    ],
)
def test_usage_that_is_not_told_is_none(api: str, usage: Any) -> None:
    model = APIS[api](ModelSpec("m"))
    assert model.usage({"usage": usage}) == Usage()
    assert model.usage({}) == Usage()
    assert model.usage({"responses": responses(output("{}")), "messages": message(block("{}"))}.get(api, chat())) == USAGE


def test_anthropic_counts_cached_tokens_apart() -> None:
    assert Messages(ModelSpec("m")).usage({"usage": {"input_tokens": 10, "output_tokens": 1}}).input_tokens == 10
    assert Messages(ModelSpec("m")).usage({"usage": {"input_tokens": 10, "cache_read_input_tokens": 5}}) == Usage(
        input_tokens=15, cached_tokens=5
    )


CHAT = chat("{}")["choices"][0]


@pytest.mark.parametrize(
    ("api", "reply"),
    [
        ("responses", {"usage": [1]}),
        ("responses", {"usage": {"input_tokens": "many"}}),
        ("responses", {"output": "x"}),
        ("responses", responses(status="failed", error="x")),
        ("responses", responses(status="incomplete", incomplete_details="x")),
        ("responses", responses({"type": "output_text", "text": None})),
        ("responses", responses(output("{}") | {"logprobs": [{}]})),
        ("responses", responses(output("{}") | {"logprobs": [{"token": "a", "top_logprobs": None}]})),
        ("responses", responses(output("{}") | {"logprobs": [{"token": "a", "top_logprobs": [{"token": "a", "logprob": None}]}]})),
        ("chat", {"usage": "x"}),
        ("chat", {"choices": [{"message": "x"}]}),
        ("chat", {"choices": [CHAT | {"logprobs": "x"}]}),
        ("compatible", {"choices": [CHAT | {"logprobs": {"content": [{}]}}]}),
        ("compatible", {"choices": [CHAT | {"logprobs": {"content": "abc"}}]}),
        ("messages", {"usage": "x"}),
        ("messages", {"stop_reason": "refusal", "stop_details": "x"}),
        ("messages", {"content": [{"type": "text", "text": None}]}),
        ("messages", {"content": {"type": "text", "text": "{}"}}),
    ],
)
def test_an_answer_of_any_shape_is_a_failure_of_its_transcript_alone(api: str, reply: Body) -> None:
    async def send(content: bytes) -> Sent:
        return Sent(reply)

    async def rated() -> Any:
        line = Line(model, None, TERMS, send, NoReplies())
        return await Rater(judge, line, NoReplies()).rate(Transcript(id="d", turns=(Turn(role=Role.AGENT, text="Hello."),)))

    model, rubric = APIS[api](ModelSpec("m", logprobs=True)), load_rubric("collections")
    judge = LLMJudge(rubric, Structured(rubric, model), TERMS)
    failure = asyncio.run(rated())
    assert isinstance(failure, JudgeFailure)
    assert failure.kind in (FailureKind.MALFORMED, FailureKind.EMPTY)
    assert failure.usage.requests in (1, 2)  # it may be asked once more
    assert failure.model_validate_json(failure.model_dump_json()) == failure


TOKENS = (Token("{", ()), Token("4", (("4", -0.1), ("5", -2.5))))
TOLD = [
    {"token": "{", "logprob": 0.0, "top_logprobs": []},
    {"token": "4", "logprob": -0.1, "top_logprobs": [{"token": "4", "logprob": -0.1}, {"token": "5", "logprob": -2.5}]},
]


@pytest.mark.parametrize(
    ("api", "reply"),
    [
        ("responses", responses(output("{4") | {"logprobs": TOLD})),
        ("responses", responses(output("{") | {"logprobs": TOLD[:1]}, output("4") | {"logprobs": TOLD[1:]})),
        ("chat", chat() | {"choices": [chat("{4")["choices"][0] | {"logprobs": {"content": TOLD, "refusal": None}}]}),
        ("compatible", chat() | {"choices": [chat("{4")["choices"][0] | {"logprobs": {"content": [{"token": "{"}, TOLD[1]]}}]}),
    ],
)
def test_what_could_have_stood_there_is_read(api: str, reply: Body) -> None:
    assert APIS[api](ModelSpec("m", logprobs=True)).read(reply).tokens == TOKENS


@pytest.mark.parametrize(
    ("api", "reply"),
    [
        ("responses", responses(output("{4"))),
        ("responses", responses(output("{4") | {"logprobs": None})),
        ("chat", chat("{4")),
        ("chat", chat() | {"choices": [chat("{4")["choices"][0] | {"logprobs": None}]}),
        ("chat", chat() | {"choices": [chat("{4")["choices"][0] | {"logprobs": {"content": None}}]}),
        ("messages", message(block("{4"))),
    ],
)
def test_an_answer_without_them_has_none(api: str, reply: Body) -> None:
    assert APIS[api](ModelSpec("m", logprobs=True)).read(reply) == ChatReply("{4", "m-1", USAGE)
