"""Entry points: by name, in order, and also those of a folder that comes to the path later."""

from pathlib import Path

import pytest

from dialogue.installed import installed


def test_what_is_plugged_in_is_found_in_order_and_also_in_folders_that_come_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = installed("judge.readers")
    assert list(ours) == sorted(ours) and "native" in ours
    assert installed("judge.nothing") == {}
    (info := tmp_path / "stranger-1.0.dist-info").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[judge.readers]\naaa = pathlib:Path\n")
    monkeypatch.syspath_prepend(tmp_path)
    later = installed("judge.readers")
    assert list(later) == ["aaa", *ours] and later["aaa"].load() is Path
