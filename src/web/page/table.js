// The list: which torrents are shown in what order, and their rows, of which only what differs is touched. Whatever comes from
// a torrent is set as text, never as markup.

/** Rows shown at first, and more each time. */
const PAGE = 200;
const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];
const STATES = { checking: "Checking", metadata: "Finding out", downloading: "Downloading", seeding: "Seeding", queued: "Queued",
  paused: "Paused", failed: "Stopped" };

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit + 1 < UNITS.length) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

export const rate = (bytes) => `${size(bytes)}/s`;

export function span(secs) {
  if (secs < 60) return `${secs} s`;
  if (secs < 3600) return `${Math.floor(secs / 60)} min ${secs % 60} s`;
  if (secs < 86400) return `${Math.floor(secs / 3600)} h ${Math.floor((secs % 3600) / 60)} min`;
  return secs < 31536000 ? `${Math.floor(secs / 86400)} d ${Math.floor((secs % 86400) / 3600)} h` : "more than a year";
}

/** A number of larger units for a field of a form; empty where there is none. */
export const units = (value, times) => (value === null || value === undefined ? "" : String(Math.round((value / times) * 100) / 100));

/** What a field of a form says in the smaller unit; exactly what was there before where nobody touched it. */
export function whole(field, times, before) {
  if (field.value === units(before, times)) return before ?? null;
  return field.value === "" ? null : Math.max(Math.round(Number(field.value) * times), 0);
}

/** Cut, not rounded: 100 % only when all is there. */
export const percent = (part) => (part >= 1 ? "100 %" : `${(Math.floor(part * 1000) / 10).toFixed(1)} %`);

/** An element with text and attributes. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Sets text where it differs: what stays the same is read out again by no screen reader. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const ORDERS = {
  added: (a, b) => b.added - a.added || compare(a.name, b.name),
  name: (a, b) => compare(a.name, b.name),
  progress: (a, b) => a.progress - b.progress || compare(a.name, b.name),
  rate: (a, b) => b.down_rate + b.up_rate - a.down_rate - a.up_rate || compare(a.name, b.name),
  size: (a, b) => b.size - a.size || compare(a.name, b.name),
  queue: (a, b) => a.queue - b.queue,
};
const { compare } = new Intl.Collator(undefined, { numeric: true });

/** The list of torrents. */
export class Table {
  /** `act(what, torrent)` is called for `open`, `pause`, `resume` and `remove`. */
  constructor(list, act) {
    this.list = list;
    this.act = act;
    this.rows = new Map();
    this.most = PAGE;
  }

  more() {
    this.most += PAGE;
  }

  /** Shows what fits; gives how many do, and whether more do than are shown. */
  show(torrents, { find, state, order }) {
    const words = find.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (torrent) => {
      const text = `${torrent.name} ${torrent.label}`.toLowerCase();
      const stands = !state || torrent.state === state || (state === "downloading" && torrent.state === "metadata");
      return stands && words.every((word) => text.includes(word));
    };
    const fitting = [...torrents.values()].filter(fits).sort(ORDERS[order] ?? ORDERS.added);
    const shown = fitting.slice(0, this.most);
    const wanted = new Set(shown.map((torrent) => torrent.info_hash));
    for (const [hash, row] of this.rows) {
      if (!wanted.has(hash)) {
        row.node.remove();
        this.rows.delete(hash);
      }
    }
    let before = null;
    for (const torrent of shown) {
      let row = this.rows.get(torrent.info_hash);
      if (!row) {
        row = this.row();
        this.rows.set(torrent.info_hash, row);
      }
      if (row.torrent !== torrent) fill(row, torrent);
      const place = before ? before.nextSibling : this.list.firstChild;
      if (place !== row.node) this.list.insertBefore(row.node, place);
      before = row.node;
    }
    return { count: fitting.length, isMore: fitting.length > shown.length };
  }

  row() {
    const row = { torrent: null, node: element("li", "", { class: "torrent" }) };
    const button = (what) => {
      const made = element("button", "", { type: "button" });
      made.addEventListener("click", () => this.act(typeof what === "string" ? what : what(), row.torrent));
      return made;
    };
    row.name = button("open");
    row.name.className = "name";
    row.tag = element("span", "", { class: "tag" });
    const heading = element("div");
    heading.append(row.name, " ", row.tag);
    row.bar = element("progress", "", { max: "1" });
    const bar = element("div", "", { class: "bar" });
    bar.append(row.bar);
    row.reason = element("p", "", { class: "reason" });
    row.figures = element("p", "", { class: "figures" });
    row.turn = button(() => (isStill(row.torrent) ? "resume" : "pause"));
    row.remove = button("remove");
    const buttons = element("div", "", { class: "buttons" });
    buttons.append(row.turn, row.remove);
    row.node.append(heading, bar, row.reason, row.figures, buttons);
    return row;
  }
}

function isStill(torrent) {
  return torrent.state === "paused" || torrent.state === "failed";
}

function fill(row, torrent) {
  row.torrent = torrent;
  const { name, state } = torrent;
  row.node.className = `torrent ${state}${torrent.wanted > 0 && torrent.done >= torrent.wanted ? " done" : ""}`;
  put(row.name, name);
  put(row.tag, torrent.label);
  row.bar.value = torrent.progress;
  row.bar.setAttribute("aria-label", `${name}: ${percent(torrent.progress)}`);
  put(row.reason, torrent.reason || STATES[state] || state);
  const figures = [STATES[state] ?? state, percent(torrent.progress),
    torrent.done < torrent.wanted ? `${size(torrent.done)} of ${size(torrent.wanted)}` : size(torrent.size)];
  if (torrent.down_rate) figures.push(`↓ ${rate(torrent.down_rate)}`);
  if (torrent.up_rate) figures.push(`↑ ${rate(torrent.up_rate)}`);
  if (torrent.eta !== null) figures.push(`${span(torrent.eta)} left`);
  if (torrent.peers) figures.push(`${torrent.peers} ${torrent.peers === 1 ? "peer" : "peers"}`);
  figures.push(`ratio ${torrent.ratio === null ? "∞" : torrent.ratio.toFixed(2)}`);
  put(row.figures, figures.join(" · "));
  const turn = isStill(torrent) ? "Resume" : "Pause";
  put(row.turn, turn);
  row.turn.setAttribute("aria-label", `${turn} ${name}`);
  put(row.remove, "Remove…");
  row.remove.setAttribute("aria-label", `Remove ${name}`);
}
