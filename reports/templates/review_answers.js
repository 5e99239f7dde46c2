"use strict";
// What one person says: kept in memory and, one small entry a place, in the browser's storage. Knows nothing of the page.

const UNSURE = null; // "cannot tell": an answer, but no number

// The browser's storage under one prefix. `broken` becomes true when it does not keep what it is given.
class Store {
  constructor(prefix) {
    this.prefix = prefix;
    this.broken = false;
    this.storage = null;
    try {
      this.storage = window.localStorage;
      this.storage.setItem(`${prefix}probe`, "1");
      this.storage.removeItem(`${prefix}probe`);
    } catch {
      this.broken = true;
    }
  }

  read(name) {
    try {
      return this.storage.getItem(this.prefix + name);
    } catch {
      return null;
    }
  }

  // Writes a text; null removes the entry.
  write(name, text) {
    try {
      if (text === null) this.storage.removeItem(this.prefix + name);
      else this.storage.setItem(this.prefix + name, text);
    } catch {
      this.broken = true; // full, or forbidden: from now on the page says so, and still tries
    }
  }
}

// The answers to all rows. Ratings are Maps from a criterion's name to a level or UNSURE; what is not in them is open.
class Answers {
  constructor(data, store) {
    this.data = data;
    this.store = store;
    this.rows = data.items.flatMap((item, episode) =>
      item.rows.map(([place, hash, seen], within) => ({
        key: `${item.item}/${place}`,
        item: item.item,
        episode,
        within,
        place,
        hash,
        seen,
        turn: item.said.findIndex((said) => said[2] === place), // -1: the whole dialogue
        criteria: place === data.whole ? data.episode : data.turn,
      })),
    );
    this.at = new Map(this.rows.map((row, at) => [row.key, at]));
    this.given = this.rows.map(() => ({ ratings: new Map(), note: "" }));
    this.rows.forEach((row, at) => this.recall(at));
    this.unsaved = store.read("unsaved") !== null;
  }

  // Takes a row from storage, such as another tab has written.
  recall(at) {
    const ratings = new Map();
    let note = "";
    try {
      const kept = JSON.parse(this.store.read(`row ${this.rows[at].key}`)) ?? {};
      for (const [name, value] of Object.entries(kept.ratings ?? {})) if (!this.wrong(at, name, value)) ratings.set(name, value);
      note = String(kept.note ?? "");
    } catch {
      // not what this page has written: as if there were nothing
    }
    this.given[at] = { ratings, note };
  }

  rate(at, name, value) {
    if (value === undefined) this.given[at].ratings.delete(name);
    else this.given[at].ratings.set(name, value);
    this.keep(at);
  }

  write(at, note) {
    this.given[at].note = note;
    this.keep(at);
  }

  keep(at) {
    const { ratings, note } = this.given[at];
    const text = ratings.size || note ? JSON.stringify({ ratings: Object.fromEntries(ratings), note }) : null;
    this.store.write(`row ${this.rows[at].key}`, text);
    if (!this.unsaved) this.store.write("unsaved", "1");
    this.unsaved = true;
  }

  downloaded() {
    this.unsaved = false;
    this.store.write("unsaved", null);
  }

  erase() {
    this.rows.forEach((row, at) => {
      this.given[at] = { ratings: new Map(), note: "" };
      this.store.write(`row ${row.key}`, null);
    });
    this.downloaded();
  }

  done(at) {
    return this.rows[at].criteria.every((criterion) => this.given[at].ratings.has(criterion.name));
  }

  begun(at) {
    return this.given[at].ratings.size > 0 || this.given[at].note.trim() !== "";
  }

  // Counts places and episodes, those that are done, and for each episode its done and its begun places.
  progress() {
    const episodes = this.data.items.map((item) => ({ places: item.rows.length, done: 0, begun: 0, noted: 0 }));
    let places = 0;
    this.rows.forEach((row, at) => {
      const done = this.done(at);
      places += done;
      episodes[row.episode].done += done;
      episodes[row.episode].begun += this.begun(at);
      episodes[row.episode].noted += this.given[at].note.trim() !== "";
    });
    return { places, episodes, whole: episodes.filter((episode) => episode.done === episode.places).length };
  }

  // Returns the next row after `from` that is not done, going round; -1 where all are.
  gap(from) {
    for (let step = 1; step <= this.rows.length; step += 1) {
      const at = (from + step) % this.rows.length;
      if (!this.done(at)) return at;
    }
    return -1;
  }

  // Returns the labels file: every row with a number or a note; what could not be told stands apart, for this page alone.
  file() {
    const { audit, part, rubric } = this.data;
    const labels = [];
    const unsure = [];
    this.rows.forEach(({ item, place, hash }, at) => {
      const { ratings, note } = this.given[at];
      const numbers = [...ratings].filter(([, value]) => value !== UNSURE);
      const criteria = [...ratings].filter(([, value]) => value === UNSURE).map(([name]) => name);
      if (numbers.length || note.trim()) labels.push({ item, place, hash, ratings: Object.fromEntries(numbers), note: note.trim() });
      if (criteria.length) unsure.push({ item, place, hash, criteria });
    });
    return { kind: "audit-labels", audit, part, rubric, labels, cannot_tell: unsure };
  }

  // Reads a labels file's text. Returns its rows and how many were of places that this page lacks or shows otherwise.
  // Throws an Error with a sentence for people.
  examine(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch {
      throw new Error("The file cannot be read: it is no JSON, or breaks off.");
    }
    if (file?.kind !== "audit-labels" || !Array.isArray(file.labels)) {
      throw new Error("This is no labels file. Choose one that was downloaded from this page.");
    }
    const { audit, part } = this.data;
    if (file.audit !== audit || file.part !== part) {
      throw new Error(`The file is of audit “${file.audit}”, review ${file.part}; this page is of audit “${audit}”, review ${part}.`);
    }
    const rows = new Map();
    let strange = 0;
    const row = (label) => {
      const at = this.at.get(`${label?.item}/${label?.place}`);
      if (at === undefined || this.rows[at].hash !== label.hash) return null;
      if (!rows.has(at)) rows.set(at, { ratings: new Map(), note: "" });
      return [at, rows.get(at)];
    };
    const set = (at, found, name, value) => {
      const wrong = this.wrong(at, name, value);
      if (wrong) throw new Error(`The file cannot be used: ${this.rows[at].item}, place ${this.rows[at].place}: ${wrong}.`);
      found.ratings.set(name, value);
    };
    for (const label of file.labels) {
      const [at, found] = row(label) ?? [null, null];
      if (found === null) {
        strange += 1;
        continue;
      }
      for (const [name, value] of Object.entries(label.ratings ?? {})) set(at, found, name, value ?? undefined);
      found.note = typeof label.note === "string" ? label.note : "";
    }
    for (const label of Array.isArray(file.cannot_tell) ? file.cannot_tell : []) {
      const [at, found] = row(label) ?? [null, null];
      for (const name of found && Array.isArray(label.criteria) ? label.criteria : []) set(at, found, name, UNSURE);
    }
    return { rows, strange };
  }

  // Says what is wrong with an answer, or returns an empty text.
  wrong(at, name, value) {
    const criterion = this.rows[at].criteria.find((one) => one.name === name);
    if (!criterion) return `there is no question “${name}”`;
    const high = criterion.low + criterion.levels.length - 1;
    if (value === UNSURE || (Number.isInteger(value) && criterion.low <= value && value <= high)) return "";
    return `${name} is ${JSON.stringify(value)}, allowed are whole numbers from ${criterion.low} to ${high}`;
  }

  // Counts the places of a file that say something else than what is here.
  conflicts(rows) {
    const differs = (here, there) => here !== undefined && there !== undefined && here !== there;
    return [...rows].filter(([at, found]) => {
      const { ratings, note } = this.given[at];
      const notes = differs(note.trim() || undefined, found.note.trim() || undefined);
      return notes || [...found.ratings].some(([name, value]) => differs(ratings.get(name), value));
    }).length;
  }

  // Takes a file's rows. What is only here stays; where both say something, `theirs` says whose word holds.
  take(rows, theirs) {
    for (const [at, found] of rows) {
      const here = this.given[at];
      const [first, second] = theirs ? [here.ratings, found.ratings] : [found.ratings, here.ratings];
      const notes = theirs ? [found.note, here.note] : [here.note, found.note];
      this.given[at] = { ratings: new Map([...first, ...second]), note: notes[0].trim() ? notes[0] : notes[1] };
      this.keep(at);
    }
  }
}
