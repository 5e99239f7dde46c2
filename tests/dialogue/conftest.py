"""The one fixture all reader tests use: bytes in a real file, read through the public door."""

from collections.abc import Callable
from typing import Any

import pytest

from dialogue.reader import Found, Reject
from dialogue.reading import Reading

Read = Callable[..., tuple[list[Found], list[Reject]]]


@pytest.fixture(scope="session")  # for the session, so that hypothesis may use it; every call overwrites the file
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("read")

    def read(data: bytes | str, name: str = "log.jsonl", **settings: Any) -> tuple[list[Found], list[Reject]]:
        path = folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        rejects: list[Reject] = []
        return list(Reading([path], on_reject=rejects.append, **settings)), rejects

    return read
