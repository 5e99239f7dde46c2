"""The fake provider of benchmarks/provider as a process for tests: one for many tests, as new for each of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

PROGRAM = Path(__file__).parent.parent / "benchmarks/provider"
KEY = "sk-proj-TESTKEY0123456789abcdefXYZ"
VENDORS = ("OPENAI_", "ANTHROPIC_", "COMPATIBLE_")

Json = dict[str, Any]


class Provider:
    """A running provider, and what it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._defaults = self.set() | {"key": ""}  # which is not shown

    def set(self, **settings: Any) -> Json:
        """Change settings, as flags of the program with underscores; return them all."""
        return self._ask("/control", settings)

    def restart(self) -> None:
        """Forget everything: settings, counts, the prompt cache, what was answered."""
        deadline = time.monotonic() + 10
        while self.stats()["in_flight"] and time.monotonic() < deadline:  # a hanging request of the test before
            time.sleep(0.01)
        self.set(**self._defaults)
        self.set(reset=True)

    def stats(self) -> Json:
        """Return the counts since the test began."""
        return self._ask("/stats")

    def asked(self) -> int:
        """Return how many requests came to the models."""
        return int(self.stats()["requests"]["total"])

    def bodies(self) -> list[Json]:
        """Return the last requests' bodies, oldest first; `keep_bodies` must be set before."""
        return list(self.stats()["last"])

    @property
    def environ(self) -> dict[str, str]:
        """Variables that lead every judge here."""
        v1 = f"{self.url}/v1"
        return {
            "OPENAI_BASE_URL": v1,
            "OPENAI_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": KEY,
            "COMPATIBLE_API_KEY": KEY,
        }

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data=data), timeout=10) as reply:
            return dict(json.load(reply))


def without_vendors(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which no provider is named and no key set."""
    return {name: value for name, value in environ.items() if not name.startswith(VENDORS)}


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, "--port", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=without_vendors(os.environ)
    )
    assert process.stdin and process.stdout
    try:
        yield Provider(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    provider_process.restart()
    return provider_process
