"""What stands after `--judge provider:`: models, addresses, options, and what is told about wrong ones."""

from typing import Any

import pytest

from dialogue.errors import UsageProblem
from judge.models.spec import EFFORTS, ModelSpec, read_spec

OPTIONS = ("temperature", "effort", "max_output_tokens", "logprobs", "api", "echo")


@pytest.mark.parametrize(
    ("rest", "spec"),
    [
        ("gpt-6-luna", {}),
        ("gpt-6-luna?", {}),
        ("gpt-6-luna?temperature=0", {"temperature": 0.0}),
        ("gpt-6-luna?temperature=2", {"temperature": 2.0}),
        ("gpt-6-luna?temperature=0.7&effort=xhigh", {"temperature": 0.7, "effort": "xhigh"}),
        ("gpt-6-luna?max_output_tokens=1", {"max_output_tokens": 1}),
        ("gpt-6-luna?logprobs=true", {"logprobs": True}),
        ("gpt-6-luna?logprobs=Yes", {"logprobs": True}),
        ("gpt-6-luna?logprobs=1", {"logprobs": True}),
        ("gpt-6-luna?logprobs=False", {"logprobs": False}),
        ("gpt-6-luna?logprobs=0", {"logprobs": False}),
        ("gpt-6-luna?api=chat", {"api": "chat"}),
        ("gpt-6-luna?echo=gpt-6-luna-2026-09-22", {"echo": "gpt-6-luna-2026-09-22"}),
        ("gpt-6-luna?echo=org%2Fmodel%3Ffree", {"echo": "org/model?free"}),
    ],
)
def test_a_model_and_its_options(rest: str, spec: dict[str, Any]) -> None:
    assert read_spec("openai", rest, OPTIONS) == ModelSpec("gpt-6-luna", **spec)


@pytest.mark.parametrize("effort", EFFORTS)
def test_every_effort_is_one(effort: str) -> None:
    assert read_spec("openai", f"m?effort={effort}", OPTIONS).effort == effort


@pytest.mark.parametrize(
    ("rest", "model", "url"),
    [
        ("m@http://localhost:8000/v1", "m", "http://localhost:8000/v1"),
        ("org/model:7b@https://host.example/api/v1", "org/model:7b", "https://host.example/api/v1"),
        ("m@http://127.0.0.1:8000/v1?temperature=0.5", "m", "http://127.0.0.1:8000/v1"),
        ("m@http://[::1]:8000/v1", "m", "http://[::1]:8000/v1"),
        ("google/gemini-9@001@http://h/v1", "google/gemini-9@001", "http://h/v1"),
        ("m@2026-01-01@https://h/v1?temperature=0.5", "m@2026-01-01", "https://h/v1"),
        ("@cf/meta/llama-9@http://h/v1", "@cf/meta/llama-9", "http://h/v1"),
    ],
)
def test_a_compatible_server_has_an_address(rest: str, model: str, url: str) -> None:
    spec = read_spec("compatible", rest, OPTIONS, url=True)
    assert (spec.model, spec.url) == (model, url)
    assert spec.temperature == (0.5 if "temperature" in rest else None)


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("", "--judge openai: which model? Expected openai:MODEL"),
        (" ", "--judge openai: which model? Expected openai:MODEL"),
        ("?temperature=1", "--judge openai: which model? Expected openai:MODEL"),
        ("m?tempreature=1", "--judge openai: unknown option 'tempreature' (did you mean 'temperature'?); allowed: " + ", ".join(OPTIONS)),
        ("m?seed=1", "--judge openai: unknown option 'seed'; allowed: " + ", ".join(OPTIONS)),
        ("m?api_key=sk-1", "--judge openai: unknown option 'api_key' (did you mean 'api'?); allowed: " + ", ".join(OPTIONS)),
        ("m?temperature=hot", "--judge openai: option temperature is 'hot'; expected a number from 0 to 2"),
        ("m?temperature", "--judge openai: option temperature is ''; expected a number from 0 to 2"),
        ("m?temperature=-0.1", "--judge openai: option temperature is '-0.1'; expected a number from 0 to 2"),
        ("m?temperature=2.1", "--judge openai: option temperature is '2.1'; expected a number from 0 to 2"),
        ("m?temperature=nan", "--judge openai: option temperature is 'nan'; expected a number from 0 to 2"),
        ("m?temperature=inf", "--judge openai: option temperature is 'inf'; expected a number from 0 to 2"),
        ("m?max_output_tokens=0", "--judge openai: option max_output_tokens is '0'; expected a whole number from 1"),
        ("m?max_output_tokens=1.5", "--judge openai: option max_output_tokens is '1.5'; expected a whole number from 1"),
        ("m?max_output_tokens=-5", "--judge openai: option max_output_tokens is '-5'; expected a whole number from 1"),
        ("m?logprobs=maybe", "--judge openai: option logprobs is 'maybe'; expected true or false"),
        ("m?logprobs=", "--judge openai: option logprobs is ''; expected true or false"),
        ("m?effort=lots", "--judge openai: option effort is 'lots'; expected none, minimal, low, medium, high, xhigh, max"),
        ("m?effort=Low", "--judge openai: option effort is 'Low'; expected none, minimal, low, medium, high, xhigh, max"),
        ("m?api=batch", "--judge openai: option api is 'batch'; expected responses or chat"),
        ("m?echo=", "--judge openai: option echo is ''; expected the name under which the server answers"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(rest: str, told: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        read_spec("openai", rest, OPTIONS)
    assert str(raised.value) == told


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("m", "--judge compatible:m: the server's address is ''; expected compatible:MODEL@http://HOST/v1"),
        ("m@", "--judge compatible:m: the server's address is ''; expected compatible:MODEL@http://HOST/v1"),
        ("m@localhost:8000", "--judge compatible:m: the server's address is 'localhost:8000'; expected compatible:MODEL@http://HOST/v1"),
        ("m@ftp://h/v1", "--judge compatible:m: the server's address is 'ftp://h/v1'; expected compatible:MODEL@http://HOST/v1"),
        ("m@http://", "--judge compatible:m: the server's address is 'http://'; expected compatible:MODEL@http://HOST/v1"),
        ("m@http:///v1", "--judge compatible:m: the server's address is 'http:///v1'; expected compatible:MODEL@http://HOST/v1"),
        ("m@http://[::1/v1", "--judge compatible:m: the server's address is 'http://[::1/v1'; expected compatible:MODEL@http://HOST/v1"),
        ("m@http://[x]/v1", "--judge compatible:m: the server's address is 'http://[x]/v1'; expected compatible:MODEL@http://HOST/v1"),
        (
            "m@http://h:port/v1",
            "--judge compatible:m: the server's address is 'http://h:port/v1'; expected compatible:MODEL@http://HOST/v1",
        ),
        ("m@http://h:99999", "--judge compatible:m: the server's address is 'http://h:99999'; expected compatible:MODEL@http://HOST/v1"),
        ("m@http://h:0/v1", "--judge compatible:m: the server's address is 'http://h:0/v1'; expected compatible:MODEL@http://HOST/v1"),
        ("@http://h/v1", "--judge compatible: which model? Expected compatible:MODEL@http://HOST/v1"),
        ("", "--judge compatible:: the server's address is ''; expected compatible:MODEL@http://HOST/v1"),
    ],
)
def test_a_compatible_server_needs_an_address(rest: str, told: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        read_spec("compatible", rest, OPTIONS, url=True)
    assert str(raised.value) == told


@pytest.mark.parametrize(
    "address",
    [
        "http://me:hunter2@h/v1",
        "https://hunter2@h/v1",
        "http://:hunter2@h/v1",
        "HTTP://hunter2@h/v1",
        "ftp://hunter2@h/v1",
        "me:hunter2@h",
        "http://hunter2@[::1/v1",
        "http://h/v1@hunter2",
    ],
)
def test_a_key_in_an_address_is_refused_and_not_told(address: str) -> None:
    with pytest.raises(UsageProblem, match="set COMPATIBLE_API_KEY instead") as raised:
        read_spec("compatible", f"m@{address}", OPTIONS, url=True)
    assert "hunter2" not in str(raised.value)


def test_an_option_that_the_api_lacks_is_unknown_to_it() -> None:
    with pytest.raises(UsageProblem, match="unknown option 'logprobs'; allowed: temperature, echo"):
        read_spec("anthropic", "m?logprobs=true", ("temperature", "echo"))


def test_an_effort_that_the_api_lacks_is_told_with_those_that_it_has() -> None:
    with pytest.raises(UsageProblem, match="option effort is 'minimal'; expected low, high"):
        read_spec("anthropic", "m?effort=minimal", OPTIONS, efforts=("low", "high"))


@pytest.mark.parametrize(
    ("spec", "sampling"),
    [
        (ModelSpec("m"), "default"),
        (ModelSpec("m", url="http://h", echo="x"), "default"),
        (ModelSpec("m", temperature=1.0), "temperature=1"),
        (ModelSpec("m", temperature=0.0), "temperature=0"),
        (ModelSpec("m", temperature=0.25, effort="low", max_output_tokens=9, logprobs=True, api="chat"),
         "temperature=0.25 effort=low max_output_tokens=9 logprobs=True api=chat"),
        (ModelSpec("m", logprobs=False), "default"),
    ],
)  # fmt: skip
def test_sampling_names_what_was_asked_for(spec: ModelSpec, sampling: str) -> None:
    assert spec.sampling == sampling
