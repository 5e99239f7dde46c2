// The page: shows one place and one question at a time, and turns keys, clicks and touches into answers.
// Texts of transcripts are only ever put in as text.

const LONG = 1600; // characters from which a turn is folded
const SHORT = 1000; // what a folded turn shows
const KEYS = "1234567890-"; // of the levels of a scale from 1 on

const data = JSON.parse(document.getElementById("data").textContent);
const store = new Store(`judge audit ${data.audit} ${data.part} ${data.content} `);
const answers = new Answers(data, store);
const rows = answers.rows;
const past = []; // [row, criterion's name, what it was before]: what undo takes back

let here = 0; // the row in question
let asked = 0; // which of its criteria
let drawn = -1; // the episode whose dialogue is on the page
let revealed = ""; // the key of the row whose turn was scrolled to
let turns = []; // of that dialogue: {box, body, text, fold, mark, row}
let byPointer = false; // whether the last thing that a person did was a click or a touch

const get = (id) => document.getElementById(id);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const worded = (name) => name.replaceAll("_", " ");
const flows = window.matchMedia("(max-height: 33rem)"); // as in the style sheet: the page scrolls as one

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function say(id, text) {
  if (get(id).textContent !== text) get(id).textContent = text; // what is the same is not read out again
}

// --- Moving about

function go(at, criterion) {
  const stays = at === here && revealed === rows[at].key;
  here = at;
  asked = Math.max(0, Math.min(rows[here].criteria.length - 1, criterion));
  store.write("at", rows[here].key);
  say("told", "");
  draw();
  get("question").focus({ preventScroll: true });
  if (flows.matches && stays) get("question").scrollIntoView({ block: "nearest" });
}

function step(by) {
  const criterion = asked + by;
  if (criterion >= 0 && criterion < rows[here].criteria.length) go(here, criterion);
  else if (here + by >= 0 && here + by < rows.length) go(here + by, by > 0 ? 0 : Infinity);
  else atEnd(by);
}

function move(by) {
  if (here + by >= 0 && here + by < rows.length) go(here + by, firstOpen(here + by));
  else atEnd(by);
}

function atEnd(by) {
  const left = rows.length - answers.progress().places;
  if (by < 0) say("told", "This is the first place.");
  else say("told", left ? `This is the last place; ${plural(left, "place")} still open (g).` : "This is the last place, and all is answered.");
}

function firstOpen(at) {
  return Math.max(0, rows[at].criteria.findIndex((criterion) => !answers.given[at].ratings.has(criterion.name)));
}

function goToGap() {
  const { ratings } = answers.given[here];
  const further = rows[here].criteria.findIndex((criterion, at) => at > asked && !ratings.has(criterion.name));
  const at = answers.gap(here);
  if (at === -1) allDone();
  else if (further !== -1) go(here, further);
  else go(at, firstOpen(at));
}

// --- Answering

function answer(value, { advance = true } = {}) {
  const { name } = rows[here].criteria[asked];
  const { ratings } = answers.given[here];
  const wasLeft = answers.gap(here) !== -1;
  if (ratings.get(name) !== value || ratings.has(name) !== (value !== undefined)) {
    past.push([here, name, ratings.has(name) ? ratings.get(name) : undefined]);
    answers.rate(here, name, value);
  }
  if (wasLeft && answers.gap(here) === -1) {
    draw();
    allDone();
  } else if (advance) {
    const [row, criterion] = [here, asked];
    step(1);
    if (row === here && criterion === asked) redraw();
  } else redraw();
}

function redraw() {
  const told = get("told").textContent;
  draw();
  say("told", told);
}

function press(key) {
  const { low, levels } = rows[here].criteria[asked];
  const value = low === 0 ? (/^[0-9]$/.test(key) ? Number(key) : -1) : KEYS.indexOf(key) + 1;
  if (value >= low && value < low + levels.length) answer(value);
  else say("told", `This scale goes from ${low} to ${low + levels.length - 1}.`);
}

function undo() {
  const last = past.pop();
  if (!last) {
    say("told", "Nothing to undo.");
    return;
  }
  const [at, name, before] = last;
  answers.rate(at, name, before);
  go(at, rows[at].criteria.findIndex((criterion) => criterion.name === name));
  say("told", `Undone: ${worded(name)}.`);
}

// --- Drawing

function draw() {
  const row = rows[here];
  const entered = drawn !== row.episode;
  if (entered) drawDialogue(row.episode);
  drawn = row.episode;
  markTurns(row, entered);
  drawPlace(row);
  drawQuestion(row);
  drawProgress();
}

function drawDialogue(episode) {
  const item = data.items[episode];
  const first = answers.at.get(`${item.item}/${item.rows[0][0]}`);
  const ordinal = new Map(item.rows.map(([place], at) => [place, at]));
  turns = item.said.map(([speaker, text, place]) => {
    const rated = place !== null && ordinal.has(place);
    const body = make("p", { class: "text", dir: "auto" });
    const mark = make("span", { class: "mark" });
    const head = make("p", { class: "who" });
    const turn = { body, mark, text, fold: null, row: rated ? first + ordinal.get(place) : -1 };
    if (rated) {
      const jump = make("button", { type: "button", class: "jump" }, `${speaker}, turn ${ordinal.get(place) + 1}`);
      jump.addEventListener("click", () => go(turn.row, firstOpen(turn.row)));
      head.append(jump, mark);
    } else head.append(speaker);
    turn.box = make("li", { class: `turn ${speaker.toLowerCase()}` }, head, body);
    if (text.length > LONG) {
      turn.fold = make("button", { type: "button", class: "fold" });
      turn.fold.addEventListener("click", () => fold(turn, !turn.folded));
      turn.box.append(turn.fold);
      fold(turn, true);
    } else body.textContent = text;
    return turn;
  });
  get("said").replaceChildren(...turns.map((turn) => turn.box));
  say("outcome", item.outcome ? `Outcome: ${item.outcome}` : "");
  get("episode-name").replaceChildren(
    `Episode ${episode + 1} of ${data.items.length}`,
    make("span", { class: "id" }, item.item),
  );
}

function fold(turn, folded) {
  const pair = turn.text.charCodeAt(SHORT - 1);
  const cut = pair >= 0xd800 && pair < 0xdc00 ? SHORT - 1 : SHORT; // never through a character
  turn.folded = folded;
  turn.body.textContent = folded ? `${turn.text.slice(0, cut)}…` : turn.text;
  turn.fold.textContent = folded ? `Show all ${turn.text.length.toLocaleString("en")} characters` : "Show less";
  turn.fold.setAttribute("aria-expanded", String(!folded));
}

function markTurns(row, entered) {
  turns.forEach((turn, at) => {
    turn.box.hidden = at >= row.seen;
    turn.box.classList.toggle("asked", at === row.turn);
    turn.box.classList.toggle("later", row.turn !== -1 && at > row.turn);
    if (at === row.turn) turn.box.setAttribute("aria-current", "true");
    else turn.box.removeAttribute("aria-current");
    if (turn.row !== -1) {
      const done = answers.done(turn.row);
      turn.mark.textContent = at === row.turn ? "in question" : done ? "✓ answered" : answers.begun(turn.row) ? "begun" : "";
      turn.mark.classList.toggle("done", done && at !== row.turn);
    }
  });
  get("said").classList.toggle("whole", row.turn === -1);
  if (revealed !== row.key) reveal(row, entered);
  revealed = row.key;
}

// Scrolls the turn in question to where what was said before it can be read, too.
function reveal(row, entered) {
  const pane = get("pane");
  const behavior = entered ? "instant" : "auto"; // smooth only within a dialogue, by the style sheet
  if (row.turn === -1) {
    if (entered) pane.scrollTo({ top: 0, behavior });
    return;
  }
  const { box } = turns[row.turn];
  if (flows.matches) {
    box.scrollIntoView({ block: "start", behavior: "instant" });
    return;
  }
  const above = Math.max(16, Math.min(pane.clientHeight * 0.45, pane.clientHeight - box.offsetHeight - 72));
  pane.scrollTo({ top: box.offsetTop - above, behavior });
}

function drawPlace(row) {
  const { ratings, note } = answers.given[here];
  const agents = data.items[row.episode].rows.filter(([place]) => place !== data.whole).length;
  say("place-name", row.turn === -1 ? "The whole dialogue" : `Agent’s turn ${row.within + 1} of ${agents}`);
  say("answered", `${ratings.size} of ${row.criteria.length} answered`);
  get("criteria").replaceChildren(
    ...row.criteria.map((criterion, at) => {
      const value = ratings.get(criterion.name);
      const [mark, told] = value === undefined ? ["–", "open"] : value === UNSURE ? ["?", "cannot tell"] : [value, `rated ${value}`];
      const chip = make("button", { type: "button", class: "chip", "aria-label": `${worded(criterion.name)}: ${told}` });
      chip.append(make("span", { class: "name" }, worded(criterion.name)), make("span", { class: "value" }, String(mark)));
      if (value !== undefined) chip.classList.add("given");
      if (at === asked) chip.setAttribute("aria-current", "step");
      chip.addEventListener("click", () => go(here, at));
      return make("li", {}, chip);
    }),
  );
  say("note-name", row.turn === -1 ? "Note on the dialogue" : "Note on this turn");
  if (get("note").value !== note) get("note").value = note;
  get("back").disabled = here === 0;
  get("on").disabled = here === rows.length - 1;
  get("undo").disabled = past.length === 0;
}

function drawQuestion(row) {
  const criterion = row.criteria[asked];
  const value = answers.given[here].ratings.get(criterion.name);
  const kicker = make("span", { class: "kicker" }, worded(criterion.name));
  if (criterion.critical) kicker.append(make("span", { class: "critical" }, `critical: ${criterion.low} is a violation`));
  get("legend").replaceChildren(kicker, make("span", { class: "words" }, criterion.question));
  const level = (chosen, key, text, kind) => {
    const input = make("input", { type: "radio", name: "level" });
    input.checked = value === chosen;
    input.addEventListener("change", () => answer(chosen, { advance: byPointer }));
    return make("label", { class: `level ${kind}` }, input, make("kbd", {}, key), make("span", {}, text));
  };
  const numbered = criterion.levels.map((text, at) => level(criterion.low + at, String(criterion.low + at), text, ""));
  const focused = get("levels").contains(document.activeElement);
  get("levels").replaceChildren(...numbered, level(UNSURE, "s", "I cannot tell.", "unsure"));
  if (focused) (get("levels").querySelector(":checked") ?? get("question")).focus();
  get("ask").scrollTop = 0;
}

function drawProgress() {
  const { places, whole } = answers.progress();
  const total = rows.length;
  get("progress").max = total;
  get("progress").value = places;
  get("progress").setAttribute("aria-valuetext", `${places} of ${total} places`);
  say("count", `${places.toLocaleString("en")} of ${plural(total, "place")}`);
  say("whole", `· ${whole.toLocaleString("en")} of ${plural(data.items.length, "episode")}`);
  const unsafe = store.broken && answers.unsaved;
  say("kept", unsafe ? "not kept: download now" : answers.unsaved ? "kept here, not downloaded yet" : store.broken ? "downloaded" : "kept here");
  get("kept").classList.toggle("bad", unsafe);
  if (store.broken) {
    say("warning", "This browser does not keep your answers (its storage is full or switched off). Download the labels file before you close this page.");
  }
}

// --- Dialogs

function open(id) {
  if (!get(id).open) get(id).showModal();
}

function openHelp() {
  open("help");
  get("begin").focus({ preventScroll: true });
  get("help").scrollTop = 0; // opening went to the first control, below the words
}

function tell(title, text, buttons) {
  say("message-name", title);
  say("message-text", text);
  get("message-buttons").replaceChildren(
    ...buttons.map(([label, act], at) => {
      const button = make("button", { type: "button" }, label);
      if (at === 0) button.className = "strong";
      button.addEventListener("click", () => {
        get("message").close();
        act?.();
      });
      return button;
    }),
  );
  if (get("message").open) get("message").close();
  get("message").showModal();
}

function allDone() {
  const { places, whole } = answers.progress();
  const text = `${plural(places, "place")} in ${plural(whole, "episode")} are answered. Download the labels file and give it to whoever asked you. Thank you!`;
  tell("All done", text, [["Download the labels file", download], ["Look through it again"]]);
}

function openEpisodes() {
  drawEpisodes();
  open("episodes");
  const current = get("list").querySelector("[aria-current]") ?? get("list").querySelector("button");
  current?.focus();
  current?.scrollIntoView({ block: "center" });
}

function drawEpisodes() {
  const { places, episodes, whole } = answers.progress();
  const left = rows.length - places;
  say("left", left ? `${plural(left, "place")} left in ${plural(episodes.length - whole, "episode")}.` : "Nothing is left.");
  const buttons = [];
  episodes.forEach((episode, at) => {
    const done = episode.done === episode.places;
    if (done && get("only-open").checked) return;
    const state = done ? "done" : episode.begun ? "begun" : "open";
    const told = `${episode.done} of ${episode.places}${episode.noted ? `, ${plural(episode.noted, "note")}` : ""}`;
    const button = make("button", { type: "button", class: `episode ${state}` });
    button.append(
      make("span", { class: "number" }, String(at + 1)),
      make("span", { class: "id" }, data.items[at].item),
      make("span", { class: "told" }, told),
      make("span", { class: "state" }, done ? "✓ done" : state),
    );
    if (at === rows[here].episode) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      const first = answers.at.get(`${data.items[at].item}/${data.items[at].rows[0][0]}`);
      const open = first + data.items[at].rows.findIndex((_, within) => !answers.done(first + within));
      get("episodes").close();
      const to = Math.max(first, open);
      go(to, firstOpen(to));
    });
    buttons.push(make("li", {}, button));
  });
  get("list").replaceChildren(...buttons);
}

// --- Files

function download() {
  const text = `${JSON.stringify(answers.file(), null, 1)}\n`;
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = make("a", { href: address, download: `${data.name}.labels.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  answers.downloaded();
  drawProgress();
  say("told", `Downloaded as ${data.name}.labels.json.`);
}

async function load(file) {
  let found;
  try {
    found = answers.examine(await file.text());
  } catch (error) {
    tell("Nothing was loaded", error.message, [["Close"]]);
    return;
  }
  const finish = (theirs) => {
    answers.take(found.rows, theirs);
    past.length = 0;
    draw();
    const odd = found.strange ? ` ${plural(found.strange, "place")} of the file read otherwise here, or are not here, and were left out.` : "";
    tell("Loaded", `${plural(found.rows.size, "place")} taken from the file.${odd}`, [["Go on", goToGap]]);
  };
  const conflicts = answers.conflicts(found.rows);
  if (!conflicts) finish(true);
  else {
    tell("Whose answers hold?", `At ${plural(conflicts, "place")} the file says something else than what was answered here.`, [
      ["Keep those here", () => finish(false)],
      ["Take the file’s", () => finish(true)],
      ["Load nothing"],
    ]);
  }
}

function askToErase() {
  tell("Erase all answers?", "All answers and notes of this review are removed from this browser. This cannot be undone.", [
    ["Keep them"],
    [
      "Erase all",
      () => {
        answers.erase();
        past.length = 0;
        go(0, 0);
      },
    ],
  ]);
}

// --- Keys and clicks

function scroll(share) {
  const scroller = flows.matches ? document.scrollingElement : get("pane");
  scroller.scrollBy({ top: share * scroller.clientHeight });
}

const plain = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
  Enter: () => step(1),
  j: () => step(1),
  k: () => step(-1),
  " ": (event) => scroll(event.shiftKey ? -0.8 : 0.8),
  PageDown: () => scroll(0.8),
  PageUp: () => scroll(-0.8),
};
const once = {
  // a key that is held down does these a single time
  Delete: () => answer(undefined, { advance: false }),
  Backspace: () => answer(undefined, { advance: false }),
  d: download,
  e: openEpisodes,
  f: () => {
    const turn = turns[rows[here].turn] ?? turns.find((one) => one.fold);
    if (turn?.fold) fold(turn, !turn.folded);
  },
  g: goToGap,
  n: () => get("note").focus(),
  s: () => answer(UNSURE),
  u: undo,
  "?": openHelp,
};

function onKey(event) {
  byPointer = false;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && key === "s") {
    event.preventDefault();
    if (!event.repeat) download();
    return;
  }
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target instanceof Element ? event.target : document.body;
  const dialog = document.querySelector("dialog[open]");
  if (dialog) onDialogKey(event, key, dialog);
  else if (target.matches("textarea")) {
    if (key === "Escape") get("question").focus({ preventScroll: true });
  } else if (key.length === 1 && key !== " " && !get("single").checked) return;
  else if (target.matches("button, input") && (key === "Enter" || key === " ")) return;
  else if (target.matches("input[type=radio]") && key.startsWith("Arrow")) return; // the browser's own way through a group
  else if (target.id === "pane" && (key === "ArrowDown" || key === "ArrowUp")) return; // scrolls
  else {
    // On some keyboards digits need Shift: there the place of the key counts.
    const digit = /^[0-9-]$/.test(key) ? key : !event.shiftKey && /^Digit[0-9]$/.test(event.code) ? event.code.at(-1) : "";
    if (!digit && !plain[key] && !once[key]) return;
    event.preventDefault();
    if (plain[key]) plain[key](event);
    else if (event.repeat) return;
    else if (digit) press(digit);
    else once[key]();
  }
}

function onDialogKey(event, key, dialog) {
  const toggles = { "?": "help", e: "episodes" };
  if (toggles[key] === dialog.id && get("single").checked) {
    event.preventDefault();
    dialog.close();
  } else if (dialog.id === "episodes" && (key === "ArrowDown" || key === "ArrowUp")) {
    const buttons = [...get("list").querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + (key === "ArrowDown" ? 1 : -1)))]?.focus();
  }
}

function start() {
  const clicks = {
    back: () => move(-1),
    on: () => move(1),
    undo,
    gap: goToGap,
    download,
    "open-episodes": openEpisodes,
    "open-help": openHelp,
    load: () => get("file").click(),
    erase: askToErase,
  };
  for (const [id, act] of Object.entries(clicks)) get(id).addEventListener("click", act);
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => get(button.dataset.close).close());
  }
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", () => {
    byPointer = true;
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("close", () => {
      // This comes a moment later: by then somebody may be writing.
      if (!document.querySelector("dialog[open]") && document.activeElement !== get("note")) get("question").focus({ preventScroll: true });
    });
  }
  get("note").addEventListener("input", () => {
    answers.write(here, get("note").value);
    drawProgress();
  });
  get("only-open").addEventListener("change", drawEpisodes);
  get("file").addEventListener("change", async () => {
    const [file] = get("file").files;
    get("episodes").close();
    if (file) await load(file);
    get("file").value = ""; // the same file can be chosen again
  });
  get("single").checked = store.read("no single keys") === null;
  get("single").addEventListener("change", () => store.write("no single keys", get("single").checked ? null : "1"));
  window.addEventListener("storage", (event) => {
    // another tab with the same page has answered
    const at = answers.at.get(event.key?.slice(`${store.prefix}row `.length));
    if (at === undefined || !event.key.startsWith(`${store.prefix}row `)) return;
    answers.recall(at);
    answers.unsaved = store.read("unsaved") !== null;
    redraw();
  });
  window.addEventListener("beforeunload", (event) => {
    if (store.broken && answers.unsaved) event.preventDefault();
  });
  const longest = Math.max(...[...data.turn, ...data.episode].map((criterion) => criterion.levels.length));
  say("beyond", longest > 9 ? " (0 is 10, - is 11)" : "");
  say("about", data.about);
  get("app").hidden = false;
  const last = answers.at.get(store.read("at"));
  go(last ?? 0, firstOpen(last ?? 0));
  if (last === undefined) openHelp();
}

if (rows.length) start();
else document.body.append(make("p", { class: "alone" }, "There is nothing to rate in this review."));
