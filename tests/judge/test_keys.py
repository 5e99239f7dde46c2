"""Keys: found in the environment or in a file that it names, never told, and wiped from whatever is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from judge.keys import find_key, need_key, wiped
from judge.recording import scrubbed

NAME = "OPENAI_API_KEY"
KEY = "sk-proj-0123456789-abcdefghij_KLM"


# Finding


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({}, None),
        ({NAME: ""}, None),
        ({NAME: " \n"}, None),
        ({NAME: KEY}, KEY),
        ({NAME: f" {KEY}\n"}, KEY),  # as a shell's $(cat file) or a careless paste leaves it
        ({"ANTHROPIC_API_KEY": KEY}, None),
        ({NAME: KEY, f"{NAME}_FILE": "/nowhere"}, KEY),  # the variable counts, the file is not looked at
        ({f"{NAME}_FILE": ""}, None),
        ({f"{NAME}_FILE": "  "}, None),
    ],
)
def test_a_key_in_the_environment(environ: dict[str, str], key: str | None) -> None:
    assert find_key(NAME, environ) == key


@pytest.mark.parametrize("content", [KEY, f"{KEY}\n", f"\n  {KEY}  \r\n\n"])
@pytest.mark.parametrize("variable", [None, "", "  "])
def test_a_key_in_a_file(content: str, variable: str | None, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(content.encode())
    environ = {f"{NAME}_FILE": f" {path} "} | ({} if variable is None else {NAME: variable})
    assert find_key(NAME, environ) == need_key(NAME, environ) == KEY


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the key file {path} that OPENAI_API_KEY_FILE names is empty"),
        (b" \n\t\n", "the key file {path} that OPENAI_API_KEY_FILE names is empty"),
        (b"\xff\xfe\x00s\x00k", "cannot read the key file {path} that OPENAI_API_KEY_FILE names: it is not text"),
        (None, "cannot read the key file {path} that OPENAI_API_KEY_FILE names: No such file or directory"),
        ("folder", "cannot read the key file {path} that OPENAI_API_KEY_FILE names: Is a directory"),
        (b"sk-one\nsk-two\n", "OPENAI_API_KEY holds no key: spaces, line breaks or characters outside ASCII are in it"),
        ("sk-schlüssel".encode(), "OPENAI_API_KEY holds no key: spaces, line breaks or characters outside ASCII are in it"),
        (b"\xef\xbb\xbfsk-0123456789", "OPENAI_API_KEY holds no key: spaces, line breaks or characters outside ASCII are in it"),
    ],
)
def test_a_file_that_holds_no_key_is_told(content: bytes | str | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UsageProblem) as raised:
        find_key(NAME, {f"{NAME}_FILE": str(path)})
    assert str(raised.value) == told.format(path=path)


@pytest.mark.parametrize("key", ["sk-one sk-two", "sk-one\nsk-two", "sk-on\x00e", "sk-“one”", "sk-one\u200b", "sk-\tone", "\x1b[31msk-one"])
def test_what_cannot_be_a_key_is_refused_and_not_told(key: str) -> None:
    with pytest.raises(UsageProblem, match="OPENAI_API_KEY holds no key") as raised:
        find_key(NAME, {NAME: key})
    assert "sk-" not in str(raised.value)


@given(st.text())
def test_a_key_that_is_found_can_stand_in_a_header(text: str) -> None:
    try:
        key = find_key(NAME, {NAME: text})
    except UsageProblem as problem:
        assert len(text.strip()) < 12 or text.strip() not in str(problem)
    else:
        assert key is None or (key.isascii() and key.isprintable() and " " not in key and key == text.strip())


@pytest.mark.parametrize("environ", [{}, {NAME: " "}, {f"{NAME}_FILE": ""}])
def test_no_key_is_told_with_where_it_belongs(environ: dict[str, str]) -> None:
    with pytest.raises(UsageProblem) as raised:
        need_key(NAME, environ)
    told = "no key: set OPENAI_API_KEY, or OPENAI_API_KEY_FILE to a file that holds it; keys are never taken from the command line"
    assert str(raised.value) == told
    assert need_key(NAME, {NAME: KEY}) == KEY


# Wiping


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"wrong key {KEY}!", "wrong key [key]!"),
        (f"{KEY},{KEY}", "[key],[key]"),
        ("Incorrect API key provided: sk-abc12***********wxyz.", "Incorrect API key provided: [key]."),
        ("sk-ant-api03-R2D2_c3po-0123456789abcdef", "[key]"),
        ("pk_live_0123456789abcdef", "[key]"),
        ("in organization org-AbCdEf0123456789AbCdEf01 on requests", "in organization [key] on requests"),
        ("project proj_AbCdEf0123456789AbCdEf01", "project [key]"),
        ("user user-AbCdEf0123456789AbCdEf01", "user [key]"),
        ("workspace wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ", "workspace [key]"),
        ("req_011CSHoEeqs5C35K2UUqR7Fy", "[key]"),
        ("resp_0123456789abcdef0123456789abcdef", "[key]"),
        ("msg_013Zva2CMHLNnjNjJKqJ2EF", "[key]"),
        ("msgbatch_013Zva2CMHLNnjNjJKqJ2EF", "[key]"),
        ("chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "[key]"),
        ("Authorization: Bearer abc.def-0123/+=", "Authorization: [key]"),
        ("Bearer   abc", "[key]"),
        (f'{{"key": "{KEY}"}}', '{"key": "[key]"}'),
    ],
)
def test_what_looks_like_a_key_or_an_account_is_wiped(text: str, left: str) -> None:
    assert wiped(text) == left
    assert wiped(text, KEY) == left
    assert wiped(left) == left


@pytest.mark.parametrize("key", ["hunter2hunter2", "a.b+c/d=e~f", "(.*)[a-z]", "ABCDEFGH"])
def test_the_key_itself_is_wiped_whatever_its_form(key: str) -> None:
    assert wiped(f"x{key}y {key}", None, key) == "x[key]y [key]"
    assert wiped(f"x{key}y") == f"x{key}y"


@pytest.mark.parametrize("key", [None, "", "none", "key", "1234567"])
def test_a_word_too_short_to_be_a_key_wipes_nothing(key: str | None) -> None:
    assert wiped("none of the keys is 1234567, monkey", key) == "none of the keys is 1234567, monkey"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The agent asks the user to confirm the request.",
        "task-oriented desk-bound risk-averse ask-me-anything disk_usage",
        '{"user_satisfaction": 4, "user-friendliness": 5, "resp_onse_quality": 3, "msg_clarity_and_so_on": 2}',
        "sk-eptical-customers, pk_agreements; project-organisation, req-uirements_of_everyone, user_2, org-13, user_story_0123456789",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "This model's maximum context length is 8192 tokens (messages: 9000).",
        "organization organisation, project; response message",
        '{"quote": "We reorg-anised", "reason": "so", "listens": 4}',
        "the bearer of bad news",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert wiped(text, KEY) == text


@pytest.mark.parametrize("field", ["text", "content", "token", "refusal"])
def test_a_recording_keeps_what_the_model_said_and_no_account(field: str) -> None:
    words = f'{{"quote": "so user-friendly", "reason": "{KEY}", "user_satisfaction": 4}}'
    reply = {"output": [{field: words, "error": f"wrong key {KEY}", "id": "msg_1"}], "user": "me"}
    assert scrubbed(reply) == {"output": [{field: words, "error": "wrong key [key]"}]}
    assert scrubbed({field: [{"text": words, "status": KEY, "id": "b"}]}) == {field: [{"text": words, "status": "[key]"}]}


@given(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=20, max_size=40).filter(lambda tail: not tail.isalpha()),
    st.sampled_from(" \n\"'.,:;()[]{}="),
    st.sampled_from(" \n\"',:;()[]{}="),
)
def test_a_key_is_wiped_wherever_it_stands(tail: str, before: str, after: str) -> None:
    for key in (f"sk-{tail}", f"sk-proj-{tail}", f"sk-ant-api03-{tail}", f"org-{tail}"):
        assert tail not in wiped(f"a{before}{key}{after}b")
