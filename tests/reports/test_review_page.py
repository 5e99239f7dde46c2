"""The review page in a real browser: people can review by keyboard alone, nothing is lost, nothing of a transcript runs."""

import base64
import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from dialogue.visible import shown
from golden_set.audit.review import Review, make_review
from golden_set.audit.sample import AuditItem, AuditSample, Framed, Purpose, Stratum
from judge.local import LocalJudge
from judge.rubric import Rubric, Unit, load_rubric
from reports.review_page import FORM

ROOT = Path(__file__).parent.parent.parent
RUBRIC = load_rubric("collections")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
HOSTILE = (
    "</script><script>window.ran = 1; alert(1)</script><!-- <script> ]]> -->",
    "\"double\" 'single' `${window.ran = 1}` {{ 7*7 }} {% raw %} &lt;b&gt; \\u003cb\\u003e \\",
    "\u202eright to left\u202c \u2066isolated\u2069 zero\u200bwidth \ufeff tags \U000e0041",
    "line\u2028and\u2029paragraph, null \x00, escape \x1b[31m, lone \ud800 and \udfff, \r\n, \ufffe",
    '<img src=x onerror="window.ran = 1"> <svg onload=window.ran=1> javascript:alert(1) __proto__ constructor',
    "<b>\u0645\u0631\u062d\u0628\u0627</b> \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600 long </textarea> " * 2_300,
    "x" * 50_000,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        told = "no browser: `chromium` is not on the PATH (Debian: apt-get install chromium)"
        if os.environ.get("CI_BROWSER"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS.split())
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, path: Path, *, begun: bool = True, init: str = "", **context: object) -> Iterator[Page]:
    """Open a page from the disk; afterwards check that nothing asked the network, complained or ran."""
    made = browser.new_context(**({"viewport": DESK, "reduced_motion": "reduce"} | context))
    page = made.new_page()
    page.set_default_timeout(10_000)
    odd: list[str] = []
    page.on("console", lambda message: odd.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: odd.append(f"error: {error}"))
    page.on("request", lambda request: odd.append(request.url) if not request.url.startswith(("file:///", "blob:")) else None)
    if init:
        page.add_init_script(init)
    page.goto(path.as_uri())
    if begun:
        page.keyboard.press("Enter")  # the help is open, its button Begin has the focus
    yield page
    assert page.evaluate("window.ran") is None
    assert odd == []
    made.close()


def review_of(*transcripts: Transcript, rubric: Rubric = RUBRIC, name: str = "2026-11", part: int = 1) -> Review:
    judge = LocalJudge(rubric)
    verdicts = {transcript.id: judge.verdict(transcript) for transcript in {one.id: one for one in transcripts}.values()}
    items = []
    for at, transcript in enumerate(transcripts, 1):
        framed = Framed(
            id=transcript.id, content_hash="0", stratum="all", slices=(), reward=None, handling=0.0, spread=0.0, means={}, violated=()
        )
        masked = transcript.model_copy(update={"id": f"e{at:03}"})
        items.append(
            AuditItem(
                item=f"e{at:03}",
                purpose=Purpose.ESTIMATE,
                twice=True,
                framed=framed,
                inclusion=1.0,
                shown=masked,
                verdict=verdicts[transcript.id],
            )
        )
    sample = AuditSample(
        name=name,
        drawn_on=date(2026, 11, 21),
        seed=1,
        judge=items[0].verdict.judge,
        rubric=rubric,
        recipe="blend@0",
        outcomes="collections@0",
        stratified_by=(),
        strata=(Stratum(name="all", size=len(items), drawn=len(items)),),
        asked_for=len(items),
        rare=0,
        hunted=0,
        twice=len(items),
        masked=True,
        unscored=0,
        duplicates=0,
    )
    return make_review(sample, items, part)


def examples() -> list[Transcript]:
    return [Transcript.model_validate_json(line) for line in (ROOT / "examples" / "collections.jsonl").read_text().splitlines()]


def hostile() -> Transcript:
    turns = tuple(Turn(role=Role.AGENT if at % 2 else Role.USER, text=text) for at, text in enumerate(HOSTILE))
    return Transcript(id="hostile", turns=turns, outcome="</script><script>window.ran = 1</script>")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Review, Path]:
    """Return a review of two calls: four and three agent turns, and each call as a whole."""
    review = review_of(*examples()[:2])
    (path,) = FORM.write(review, tmp_path_factory.mktemp("small"))
    return review, path


def saved(page: Page, folder: Path, act: Callable[[], object]) -> Path:
    with page.expect_download() as found:
        act()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def text(page: Page, id: str) -> str:
    return page.locator(f"#{id}").inner_text()


# --- The file


def test_only_its_own_script_may_run(small: tuple[Review, Path]) -> None:
    _, path = small
    html = path.read_text(encoding="utf-8")
    assert path.name == "2026-11.review-1.html"
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    script = re.search(r"<script>(.*?)</script>", html, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in policy
    assert html.count("<script") == 2
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|https?:|url\(|@import", html)


def test_a_dialogue_is_stored_once(tmp_path: Path) -> None:
    lines = [Turn(role=Role.USER if at % 2 else Role.AGENT, text=f"turn {at} " + "word " * 2_000) for at in range(12)]
    (path,) = FORM.write(review_of(Transcript(id="long", turns=tuple(lines))), tmp_path)
    assert path.stat().st_size < 12 * 10_020 + 80_000  # each turn with all before it would be 780 kB


# --- Reviewing


def test_a_sample_is_reviewed_by_keyboard_alone(browser: Browser, small: tuple[Review, Path], tmp_path: Path) -> None:
    review, path = small
    given: dict[tuple[str, str], dict[str, float]] = {}
    with opened(browser, path) as page:
        assert text(page, "count") == "0 of 9 places"
        for at, row in enumerate(review.rows):
            assert page.locator(".turn.asked").count() == (row.place != "episode")
            if row.place != "episode":
                asked = page.locator(".turn.asked")
                assert f"Agent: {asked.locator('.text').text_content()}" == row.question
                assert asked.evaluate(
                    "(e) => { const a = e.getBoundingClientRect(), b = document.getElementById('pane').getBoundingClientRect();"
                    " return a.top >= b.top && a.bottom <= b.bottom }"
                )
            criteria = {c.name: c for c in (*RUBRIC.turn_criteria, *RUBRIC.episode)}
            for count, name in enumerate(row.criteria):
                assert criteria[name].question in text(page, "legend")
                assert ("critical" in text(page, "legend")) == (name == "compliance")
                scale = criteria[name].scale
                levels = page.locator("#levels label").all_inner_texts()
                assert [level.split("\n")[-1] for level in levels[:-1]] == list(criteria[name].levels)
                value = scale.low + (at + count) % (scale.high - scale.low + 1)
                page.keyboard.press(str(value))
                given.setdefault((row.item, row.place), {})[name] = value
                if (at, count) == (3, 1):
                    page.reload()  # in the middle of a turn, and the page goes on where it was
                    assert page.locator("dialog[open]").count() == 0
                    assert text(page, "count") == "3 of 9 places"
                    assert text(page, "answered") == "2 of 6 answered"
                    assert text(page, "kept") == "kept here, not downloaded yet"
        assert text(page, "message-name") == "All done"
        assert text(page, "kept") == "kept here, not downloaded yet"
        file = saved(page, tmp_path, lambda: page.keyboard.press("Enter"))
        assert text(page, "kept") == "kept here"
        page.keyboard.press("n")
        page.keyboard.type("dn? 1 </script>")  # keys are letters here
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        page.reload()
        again = saved(page, tmp_path / "again", lambda: page.keyboard.press("Control+s"))
    assert file.name == "2026-11.review-1.labels.json"
    answers = {(answer.item, answer.place): answer for answer in FORM.read(file)}
    assert {where: answer.ratings for where, answer in answers.items()} == given
    assert {where: answer.hash for where, answer in answers.items()} == {(row.item, row.place): row.hash for row in review.rows}
    assert {(answer.audit, answer.note) for answer in answers.values()} == {("2026-11", "")}
    *others, last = FORM.read(again)
    assert last.note == "dn? 1 </script>"
    assert last.ratings == {}  # "I cannot tell" is an answer to the page, but no rating
    assert [other.ratings for other in others] == [answer.ratings for answer in answers.values()][:-1]


def test_keys_move_undo_clear_and_skip(browser: Browser, small: tuple[Review, Path]) -> None:
    def values() -> list[str]:
        return page.locator("#criteria .value").all_inner_texts()

    with opened(browser, small[1]) as page:
        for key in ("9", "4", "5", "s"):
            page.keyboard.press(key)
        assert values() == ["4", "5", "?", "–", "–", "–"]
        page.keyboard.press("u")
        page.keyboard.press("u")
        assert values() == ["4", "–", "–", "–", "–", "–"]
        page.keyboard.press("k")
        page.keyboard.press("2")  # another answer to the first
        page.keyboard.press("k")
        page.keyboard.press("u")
        assert values()[0] == "4"
        page.keyboard.press("Delete")
        assert values()[0] == "–"
        page.keyboard.press("ArrowDown")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        assert "next step" in text(page, "legend")
        page.keyboard.press("ArrowRight")
        assert text(page, "place-name") == "Agent’s turn 2 of 4"
        page.keyboard.press("ArrowUp")
        assert text(page, "place-name") == "Agent’s turn 1 of 4"
        assert "promising" in text(page, "legend")
        page.keyboard.press("ArrowLeft")
        assert text(page, "told") == "This is the first place."
        page.keyboard.press("7")
        assert text(page, "told") == "This scale goes from 1 to 5."
        page.keyboard.press("e")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert text(page, "episode-name").startswith("Episode 2 of 2")
        page.keyboard.press("?")
        page.locator("#single").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("4")
        assert values() == ["–"] * 6  # single keys are switched off


def test_mouse_touch_and_a_screen_readers_way_through_a_group(browser: Browser, small: tuple[Review, Path]) -> None:
    with opened(browser, small[1], viewport=PHONE, has_touch=True) as page:
        page.get_by_role("radio", name="Takes up the main point").tap()
        assert "respects limit" in text(page, "legend")
        page.get_by_label("acknowledges: rated 4").tap()
        assert page.get_by_role("radio", name="Takes up the main point").is_checked()
        page.get_by_role("radio", name="Takes up the main point").focus()
        page.keyboard.press("ArrowUp")  # inside a group arrows choose, and stay
        assert page.get_by_role("radio", name="Neutral: there was little").is_checked()
        assert page.get_by_label("acknowledges: rated 3").get_attribute("aria-current") == "step"
        page.get_by_role("button", name="Undo").tap()
        assert page.get_by_label("acknowledges: rated 4").count() == 1
        page.get_by_role("button", name="Next →").or_(page.locator("#on")).first.tap()
        page.get_by_role("button", name="Agent, turn 1").tap()
        assert text(page, "place-name") == "Agent’s turn 1 of 4"
        for width in (320, 390, 760, 1000, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            edges = page.locator("button:visible, .level:visible, #note").evaluate_all(
                "all => all.map((e) => e.getBoundingClientRect().right)"
            )
            assert max(edges) <= width


def test_what_comes_later_is_quiet_or_hidden_as_the_rubric_says(browser: Browser, tmp_path: Path) -> None:
    transcript = examples()[0]
    for unit, quiet, hidden in ((Unit.DIALOGUE, 4, 0), (Unit.TURN, 0, 4)):
        rubric = RUBRIC.model_copy(update={"unit": unit, "sees_outcome": unit is Unit.TURN})
        (path,) = FORM.write(review_of(transcript, rubric=rubric), tmp_path)
        with opened(browser, path) as page:
            page.keyboard.press("ArrowRight")  # the third of seven turns
            assert page.locator(".turn.later:visible").count() == quiet
            assert page.locator(".turn:not(:visible)").count() == hidden
            assert text(page, "outcome") == ("Outcome: PAYMENT_PLAN_AGREED" if unit is Unit.TURN else "")
            for _ in range(3):
                page.keyboard.press("ArrowRight")
            assert text(page, "place-name") == "The whole dialogue"
            assert page.locator(".turn:visible:not(.later)").count() == 7


def test_two_tabs_do_not_overwrite_each_other(browser: Browser, small: tuple[Review, Path]) -> None:
    with opened(browser, small[1]) as page:
        other = page.context.new_page()
        other.goto(small[1].as_uri())
        other.get_by_label("respects limit:").click()
        other.keyboard.press("5")
        page.get_by_label("respects limit: rated 5").wait_for()
        page.keyboard.press("4")
        page.reload()
        assert page.locator("#criteria .value").all_inner_texts()[:2] == ["4", "5"]


# --- What must not happen


def test_a_hostile_transcript_shows_as_text(browser: Browser, tmp_path: Path) -> None:
    rubric = RUBRIC.model_copy(update={"sees_outcome": True, "about": "About </script><script>window.ran = 1</script>"})
    (path,) = FORM.write(review_of(hostile(), rubric=rubric), tmp_path)
    with opened(browser, path, begun=False) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a text ran: {dialog.message}"))
        assert text(page, "about") == rubric.about
        page.keyboard.press("Enter")
        assert text(page, "outcome") == f"Outcome: {hostile().outcome}"
        assert [button.inner_text() for button in page.locator(".fold").all()] == [
            f"Show all {len(HOSTILE[6].encode('utf-16-le')) // 2:,} characters",
            "Show all 50,000 characters",
        ]
        page.locator(".fold").nth(0).click()
        page.get_by_role("button", name="Agent, turn 4").click()
        page.keyboard.press("f")
        assert [turn.text_content() for turn in page.locator(".turn .text").all()] == [shown(said) for said in HOSTILE]
        assert page.locator(".turn .text *").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]


def test_when_the_browser_keeps_nothing_the_page_says_so(browser: Browser, small: tuple[Review, Path]) -> None:
    full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    none = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    for init in (full, none):
        with opened(browser, small[1], init=init) as page:
            assert "Download the labels file before you close this page" in page.get_by_role("alert").inner_text()
            page.keyboard.press("4")
            assert page.get_by_label("acknowledges: rated 4").count() == 1
            asked: list[str] = []
            page.on("dialog", lambda dialog, asked=asked: (asked.append(dialog.type), dialog.accept()))
            page.reload()
            assert asked == ["beforeunload"]
    with opened(browser, small[1]) as page:
        page.keyboard.press("4")
        page.evaluate(f"() => {{ {full} }}")  # it fills up later
        page.keyboard.press("4")
        assert "storage is full" in page.get_by_role("alert").inner_text()


# --- Files of labels


def test_another_machine_goes_on_with_a_labels_file(browser: Browser, small: tuple[Review, Path], tmp_path: Path) -> None:
    with opened(browser, small[1]) as page:
        for key in "4s3":
            page.keyboard.press(key)
        file = saved(page, tmp_path, lambda: page.keyboard.press("d"))
    with opened(browser, small[1]) as page:
        page.set_input_files("#file", file)
        page.locator("#message[open]").wait_for()
        assert "1 place taken from the file." in text(page, "message-text")
        page.keyboard.press("Enter")
        assert page.locator("#criteria .value").all_inner_texts() == ["4", "?", "3", "–", "–", "–"]
        page.reload()
        assert page.locator("#criteria .value").all_inner_texts()[:3] == ["4", "?", "3"]
        for choice, kept in (("Load nothing", "1"), ("Keep those here", "1"), ("Take the file’s", "4")):
            page.get_by_label("acknowledges:").click()
            page.keyboard.press("1")
            page.set_input_files("#file", file)
            page.locator("#message[open]").wait_for()
            assert text(page, "message-name") == "Whose answers hold?"
            page.get_by_role("button", name=choice).click()
            page.keyboard.press("Escape")
            assert page.locator("#criteria .value").all_inner_texts()[0] == kept


def test_a_wrong_file_changes_nothing(browser: Browser, small: tuple[Review, Path], tmp_path: Path) -> None:
    review, path = small
    row = review.rows[0]
    label = {"item": row.item, "place": row.place, "hash": row.hash, "ratings": {"acknowledges": 4}, "note": ""}
    good = {"kind": "audit-labels", "audit": "2026-11", "part": 1, "rubric": "collections", "labels": [label]}
    wrong = [
        ("{", "it is no JSON, or breaks off"),
        ("[1]", "This is no labels file"),
        (json.dumps(good | {"audit": "2026-10"}), "The file is of audit “2026-10”, review 1; this page is of audit “2026-11”, review 1."),
        (json.dumps(good | {"part": 2}), "of audit “2026-11”, review 2"),
        (
            json.dumps(good | {"labels": [label | {"ratings": {"acknowledges": 9}}]}),
            "is 9, allowed are whole numbers from 1 to 5",
        ),
        (json.dumps(good | {"labels": [label | {"ratings": {"__proto__x": 1}}]}), "there is no question “__proto__x”"),
        (json.dumps(good | {"labels": [label | {"hash": "0"}]}), "1 place of the file read otherwise here"),
    ]
    with opened(browser, path) as page:
        for content, told in wrong:
            (tmp_path / "labels.json").write_text(content)
            page.set_input_files("#file", tmp_path / "labels.json")
            page.locator("#message[open]").wait_for()
            assert told in text(page, "message-text")
            page.keyboard.press("Escape")
            assert page.locator("#criteria .given").count() == 0


def test_all_answers_can_be_erased(browser: Browser, small: tuple[Review, Path]) -> None:
    with opened(browser, small[1]) as page:
        page.keyboard.press("4")
        page.keyboard.press("e")
        page.get_by_role("button", name="Erase all answers").click()
        page.get_by_role("button", name="Erase all", exact=True).click()
        page.reload()
        assert page.locator("#criteria .given").count() == 0
        assert not [name for name in page.evaluate("Object.keys(localStorage)") if " row " in name]


def test_the_form_knows_its_files_and_refuses_broken_ones(tmp_path: Path) -> None:
    label = {"item": "e001", "place": "0", "hash": "ab", "ratings": {"acknowledges": 4}, "note": "good"}
    good = {"kind": "audit-labels", "audit": "a", "part": 1, "rubric": "collections", "labels": [label]}
    path = tmp_path / "a.review-1.labels.json"
    path.write_text(json.dumps(good))
    assert FORM.knows(path)
    (answer,) = FORM.read(path)
    assert answer.where == "label 1"
    assert (answer.item, answer.place, answer.hash, answer.ratings, answer.note, answer.shown) == (
        *("e001", "0", "ab", {"acknowledges": 4.0}, "good"),
        {},
    )
    odd = {"acknowledges": "x", "clarity": None, "compliance": True, "turn": "", "fair": 2}
    path.write_text(json.dumps(good | {"labels": [label | {"ratings": odd}]}))
    (answer,) = FORM.read(path)
    assert answer.ratings == {"fair": 2}
    assert answer.shown == {"acknowledges": "x", "clarity": "null", "compliance": "true", "turn (turn)": ""}
    path.write_text(json.dumps(good | {"labels": [label | {"ratings": {"acknowledges": float("nan")}}]}))
    (answer,) = FORM.read(path)
    assert math.isnan({**answer.ratings}["acknowledges"])
    broken = [
        (json.dumps(good)[:-20], True, "invalid JSON"),
        (json.dumps(good | {"labels": [label, label | {"ratings": ["acknowledges"]}]}), True, "label 2, ratings: "),
        (json.dumps(good | {"labels": [{"item": "e001"}]}), True, "label 1, place: field required"),
        (json.dumps({"kind": "audit-report"}), False, "kind: input should be 'audit-labels'"),
        ("[]", False, "input should be an object"),
        ("[" * 100_000, False, "invalid JSON"),
    ]
    for content, known, told in broken:
        path.write_text(content)
        assert FORM.knows(path) is known
        with pytest.raises(UsageProblem) as problem:
            list(FORM.read(path))
        assert told in str(problem.value)
        assert "\n" not in str(problem.value)
        assert str(problem.value).startswith(f"{path}: no labels file: ")
    path.write_bytes(b"\xff\xfe")
    assert not FORM.knows(path)
    with pytest.raises(UsageProblem, match="not UTF-8"):
        list(FORM.read(path))
    with pytest.raises(UsageProblem, match="cannot read"):
        list(FORM.read(tmp_path / "missing.json"))
    assert not FORM.knows(tmp_path / "a.review-1.html")


# --- For everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str) -> None:
    rubric = RUBRIC.model_copy(update={"sees_outcome": True})
    (path,) = FORM.write(review_of(*examples()[:2], hostile(), rubric=rubric), tmp_path)
    axe = Axe()
    options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})  # only colours differ

    def check(what: str) -> None:
        found = axe.run(page, options=options).response["violations"]
        told = [(what, one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
        assert told == []

    with opened(browser, path, begun=False, bypass_csp=True, color_scheme=scheme) as page:
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            if size is PHONE:
                page.keyboard.press("?")
            check("help")
            page.keyboard.press("Escape")
            for key in "4s4":
                page.keyboard.press(key)
            page.get_by_label("compliance:").click()
            check("a critical question")
            page.keyboard.press("0")
            page.keyboard.press("e")
            check("episodes")
            page.keyboard.press("e")
        page.get_by_label("acknowledges:").click()
        check("an answered question")
        page.keyboard.press("e")
        page.get_by_role("button", name="Erase all answers").click()
        check("a message")
        page.keyboard.press("Escape")
        page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
        page.keyboard.press("1")
        check("the warning")


def test_five_hundred_episodes(browser: Browser, tmp_path: Path) -> None:
    several = examples()
    review = review_of(*(several[at % len(several)] for at in range(500)))
    (path,) = FORM.write(review, tmp_path)
    with opened(browser, path) as page:
        for key in "4343140" * 4:
            page.keyboard.press(key)
        page.keyboard.press("e")
        assert page.locator("#list button").count() == 500
        page.keyboard.press("Escape")
        # What a key costs, drawing included, in milliseconds; loosely, since machines differ.
        cost = page.evaluate(
            """async () => {
              const costs = [];
              for (const key of "4343132143".repeat(4)) {
                const began = performance.now();
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                document.body.getBoundingClientRect();
                costs.push(performance.now() - began);
                await new Promise(requestAnimationFrame);
              }
              return costs.sort((a, b) => a - b)[costs.length >> 1];
            }"""
        )
        assert cost < 100
        assert text(page, "count").endswith(f" of {len(review.rows):,} places")


def test_from_the_log_to_the_report(browser: Browser, judge: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    """The whole way: score, draw, review by keyboard with a reload in the middle, download, read back, report."""
    log = ROOT / "examples/collections.jsonl"
    assert judge("score", log, "--out", "rewards.jsonl").returncode == 0
    drawn = judge("audit", "draw", log, "--n", "5", "--hunt", "1", "--seed", "3", "--name", "spring", "--forms", "html", "--json")
    assert drawn.returncode == 0, drawn.stderr
    with opened(browser, tmp_path / "audit/spring/spring.review-1.html") as page:
        places = int(text(page, "count").split()[2])
        asked = 0
        while text(page, "message-name") != "All done":
            page.keyboard.press("1")  # on every scale
            asked += 1
            if asked == 20:
                page.reload()
        file = saved(page, tmp_path, lambda: page.keyboard.press("Enter"))
    read = judge("audit", "read", file, "--rater", "rater-1", "--json")
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout)["new"] == places
    reported = judge("audit", "report", "--report", "report", "--json")
    assert reported.returncode == 0, reported.stderr
    found = json.loads(reported.stdout)
    assert found["raters"] == [{"rater": "rater-1", "items": 6, "ratings": asked}]
    assert [(row["drawn"], row["complete"]) for row in found["response"]] == [(row["drawn"], row["drawn"]) for row in found["response"]]
    assert "rater-1" in (tmp_path / "report/audit-report.html").read_text(encoding="utf-8")
