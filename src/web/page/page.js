// The page: the door, the list with what is asked of it, and the dialogs.

import { Adder } from "/add.js";
import { Details } from "/detail.js";
import { Follower, command, dropToken, keepToken, settings, takeToken } from "/session.js";
import { Table, element, percent, put, rate, size, units, whole } from "/table.js";

const at = (id) => document.getElementById(id);
let torrents = new Map();
let removing = null;

/** A sentence at the edge for a few seconds. */
function note(text) {
  const line = element("p", text);
  at("notes").append(line);
  setTimeout(() => line.remove(), 5000);
}

/** Asks for something; what is refused is said. */
async function ask(what) {
  try {
    await command(what);
  } catch (error) {
    note(error.message);
  }
}

const details = new Details();
const adder = new Adder(note);
const table = new Table(at("list"), (what, torrent) => {
  if (what === "open") details.open(torrent);
  else if (what === "remove") confirmRemoval(torrent);
  else ask({ [what]: torrent.info_hash });
});

function draw() {
  const chosen = { find: at("find").value, state: at("show").value, order: at("order").value };
  const { count, isMore } = table.show(torrents, chosen);
  at("more").hidden = !isMore;
  at("empty").hidden = torrents.size > 0;
  const all = `${torrents.size} ${torrents.size === 1 ? "torrent" : "torrents"}`;
  put(at("count"), torrents.size === 0 ? "" : count === torrents.size ? all : `${count} of ${all}`);
}

function tell(session) {
  const { totals } = session;
  put(at("totals"), `↓ ${rate(totals.down_rate)} · ↑ ${rate(totals.up_rate)} · ${totals.peers} ${totals.peers === 1 ? "peer" : "peers"} · ` +
    `${size(totals.downloaded)} received, ${size(totals.uploaded)} sent${session.other_limits ? " · other limits" : ""}`);
  document.title = totals.down_rate + totals.up_rate ? `↓ ${rate(totals.down_rate)} ↑ ${rate(totals.up_rate)} · Fyris` : "Fyris";
  const jobs = session.jobs.map((job) => {
    const item = element("li");
    const bar = element("progress", "", { max: String(Math.max(job.total, 1)), "aria-label": job.name });
    bar.value = job.done;
    const cancel = element("button", "Cancel", { type: "button", "aria-label": `Cancel ${job.name}` });
    cancel.addEventListener("click", () => ask({ cancel: job.request }));
    const what = job.kind === "move" ? "Moving" : "Hashing";
    item.append(element("span", `${what} ${job.name}: ${percent(job.total ? job.done / job.total : 0)}`, { class: "name" }), bar, cancel);
    return item;
  });
  // A button that has the focus would lose it.
  if (!at("jobs").contains(document.activeElement) || jobs.length === 0) at("jobs").replaceChildren(...jobs);
}

const follower = new Follower(
  (all, session) => {
    torrents = all;
    tell(session);
    draw();
  },
  (fault) => {
    if (fault?.status === 401) {
      dropToken();
      knock(fault.message);
    }
    at("banner").hidden = !fault;
    put(at("banner"), fault?.message ?? "");
  },
);

/** Asks for the token. */
function knock(why = "") {
  follower.wanted = false;
  follower.stop();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  at("inside").hidden = true;
  at("door").hidden = false;
  put(at("door-fault"), why);
  at("door-token").value = "";
  at("door-token").focus();
}

function enter() {
  at("door").hidden = true;
  at("inside").hidden = false;
  follower.wanted = true;
  follower.revision = null;
  follower.start();
}

function confirmRemoval(torrent) {
  removing = torrent.info_hash;
  at("remove-form").reset();
  put(at("remove-fault"), "");
  put(at("remove-name"), torrent.name);
  at("remove-dialog").showModal();
}

async function openLimits() {
  put(at("limits-fault"), "");
  try {
    const { limits, queue, alternative } = await settings();
    at("limits-down").value = units(limits.down, 1024);
    at("limits-up").value = units(limits.up, 1024);
    at("limits-downloads").value = queue.downloads ?? "";
    at("limits-seeds").value = queue.seeds ?? "";
    at("limits-other").checked = alternative.on;
    at("limits-dialog").showModal();
  } catch (error) {
    note(error.message);
  }
}

/** Changes those settings, and leaves all others as they are at that moment. */
async function setLimits() {
  try {
    const all = await settings();
    all.limits = { down: whole(at("limits-down"), 1024, all.limits.down), up: whole(at("limits-up"), 1024, all.limits.up) };
    all.queue = { downloads: whole(at("limits-downloads"), 1, null), seeds: whole(at("limits-seeds"), 1, null) };
    all.alternative.on = at("limits-other").checked;
    await command({ settings: all });
    at("limits-dialog").close();
    note("The limits are set.");
  } catch (error) {
    put(at("limits-fault"), error.message);
  }
}

function on(id, event, act) {
  at(id).addEventListener(event, (happened) => {
    if (event === "submit") happened.preventDefault();
    act(happened);
  });
}

on("door-form", "submit", () => {
  keepToken(at("door-token").value);
  enter();
});
on("leave", "click", () => {
  dropToken();
  knock();
});
on("add", "click", () => adder.open());
on("resume-all", "click", () => ask("resume_all"));
on("pause-all", "click", () => ask("pause_all"));
on("limits", "click", openLimits);
on("limits-form", "submit", setLimits);
on("remove-form", "submit", async () => {
  try {
    await command({ remove: { torrent: removing, delete_data: at("remove-data").checked } });
    at("remove-dialog").close();
  } catch (error) {
    put(at("remove-fault"), error.message);
  }
});
on("more", "click", () => {
  table.more();
  draw();
});
for (const id of ["find", "show", "order"]) on(id, "input", draw);
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (files.length && !at("inside").hidden) adder.open(files);
});
// A link with another token was opened in this very page.
window.addEventListener("hashchange", () => takeToken() && enter());

if (takeToken()) enter();
else knock();
