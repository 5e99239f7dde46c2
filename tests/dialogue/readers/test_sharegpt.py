"""ShareGPT: who spoke, the system prompt beside the conversation, and what does not fit."""

import json

import pytest

GPT = {"from": "gpt", "value": "hello"}


def one(read, **raw: object):
    found, rejects = read(json.dumps(raw), format="sharegpt")
    return (found[0] if found else None), (rejects[0] if rejects else None)


def turns(found):
    return [(turn.role.value, turn.text) for turn in found.transcript.turns]


@pytest.mark.parametrize(
    ("speaker", "role"),
    [
        *((name, "user") for name in ("human", "user")),
        *((name, "agent") for name in ("gpt", "assistant", "chatgpt", "bot", "model")),
        *((name, "tool") for name in ("function_call", "observation", "tool")),
        ("system", "system"),
    ],
)
def test_speakers(read, speaker, role):
    found, _ = one(read, conversations=[{"from": speaker, "value": "hi"}, GPT])
    assert turns(found) == [(role, "hi"), ("agent", "hello")]


@pytest.mark.parametrize(
    ("system", "first"), [("be kind", [("system", "be kind")]), ("", []), (None, [])], ids=["a system prompt", "empty", "null"]
)
def test_a_system_prompt_beside_the_conversation_comes_first(read, system, first):
    found, _ = one(read, conversations=[GPT], system=system)
    assert turns(found) == [*first, ("agent", "hello")]


def test_id_outcome_and_meta_are_kept_and_the_rest_counted(read):
    found, _ = one(read, id="x", conversations=[GPT], outcome="paid", meta={"a": 1}, tools="[]", lang="en")
    assert (found.transcript.id, found.transcript.outcome, found.transcript.meta) == ("x", "paid", {"a": 1})
    assert found.ignored == ("lang",)


def test_a_line_without_an_id_is_named_by_file_and_line(read):
    assert one(read, conversations=[GPT])[0].transcript.id == "log:1"


@pytest.mark.parametrize(
    ("raw", "reason", "expected"),
    [
        ({}, "'conversations' is a JSON null", "an array of {'from', 'value'}"),
        ({"conversations": {}}, "'conversations' is a JSON object", "an array of {'from', 'value'}"),
        ({"conversations": []}, "the dialogue has no turns", "at least one agent turn"),
        ({"conversations": [], "system": "be kind"}, "the dialogue has no agent turn", "nothing to rate"),
        ({"conversations": [{"from": "human", "value": "hi"}]}, "the dialogue has no agent turn", "nothing to rate"),
        ({"conversations": ["hi"]}, "'conversations[0]' is a JSON string", "an object with 'from' and 'value'"),
        (
            {"conversations": [GPT, {"from": "humon"}]},
            "'conversations[1].from' is 'humon' (did you mean 'human'?)",
            "one of human, user, gpt",
        ),
        ({"conversations": [{"value": "hi"}]}, "'conversations[0].from' is None", "one of human"),
        ({"conversations": [{"from": "gpt"}]}, "'turns[0].text' is None", "a text"),
        ({"conversations": [GPT], "system": 5}, "'turns[0].text' is 5", "a text"),
        ({"conversations": [GPT], "id": 5.5}, "'id' is 5.5", "a text of 1 to 512 characters"),
    ],
)
def test_conversations_that_do_not_fit(read, raw, reason, expected):
    found, reject = one(read, **raw)
    assert found is None
    assert reject.reason.startswith(reason)
    assert expected in reject.expected
