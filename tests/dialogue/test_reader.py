"""Finding the reader that fits a file, and what every reader promises whatever the bytes are."""

import json

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dialogue import Transcript, UsageProblem
from dialogue.reader import Head, readers

AGENT = [{"role": "assistant", "content": "hi"}]
SAMPLES = {
    "native": {"id": "a", "turns": [{"role": "agent", "text": "hi"}]},
    "openai": {"messages": AGENT},
    "sharegpt": {"conversations": [{"from": "gpt", "value": "hi"}]},
    "tau-bench": [{"task_id": 0, "reward": 1.0, "info": {"task": {}}, "traj": AGENT, "trial": 0}],
    "tau2": {"timestamp": "now", "info": {}, "tasks": [], "simulations": [{"id": "a", "messages": AGENT}]},
}
LINE_FORMATS = ["native", "openai", "sharegpt"]
ALL = "native, openai, sharegpt, tau-bench, tau2"


def test_the_installed_readers_are_listed_by_name():
    assert list(readers()) == list(SAMPLES)
    assert all(reader.name == name for name, reader in readers().items())


# Sniffing


@pytest.mark.parametrize(("format", "indent"), [*((name, None) for name in SAMPLES), ("tau-bench", 2), ("tau2", 2)])
def test_every_format_is_recognised_by_exactly_its_own_reader(read, format, indent):
    data = json.dumps(SAMPLES[format], indent=indent)
    assert [name for name, reader in readers().items() if reader.sniff(Head(data.encode()))] == [format]
    assert read(data) == read(data, format=format)
    assert len(read(data)[0]) == 1


@pytest.mark.parametrize(
    ("format", "sample"),
    [
        ("openai", {"prompt": AGENT, "completion": AGENT}),
        ("tau-bench", [{"trial": 0}]),
        ("tau-bench", [{"note": "extra", "reward": 0}]),
        ("tau2", {"simulations": []}),
        ("tau2", {"tasks": []}),
    ],
)
def test_other_shapes_that_are_recognised(format, sample):
    assert [name for name, reader in readers().items() if reader.sniff(Head(json.dumps(sample).encode()))] == [format]


@pytest.mark.parametrize("format", LINE_FORMATS)
def test_a_few_bad_lines_at_the_top_do_not_hide_the_format(read, format):
    found, rejects = read("?\n[]\n{}\n" + json.dumps(SAMPLES[format]))
    assert (len(found), len(rejects)) == (1, 3)


@pytest.mark.parametrize("format", LINE_FORMATS)
def test_a_first_line_longer_than_the_head_is_recognised(read, format):
    sample = json.dumps(SAMPLES[format]).replace("hi", "hi " * 40_000)  # a long call, or a system prompt with a manual in it
    found, rejects = read(sample)
    assert (len(found), rejects) == (1, [])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
@pytest.mark.parametrize("format", LINE_FORMATS)
def test_line_separators_that_json_allows_inside_a_text_do_not_hide_the_format(read, format, separator):
    # Python's own json.dumps(ensure_ascii=False) writes them as they are; only \n ends a line of JSONL.
    sample = json.dumps(SAMPLES[format]).replace("hi", f"one{separator}two")
    assert len(read(sample)[0]) == 1


@pytest.mark.parametrize("data", ["hello\n", "{}\n", "[]", '{"id": 1}\n', "a,b\n1,2\n", '{\n "id": "a",\n "turns": []\n}'])
def test_an_unknown_format_lists_those_that_are_known(read, data):
    with pytest.raises(UsageProblem) as caught:
        read(data)
    assert str(caught.value).endswith(f"log.jsonl is in no format known here; say which with --format ({ALL})")


def test_an_ambiguous_format_lists_the_candidates(read):
    both = json.dumps(SAMPLES["openai"] | SAMPLES["sharegpt"])
    with pytest.raises(UsageProblem) as caught:
        read(both)
    assert str(caught.value).endswith(f"log.jsonl looks like openai, sharegpt; say which with --format ({ALL})")
    assert len(read(both, format="sharegpt")[0]) == 1  # told so, it is read


@pytest.mark.parametrize(("name", "hint"), [("nativ", " (did you mean 'native'?)"), ("TAU2", " (did you mean 'tau2'?)"), ("xml", "")])
def test_an_unknown_format_name_is_refused_with_the_nearest(read, name, hint):
    with pytest.raises(UsageProblem) as caught:
        read("", format=name)
    assert str(caught.value) == f"unknown format {name!r}{hint}; installed: {ALL}"


@given(st.binary(max_size=200))
@example(b"[" * 65_536)
@example(b'{"turns":' * 7_000)
@example(b'{"id":' + b"9" * 60_000 + b"}")
@example(b"[{" + b'"' * 60_000)
def test_sniffing_never_raises(data):
    for start in (b"", b"{", b"[{", b'{"info":'):
        for reader in readers().values():
            assert reader.sniff(Head(start + data)) in (True, False)


# What every reader promises. Arbitrary JSON is biased to the keys and values that the formats look at.

KEYS = (
    "id turns role text outcome meta action_prob signals messages content tool_calls function_call function name arguments refusal "
    "prompt completion conversations from value system task_id trial reward info error traj ticks reward_info type"
).split()
SCALARS = (
    st.sampled_from(["a", "agent", "assistant", "user", "tool", "human", "gpt", "", 0, 1, 0.5, None, True])
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"]) | JSON, "content": st.text(max_size=3) | JSON},
        optional={"tool_calls": JSON, "function_call": JSON, "refusal": JSON},
    ),
    max_size=3,
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from("abc") | JSON,
        "turns": st.lists(st.fixed_dictionaries({"role": st.just("agent") | JSON, "text": st.just("hi") | JSON}), max_size=3) | JSON,
        "messages": MESSAGES | JSON,
        "traj": MESSAGES | JSON,
        "conversations": st.lists(st.fixed_dictionaries({"from": st.just("gpt") | JSON, "value": st.just("hi") | JSON}), max_size=3) | JSON,
    }
    | dict.fromkeys(("prompt", "completion", "system", "outcome", "meta", "reward", "info", "reward_info", "task_id", "trial"), JSON),
)
# The shapes are deep, and drawing them is slower than what is tested.
slow_to_draw = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def line_numbers(data: bytes) -> list[int]:
    return [number for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]


def check_one_item_a_piece(result, numbers):
    found, rejects = result
    assert sorted(item.line for item in (*found, *rejects)) == list(numbers)
    assert all("\n" not in str(reject) for reject in rejects)  # a problem is one line, ready to print
    for item in found:
        assert item.transcript.agent_turns  # there is something to rate
        assert Transcript.model_validate_json(item.transcript.model_dump_json()) == item.transcript


@pytest.mark.parametrize("format", LINE_FORMATS)
@given(data=st.binary(max_size=300))
@example(b'{"id":"a","turns":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n{}")
@example(b'{"id":"a","messages":' + b'{"a":' * 100_000)
@example(b'{"id":' + b"9" * 5000 + b',"turns":[]}')
@settings(deadline=None)
def test_of_arbitrary_bytes_every_line_gives_exactly_one_item(read, format, data):
    data = b"\n" + data  # a first byte that is neither of gzip nor of a byte order mark
    check_one_item_a_piece(read(data, format=format), line_numbers(data))


@pytest.mark.parametrize("format", LINE_FORMATS)
@given(data=st.lists(OBJECTS | JSON, max_size=4))
@slow_to_draw
def test_of_arbitrary_json_every_line_gives_exactly_one_item(read, format, data):
    # A file that begins like an array of objects is read as one: rows, not lines.
    assume(not (data and isinstance(data[0], list) and data[0] and isinstance(data[0][0], dict)))
    lines = "\n".join(json.dumps(value) for value in data)
    check_one_item_a_piece(read(lines, format=format), line_numbers(lines.encode()))


@pytest.mark.parametrize(("format", "wrap"), [("tau-bench", "{}"), ("tau2", '{{"info": {{}}, "simulations": {}}}')])
@given(rows=st.lists(OBJECTS | JSON.filter(lambda row: row is not None), min_size=1, max_size=4))
@slow_to_draw
def test_of_arbitrary_json_every_row_gives_exactly_one_item(read, format, wrap, rows):
    check_one_item_a_piece(read(wrap.format(json.dumps(rows)), format=format), range(1, len(rows) + 1))


@pytest.mark.parametrize("format", ["tau-bench", "tau2"])
@given(data=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None)
def test_arbitrary_bytes_never_crash_the_readers_of_one_big_json(read, format, data):
    found, rejects = read(b"\n" + data, format=format)
    assert found or rejects  # nothing is skipped in silence


@pytest.mark.parametrize("format", SAMPLES)
@pytest.mark.parametrize("start", [b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\0", b"\xef\xbb\xbf", b"\xef\xbb", b"\xff\xfe", b"\xfe\xff"])
@given(data=st.binary(max_size=100))
@settings(max_examples=20, deadline=None)
def test_bytes_after_a_magic_number_never_crash_a_reader(read, format, start, data):
    try:
        read(start + data, format=format)
    except UsageProblem as problem:
        assert "UTF-16" in str(problem)
