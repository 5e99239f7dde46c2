"""Bytes on their way in: compression, encodings, line ends, lines too long, files that break off."""

import gzip
import io
import json
import os
import sys
import tracemalloc
import zlib
from functools import partial

import pytest

from dialogue import UsageProblem, read_transcripts
from dialogue.reading import Reading

compress = partial(gzip.compress, mtime=0)  # the same bytes in every process: they name tests


def line(name: str, text: str = "hi") -> bytes:
    return json.dumps({"id": name, "turns": [{"role": "agent", "text": text}]}, ensure_ascii=False).encode() + b"\n"


def numbered(count: int, text: str = "hi") -> bytes:
    return b"".join(line(str(number), text) for number in range(count))


def ids(found):
    return [item.transcript.id for item in found]


TWO = line("a") + line("b")
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.jsonl", TWO),
        ("no-last-newline.jsonl", TWO.rstrip()),
        ("log.jsonl.gz", compress(TWO)),
        ("misnamed.jsonl", compress(TWO)),
        ("not-really.gz", TWO),
        ("two-members.gz", compress(line("a")) + compress(line("b"))),
        ("bom.jsonl", BOM + TWO),
        ("bom.gz", compress(BOM + TWO)),
        ("crlf.jsonl", TWO.replace(b"\n", b"\r\n")),
        ("blank-lines.jsonl", b"\n  \n\t\r\n" + line("a") + b"\n\n" + line("b") + b"\n \n"),
        ("spaces-around.jsonl", b"  " + line("a") + b"\t" + line("b")),
        ("line-separators-in-text.jsonl", line("a", "one\u2028two\u2029three\x85four") + line("b")),
        ("longer-than-the-head.jsonl", line("a") + line("b", "x" * 200_000)),
    ],
)
def test_these_are_two_dialogues(read, name, data):
    found, rejects = read(data, name)
    assert (ids(found), rejects) == (["a", "b"], [])


def test_blank_lines_are_counted_so_that_line_numbers_match_an_editor(read):
    found, rejects = read(b"\n" + line("a") + b"\r\n\n?\n")
    assert ([item.line for item in found], [reject.line for reject in rejects]) == ([2], [5])


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", BOM, compress(b"")])
def test_an_empty_file_is_an_empty_log(read, data):
    assert read(data) == ([], [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_utf_16_is_refused_with_the_command_that_helps(read, encoding, squeeze):
    text = TWO.decode() if encoding == "utf-16" else "\ufeff" + TWO.decode()
    with pytest.raises(UsageProblem, match=r"log\.jsonl is UTF-16; expected UTF-8: .*iconv"):
        read(squeeze(text.encode(encoding)))


@pytest.mark.parametrize(("name", "why"), [("missing.jsonl", "No such file"), ("", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_a_usage_problem(tmp_path, name, why):
    with pytest.raises(UsageProblem, match=f"cannot read .*{why}.*; name an existing file"):
        list(read_transcripts(tmp_path / name))


# Standard input


@pytest.mark.parametrize("data", [TWO, compress(TWO), BOM + TWO])
def test_a_dash_is_standard_input(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert [transcript.id for transcript in read_transcripts("-")] == ["a", "b"]
    assert not sys.stdin.buffer.closed  # it is not ours to close


def test_rejects_and_made_up_ids_of_standard_input_name_it(monkeypatch):
    data = b'{"messages": [{"role": "assistant", "content": "hi"}]}\n?\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    rejects = []
    found = list(Reading(["-"], on_reject=rejects.append))
    assert (ids(found), [(reject.file, reject.line) for reject in rejects]) == (["stdin:1"], [("<stdin>", 2)])


def test_a_pipe_is_read_and_has_no_position(monkeypatch):
    reading_end, writing_end = os.pipe()
    os.write(writing_end, TWO)
    os.close(writing_end)
    with os.fdopen(reading_end, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        reading = Reading(["-"])
        assert [(item.transcript.id, reading.position) for item in reading] == [("a", None), ("b", None)]


# Lines that are no text


@pytest.mark.parametrize(
    ("bad", "reason", "raw"),
    [
        (b'{"id": "\xff"}', "not UTF-8 (byte 0xff at column 9)", "base64:eyJpZCI6ICL/In0="),  # bytes that no str can hold, kept whole
        (b'{"id": "\x00"}', "a NUL byte at column 9", '{"id": "\x00"}'),
        (b"\x00" * 4, "a NUL byte at column 1", "\x00" * 4),  # what a crash leaves at the end of a log
    ],
)
def test_bytes_that_are_no_text_are_one_reject_and_the_rest_goes_on(read, bad, reason, raw):
    found, (reject,) = read(line("a") + bad + b"\n" + line("b"))
    assert ids(found) == ["a", "b"]
    assert (reject.line, reject.reason, reject.raw) == (2, reason, raw)


# Lines too long


def padded(name: str, size: int) -> bytes:
    """Return a dialogue's line of exactly `size` bytes, without its line end."""
    return line(name, "x" * (size - len(line(name, "")) + 1)).rstrip()


def test_a_line_of_ten_megabytes_is_read(read):
    found, rejects = read(padded("a", 10_000_000) + b"\n" + line("b"), format="native")
    assert (ids(found), rejects) == (["a", "b"], [])


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("size", [999, 1000, 1001, 1002, 2002, 2003, 5000])
def test_lines_up_to_the_limit_are_read_and_longer_ones_refused_with_their_size(read, monkeypatch, size, end):
    monkeypatch.setattr("dialogue.source.MAX_LINE_BYTES", 1000)
    found, rejects = read(line("first") + padded("long", size) + end)
    if size <= 1000:
        assert (ids(found), rejects) == (["first", "long"], [])
    else:
        assert ids(found) == ["first"]
        assert [(reject.line, reject.raw) for reject in rejects] == [(2, None)]
        assert rejects[0].reason == f"the line is {size:,} bytes long"
        assert "at most 1,000" in rejects[0].expected


def test_what_follows_a_line_too_long_is_read(read, monkeypatch):
    monkeypatch.setattr("dialogue.source.MAX_LINE_BYTES", 1000)
    found, (reject,) = read(line("a") + padded("long", 4321) + b"\n" + line("b"))
    assert ([(item.transcript.id, item.line) for item in found], reject.line) == ([("a", 1), ("b", 3)], 2)


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_a_line_too_long_is_never_held_in_memory(tmp_path, monkeypatch, squeeze):
    monkeypatch.setattr("dialogue.source.MAX_LINE_BYTES", 100_000)
    path = tmp_path / "log.jsonl"
    path.write_bytes(squeeze(line("a") + b"x" * 20_000_000 + b"\n" + line("b")))
    tracemalloc.start()
    try:
        assert ids(Reading([path], on_reject=lambda reject: None)) == ["a", "b"]
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_the_limit_is_below_seventy_megabytes(read):
    found, (reject,) = read(line("a") + b"x" * 70_000_000, format="native")
    assert (ids(found), reject.reason) == (["a"], "the line is 70,000,000 bytes long")


# Files that break off

RANDOM_LOOKING = "".join(chr(97 + number * number % 26) for number in range(50))


@pytest.mark.parametrize("count", [100, 20_000], ids=["shorter than the head", "longer than the head"])
@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_of_a_truncated_gzip_every_line_that_can_be_had_is_kept(read, count, kept):
    squeezed = compress(numbered(count, RANDOM_LOOKING))
    cut = squeezed[: int(len(squeezed) * kept)]
    whole_lines = zlib.decompressobj(wbits=31).decompress(cut).count(b"\n")
    assert whole_lines > 0
    found, (reject,) = read(cut)
    assert ids(found) == [str(number) for number in range(whole_lines)]
    assert (reject.line, reject.raw) == (whole_lines + 1, None)
    assert reject.reason.startswith("the file breaks off here")


@pytest.mark.parametrize("count", [2, 20_000])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-8],  # without checksum and length
        lambda data: data[:-8] + b"\0\0\0\0" + data[-4:],  # a wrong checksum
        lambda data: data + b"garbage",
        lambda data: data + b"??",
    ],
    ids=["no checksum", "wrong checksum", "garbage after it", "two bytes after it"],
)
def test_a_gzip_damaged_at_its_end_gives_its_lines_and_one_reject(read, count, damage):
    found, (reject,) = read(damage(compress(numbered(count))))
    assert len(found) == count
    assert (reject.line, reject.raw) == (count + 1, None)


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8b\x08garbage and more", compress(TWO)[:12]])
@pytest.mark.parametrize("format", ["native", "openai", "sharegpt", "tau-bench", "tau2"])
def test_a_gzip_broken_from_its_start_is_one_reject(read, data, format):
    found, (reject,) = read(data, format=format)
    assert (found, reject.line) == ([], 1)
