// One torrent in full: how it stands, its files, peers and trackers, and what can be set for it.

import { command, commands, inFull } from "/session.js";
import { element, percent, put, rate, size, span, units, whole } from "/table.js";

const at = (id) => document.getElementById(id);
/** Files and peers that are shown at first, and more each time. */
const MOST = 200;
const REST = 2000;
const PRIORITIES = ["skip", "low", "normal", "high"];
const time = (secs) => (secs === null ? "not yet" : new Date(secs * 1000).toLocaleString());

export class Details {
  constructor() {
    this.hash = null;
    const dialog = at("detail-dialog");
    dialog.addEventListener("close", () => {
      this.hash = null;
      clearTimeout(this.timer);
    });
    for (const button of dialog.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.act(button.dataset.do, button.textContent));
    }
    for (const button of dialog.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => this.send({ queue: { torrent: this.hash, turn: button.dataset.turn } }, "Its place in the queue is set."));
    }
    at("detail-more").addEventListener("click", () => {
      this.most += MOST;
      this.renew(this.hash);
    });
    at("detail-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.set();
    });
  }

  open(torrent) {
    this.hash = torrent.info_hash;
    this.files = new Map();
    this.filled = null;
    this.most = MOST;
    put(at("detail-name"), torrent.name);
    put(at("detail-reason"), torrent.reason);
    put(at("detail-fault"), "");
    put(at("detail-note"), "");
    for (const id of ["files", "peers", "trackers", "facts"]) at(`detail-${id}`).replaceChildren();
    at("detail-dialog").showModal();
    this.renew(this.hash);
  }

  /** Tells it anew for as long as it is open and looked at. */
  async renew(hash) {
    clearTimeout(this.timer);
    if (hash !== this.hash) return;
    try {
      if (!document.hidden) {
        const told = await inFull(hash, this.most);
        if (hash !== this.hash) return;
        this.show(told);
        put(at("detail-fault"), "");
      }
    } catch (error) {
      if (hash !== this.hash) return;
      if (error.status === 404) return at("detail-dialog").close();
      put(at("detail-fault"), error.message);
    }
    this.timer = setTimeout(() => this.renew(hash), REST);
  }

  show({ torrent, detail, file_count, peer_count }) {
    put(at("detail-name"), torrent.name);
    put(at("detail-reason"), torrent.reason);
    this.facts({
      Size: size(torrent.size),
      "There and checked": `${percent(torrent.progress)}, ${size(torrent.done)}`,
      Downloaded: size(torrent.downloaded),
      Uploaded: size(torrent.uploaded),
      Ratio: torrent.ratio === null ? "∞" : torrent.ratio.toFixed(2),
      Rates: `↓ ${rate(torrent.down_rate)} ↑ ${rate(torrent.up_rate)}`,
      "Peers connected": `${torrent.peers}, ${torrent.seeds} of them complete`,
      "Peers in all": torrent.swarm ? `${torrent.swarm[0]} downloading, ${torrent.swarm[1]} complete` : "not known yet",
      "Time left": torrent.eta_secs === null ? "not known" : span(torrent.eta_secs),
      "Place in the queue": String(torrent.queue),
      Folder: torrent.folder,
      Added: time(torrent.added_unix),
      Complete: time(torrent.completed_unix),
      Pieces: `${detail.piece_count} of ${size(detail.piece_length)}`,
      "Thrown away": size(detail.wasted),
      "Info-hash": torrent.info_hash,
    });
    this.showFiles(detail.files, file_count);
    this.lines("peers", detail.peers, peer_count, (peer) => [peer.addr, `${peer.client} · ${percent(peer.progress)} · ↓ ${rate(peer.down_rate)} ↑ ${rate(peer.up_rate)}`]);
    this.lines("trackers", detail.trackers, detail.trackers.length, (tracker) => {
      const state = typeof tracker.state === "string" ? tracker.state : tracker.state.failed;
      return [tracker.url, tracker.warning ?? state];
    });
    if (this.filled !== torrent.info_hash) this.fill(torrent);
  }

  facts(facts) {
    const list = at("detail-facts");
    for (const [name, text] of Object.entries(facts)) {
      let fact = [...list.children].find((node) => node.firstChild.textContent === name);
      if (!fact) {
        fact = element("div");
        fact.append(element("dt", name), element("dd"));
        list.append(fact);
      }
      put(fact.lastChild, text);
    }
  }

  lines(name, shown, count, texts) {
    const list = at(`detail-${name}`);
    put(at(`detail-${name.slice(0, -1)}-count`), `(${count})`);
    while (list.children.length > shown.length) list.lastChild.remove();
    shown.forEach((row, index) => {
      let item = list.children[index];
      if (!item) {
        item = element("li");
        item.append(element("span", "", { class: "name" }), element("span", "", { class: "figure" }));
        list.append(item);
      }
      const [text, figure] = texts(row);
      put(item.firstChild, text);
      put(item.lastChild, figure);
    });
  }

  showFiles(files, count) {
    const more = count > files.length ? `, the first ${files.length} are shown` : "";
    put(at("detail-file-count"), `(${count}${more})`);
    at("detail-more").hidden = more === "";
    for (const file of files) {
      let row = this.files.get(file.index);
      if (!row) {
        row = { node: element("li"), name: element("span", file.path, { class: "name" }), figure: element("span", "", { class: "figure" }) };
        row.choice = element("select", "", { "aria-label": `Priority of ${file.path}` });
        for (const word of PRIORITIES) row.choice.append(element("option", word[0].toUpperCase() + word.slice(1), { value: word }));
        row.choice.addEventListener("change", () => {
          this.send({ prioritise: { torrent: this.hash, files: [[file.index, row.choice.value]] } }, "The priority is set.");
        });
        row.node.append(row.name, row.figure, row.choice);
        at("detail-files").append(row.node);
        this.files.set(file.index, row);
      }
      put(row.figure, `${percent(file.length ? file.done / file.length : 1)} of ${size(file.length)}`);
      if (document.activeElement !== row.choice) row.choice.value = file.priority;
    }
  }

  /** Puts into the form what holds. */
  fill(torrent) {
    this.filled = torrent.info_hash;
    this.before = torrent;
    at("option-name").value = torrent.name;
    at("option-label").value = torrent.label;
    at("option-down").value = units(torrent.limits.down, 1024);
    at("option-up").value = units(torrent.limits.up, 1024);
    at("option-ratio").value = units(torrent.goals.ratio, 1);
    at("option-seed").value = units(torrent.goals.seed_secs, 60);
    at("option-idle").value = units(torrent.goals.idle_secs, 60);
    at("option-folder").value = torrent.target ?? torrent.folder;
    at("option-sequential").checked = torrent.sequential;
  }

  set() {
    const torrent = this.hash;
    const before = this.before;
    const { limits, goals } = before;
    const ratio = at("option-ratio").value;
    const asked = [];
    const name = at("option-name").value.trim();
    if (name !== before.name) asked.push({ rename: { torrent, name } });
    const label = at("option-label").value.trim();
    if (label !== before.label) asked.push({ label: { torrent, label } });
    asked.push({ limit: { torrent, limits: { down: whole(at("option-down"), 1024, limits.down), up: whole(at("option-up"), 1024, limits.up) } } });
    asked.push({ goals: { torrent, goals: {
      ratio: ratio === units(goals.ratio, 1) ? goals.ratio : ratio === "" ? null : Number(ratio),
      seed_secs: whole(at("option-seed"), 60, goals.seed_secs),
      idle_secs: whole(at("option-idle"), 60, goals.idle_secs),
    } } });
    const on = at("option-sequential").checked;
    if (on !== before.sequential) asked.push({ sequential: { torrent, on } });
    const folder = at("option-folder").value.trim();
    if (folder !== (before.target ?? before.folder)) asked.push({ move: { request: 0, torrent, folder } });
    this.send(asked, "The options are set.");
  }

  act(what, text) {
    const torrent = this.hash;
    const asked = what === "stop" ? { stop_and_serialize: { request: 0, torrent } } : { [what]: torrent };
    this.send(asked, `${text}: done.`);
  }

  async send(asked, done) {
    put(at("detail-fault"), "");
    put(at("detail-note"), "");
    try {
      const told = await (Array.isArray(asked) ? commands(asked) : command(asked));
      const refused = (Array.isArray(told) ? told : []).find((outcome) => outcome.refused);
      if (refused) put(at("detail-fault"), refused.refused.reason);
      else put(at("detail-note"), done);
      this.filled = null;
    } catch (error) {
      put(at("detail-fault"), error.message);
    }
    this.renew(this.hash);
  }
}
