"""OpenAI messages: content in its three shapes, tool calls, and prompt with completion."""

import json

import pytest


def messages(read, *said: object, **more: object):
    """Return ([(role, text) of each turn] or None, the reject or None) of one line."""
    found, rejects = read(json.dumps({"messages": list(said), **more}), format="openai")
    turns = [(turn.role.value, turn.text) for turn in found[0].transcript.turns] if found else None
    return turns, rejects[0] if rejects else None


def call(name: str, arguments: object) -> dict:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


HELLO = {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize(
    ("role", "ours"),
    [("system", "system"), ("developer", "system"), ("user", "user"), ("assistant", "agent"), ("tool", "tool"), ("function", "tool")],
)
def test_roles(read, role, ours):
    turns, _ = messages(read, {"role": role, "content": "hi"}, HELLO)
    assert turns == [(ours, "hi"), ("agent", "hello")]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        ("", ""),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "one"}, "two"], "one\ntwo"),
        ([{"type": "refusal", "refusal": "no"}], "no"),
        ([{"type": "input_audio", "transcript": "spoken"}], "spoken"),
        ([{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:…"}}], "see\n[image_url]"),  # no attachments
        ([{}], "[part]"),
    ],
)
def test_content_is_a_text_parts_or_null(read, content, text):
    turns, _ = messages(read, {"role": "assistant", "content": content})
    assert turns == [("agent", text)]


def test_a_refusal_is_what_was_said(read):
    turns, _ = messages(read, {"role": "assistant", "content": None, "refusal": "I cannot do that"})
    assert turns == [("agent", "I cannot do that")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # An act is not something said: a call without words makes no agent turn to rate.
        ({"content": None, "tool_calls": [call("pay", '{"sum": 5}')]}, [("tool", 'call pay({"sum": 5})')]),
        (
            {"content": "wait", "tool_calls": [call("a", "{}"), call("b", "")]},
            [("agent", "wait"), ("tool", "call a({})"), ("tool", "call b()")],
        ),
        ({"content": "wait", "tool_calls": []}, [("agent", "wait")]),
        ({"content": "wait", "tool_calls": None}, [("agent", "wait")]),
        ({"content": "", "function_call": {"name": "pay", "arguments": "{}"}}, [("tool", "call pay({})")]),  # the older shape
        ({"content": "", "tool_calls": [{"name": "pay", "arguments": {"€": 5}}]}, [("tool", 'call pay({"€": 5})')]),
        ({"content": "", "tool_calls": [{}]}, [("tool", "call ?()")]),
    ],
)
def test_tool_calls_become_tool_turns(read, message, expected):
    turns, _ = messages(read, {"role": "assistant", **message}, HELLO)
    assert turns == [*expected, ("agent", "hello")]


def test_prompt_and_completion_are_one_dialogue(read):
    ((found,), _) = read(json.dumps({"prompt": [{"role": "user", "content": "hi"}], "completion": [HELLO]}))
    assert [turn.text for turn in found.transcript.turns] == ["hi", "hello"]


def test_id_outcome_and_meta_are_kept_and_the_rest_counted(read):
    ((found,), _) = read(json.dumps({"id": "x", "messages": [HELLO], "outcome": 0.5, "metadata": {"bot": 1}, "tools": [], "model": "m"}))
    assert (found.transcript.id, found.transcript.outcome, found.transcript.meta) == ("x", 0.5, {"bot": 1})
    assert set(found.ignored) == {"tools", "model"}


@pytest.mark.parametrize(("name", "stem"), [("log.jsonl", "log"), ("log.v2.jsonl.gz", "log.v2"), ("log", "log")])
def test_a_line_without_an_id_is_named_by_file_and_line(read, name, stem):
    found, _ = read("\n" + json.dumps({"messages": [HELLO]}) + "\n" + json.dumps({"messages": [HELLO]}), name)
    assert [item.transcript.id for item in found] == [f"{stem}:2", f"{stem}:3"]


@pytest.mark.parametrize(
    ("said", "reason", "expected"),
    [
        ([], "the dialogue has no turns", "at least one agent turn"),
        ([{"role": "user", "content": "hi"}], "the dialogue has no agent turn", "nothing to rate"),
        (["hi"], "'messages[0]' is a JSON string", "an object with 'role' and 'content'"),
        (
            [HELLO, {"role": "asistant"}],
            "'messages[1].role' is 'asistant' (did you mean 'assistant'?)",
            "system, developer, user, assistant",
        ),
        ([{"content": "hi"}], "'messages[0].role' is None", "one of system"),
        ([{"role": ["user"], "content": "hi"}], "'messages[0].role' is ['user']", "one of system"),
        ([{"role": "user", "content": 5}], "'messages[0].content' is a JSON number", "a text, an array of parts, or null"),
        ([{"role": "user", "content": [5]}], "a part of 'messages[0].content' is a JSON number", "a text or an object with 'type'"),
        ([{**HELLO, "tool_calls": {"a": 1}}], "'messages[0].tool_calls' is a JSON object", "an array of calls"),
        ([{**HELLO, "tool_calls": ["pay"]}], "'messages[0].tool_calls' holds a JSON string", "an object with the function's name"),
        ([{**HELLO, "function_call": "auto"}], "'messages[0].tool_calls' holds a JSON string", "an object with the function's name"),
    ],
)
def test_messages_that_do_not_fit(read, said, reason, expected):
    turns, reject = messages(read, *said)
    assert turns is None
    assert reject.reason.startswith(reason)
    assert expected in reject.expected


@pytest.mark.parametrize("raw", [{}, {"messages": None}, {"prompt": "hi", "completion": "hello"}, {"prompt": []}])
def test_a_line_without_messages_says_so(read, raw):
    _, (reject,) = read(json.dumps(raw), format="openai")
    assert (reject.reason, reject.expected) == ("'messages' is a JSON null", "an array of messages")
