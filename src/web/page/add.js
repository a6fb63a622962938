// Adding torrents: .torrent files and magnet links, with a choice of files where there is one torrent.

import { command } from "/session.js";
import { element, put, size } from "/table.js";

const at = (id) => document.getElementById(id);
/** Files of a torrent that are offered one by one. */
const CHOICES = 2000;

/** A file's content in base64, as commands carry bytes. */
function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

export class Adder {
  /** `added(sentence)` is called once something is on the list. */
  constructor(added) {
    this.added = added;
    this.files = [];
    this.choice = null;
    at("add-files").addEventListener("change", (event) => this.take([...event.target.files]));
    at("add-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.add();
    });
    const tick = (on) => () => at("add-content").querySelectorAll("input").forEach((box) => (box.checked = on));
    at("add-everything").addEventListener("click", tick(true));
    at("add-nothing").addEventListener("click", tick(false));
  }

  open(files = []) {
    at("add-form").reset();
    put(at("add-fault"), "");
    this.take(files);
    if (!at("add-dialog").open) at("add-dialog").showModal();
  }

  async take(files) {
    this.files = files;
    this.choice = null;
    at("add-choice").hidden = files.length === 0;
    at("add-content").replaceChildren();
    put(at("add-about"), files.map((file) => file.name).join(", "));
    if (files.length !== 1) return;
    try {
      const told = await command({ inspect: { request: 0, source: { bytes: await base64(files[0]) } } });
      if (this.files !== files || !told.inspected) return;
      this.offer(told.inspected.preview);
    } catch (error) {
      if (this.files === files) put(at("add-fault"), error.message);
    }
  }

  /** Offers the files of a torrent to be chosen from. */
  offer(preview) {
    const known = preview.known ? " It is on the list already." : "";
    const room = preview.free_bytes === null ? "" : `, ${size(preview.free_bytes)} free`;
    put(at("add-about"), `${preview.name}: ${size(preview.total_length)}${room}.${known}`);
    if (preview.files.length < 2 || preview.files.length > CHOICES) return;
    this.choice = preview.files.map(([number, file]) => {
      const box = element("input", "", { type: "checkbox" });
      box.checked = true;
      const label = element("label", "", { class: "tick" });
      label.append(box, element("span", file.path, { class: "name" }));
      const item = element("li");
      item.append(label, element("span", size(file.length), { class: "figure" }));
      at("add-content").append(item);
      return { number, box };
    });
  }

  /** A word for each file of the torrent, in its order. */
  priorities() {
    if (!this.choice || this.choice.every(({ box }) => box.checked)) return [];
    const words = new Array(this.choice.at(-1).number + 1).fill("normal");
    for (const { number, box } of this.choice) if (!box.checked) words[number] = "skip";
    return words;
  }

  async add() {
    const links = at("add-links").value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!links.length && !this.files.length) {
      put(at("add-fault"), "Choose a .torrent file, or paste a magnet link.");
      return;
    }
    const folder = at("add-folder").value.trim();
    const options = { paused: at("add-paused").checked, sequential: at("add-sequential").checked, label: at("add-label").value.trim() };
    if (folder) options.folder = folder;
    const faults = [];
    let count = 0;
    // One after the other: of several, those that can be added are.
    const one = async (name, source, more) => {
      try {
        await command({ add: { request: 0, source: await source, options: { ...options, ...more } } });
        count++;
      } catch (error) {
        faults.push(links.length + this.files.length > 1 ? `${name}: ${error.message}` : error.message);
      }
    };
    put(at("add-fault"), "");
    for (const file of this.files) await one(file.name, base64(file).then((bytes) => ({ bytes })), { priorities: this.priorities() });
    for (const magnet of links) await one(magnet, { magnet }, {});
    if (count) this.added(count === 1 ? "One torrent was added." : `${count} torrents were added.`);
    if (faults.length) put(at("add-fault"), faults.join(" "));
    else at("add-dialog").close();
  }
}
