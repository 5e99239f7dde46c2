"""Data files: found by name or path, read or refused in words, and every mistake traced to its line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from dialogue import datafile
from dialogue.errors import UsageProblem


class Room(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    doors: int = 1


class House(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: str
    room: tuple[Room, ...] = ()
    cellar: Room | None = None
    shelves: dict[str, Room] = {}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "house.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.mark.parametrize(("package", "folder", "name"), [("judge", "rubrics", "sales"), ("rewards", "recipes", "blend")])
def test_shipped_files_go_by_their_stem(package: str, folder: str, name: str) -> None:
    found = datafile.shipped(package, folder)
    assert list(found) == sorted(found)
    assert found[name].is_file()


def test_a_name_is_looked_up_and_a_path_is_taken_as_it_is(write: Callable[[str], Path]) -> None:
    path = write('street = "Elm"')
    assert datafile.find("elm", "house", {"elm": path}) == path
    assert datafile.find(str(path), "house", {}) == path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("eml", ["unknown house 'eml'", "did you mean 'elm'?", "shipped: elm, oak", ".toml"]),
        ("ELM", ["did you mean 'elm'?"]),
        ("skyscraper", ["unknown house 'skyscraper'; shipped: elm, oak"]),
        ("nowhere/elm.toml", ["no house file 'nowhere/elm.toml'", "shipped: elm, oak"]),
    ],
)
def test_what_cannot_be_found_is_named_with_what_could(name: str, words: list[str]) -> None:
    with pytest.raises(UsageProblem) as problem:
        datafile.find(name, "house", {"elm": Path("elm.toml"), "oak": Path("oak.toml")})
    assert all(word in str(problem.value) for word in words), problem.value


def test_a_folder_is_not_a_data_file(tmp_path: Path) -> None:
    (folder := tmp_path / "house.toml").mkdir()
    with pytest.raises(UsageProblem, match="no house file"):
        datafile.find(str(folder), "house", {})
    with pytest.raises(UsageProblem, match="cannot read"):
        datafile.load(folder, House)


@pytest.mark.parametrize("content", [b'street = "\xff"', b"\xff\xfes\x00"], ids=["latin-1", "utf-16"])
def test_a_file_that_is_not_utf8_is_refused(content: bytes, write: Callable[[bytes], Path]) -> None:
    with pytest.raises(UsageProblem, match=r"cannot read .*house\.toml"):
        datafile.load(write(content), House)


def test_every_mistake_gets_its_own_line(write: Callable[[str], Path]) -> None:
    path = write('steet = "Elm"\n\n[[room]]\nname = "hall"\ndoors = "many"\n')
    with pytest.raises(UsageProblem) as problem:
        datafile.load(path, House)
    lines = str(problem.value).splitlines()
    assert [line.removeprefix(str(path)).split(": ")[0] for line in lines] == [":1", ":5", ":1"]
    assert "'street' is missing" in lines[0]
    assert "'many'" in lines[1]
    assert "unknown key 'steet' (did you mean 'street'?); allowed: street, room, cellar, shelves" in lines[2]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('street = "Elm"\n[cellar]\nnme = "dark"', 3, "did you mean 'name'?); allowed: name, doors"),
        ('street = "Elm"\n[cellar]  # below\n"name" = "dark"\n"doors" = []', 4, "cellar.doors"),
        ('street = "Elm"\n[[room]]\nname = "a"\n[[room]]\nname = "b"\ndors = 2\n[[room]]\nname = "c"', 6, "did you mean 'doors'?"),
        ('street = "Elm"\n[[room]]\nname = "a"\n[[room]]\ndoors = 2', 4, "'room.1.name' is missing"),
        ('street = "Elm"\n[shelves]\nold = { name = "o" }\nnew = { name = "n", doors = 0.5 }', 4, "0.5"),
        ('street = "Elm"\n[shelves.old]\nname = "o"\n[shelves.new]\nname = "n"\ndoors = 0.5', 6, "0.5"),
        ('room = [{ name = "a" }, { name = 7 }]\nstreet = "Elm"', 1, "7"),
        ('street = "Elm"\n\n[cellar]\nname = dark', 4, "not valid TOML"),
        ('street = "Elm"\nstreet = "Oak"', 2, "not valid TOML"),
        ('street = "Elm"\nroom = [', 2, "not valid TOML"),
    ],
)
def test_a_mistake_is_traced_to_its_line(text: str, line: int, words: str, write: Callable[[str], Path]) -> None:
    path = write(text)
    with pytest.raises(UsageProblem) as problem:
        datafile.load(path, House)
    said = [one for one in str(problem.value).splitlines() if one.startswith(f"{path}:{line}: ")]
    assert any(words in one for one in said), problem.value
