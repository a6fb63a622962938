// The session behind this page: the token, requests, and the list kept up to date.

const KEY = "fyris-token";
/** What the list needs of each torrent. */
const FIELDS = "name,state,reason,size,wanted,done,progress,down_rate,up_rate,ratio,eta,peers,seeds,swarm_peers,swarm_seeds," +
  "label,queue,added,downloaded,uploaded,folder";
/** Seconds that the other side may wait for something new, and milliseconds between two requests. */
const WAIT = 50;
const REST = 1000;

/** What the session refused, with its sentence. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

// Kept where only pages of this very address and port can read it; unlike a cookie, no browser sends it of its own accord.
let token = localStorage.getItem(KEY) ?? "";

/** Takes the token out of the address, so that it stays in no history. */
export function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    keepToken(found);
    history.replaceState(null, "", location.pathname);
  }
  return token !== "";
}

/** Keeps a token, or an address that ends with one. */
export function keepToken(text) {
  token = text.trim().replace(/^.*#token=/, "");
  localStorage.setItem(KEY, token);
}

export function dropToken() {
  token = "";
  localStorage.removeItem(KEY);
}

async function request(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  if (options.body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "Fyris does not answer. Does it still run?");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, sentence(told.error ?? `The answer was ${answer.status}`));
  return told;
}

function sentence(text) {
  const begins = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(begins) ? begins : `${begins}.`;
}

/** One command, in the words of the command line's `control`; gives what became of it. */
export function command(what) {
  return request("/api/commands", { method: "POST", body: JSON.stringify(what) });
}

/** Several; each has an outcome of its own. */
export const commands = command;

export const settings = () => request("/api/settings");
export const inFull = (hash, most) => request(`/api/torrents/${hash}/detail?most=${most}`);

/** Follows the list: calls `news` with a map of all torrents and the session's figures, `fault` with what went wrong or null. */
export class Follower {
  constructor(news, fault) {
    this.news = news;
    this.fault = fault;
    this.torrents = new Map();
    this.revision = null;
    this.turn = 0;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.start()));
  }

  start() {
    if (document.hidden || this.abort || !this.wanted) return;
    this.abort = new AbortController();
    this.follow(++this.turn, this.abort.signal);
  }

  /** Nothing is asked while nobody looks. */
  stop() {
    this.turn++;
    this.abort?.abort();
    this.abort = null;
  }

  async follow(turn, signal) {
    let rest = REST;
    while (turn === this.turn) {
      try {
        const since = this.revision === null ? "" : `&since=${this.revision}&wait=${WAIT}`;
        const told = await request(`/api/torrents?fields=${FIELDS}${since}`, { signal });
        if (turn !== this.turn) return;
        this.take(told);
        this.fault(null);
        rest = REST;
      } catch (error) {
        if (error.name === "AbortError" || turn !== this.turn) return;
        this.fault(error);
        if (error.status === 401) return this.stop();
        rest = Math.min(rest * 2, 30000);
      }
      await new Promise((wake) => setTimeout(wake, rest));
    }
  }

  take(told) {
    if (told.whole) this.torrents.clear();
    for (const torrent of told.torrents) this.torrents.set(torrent.info_hash, torrent);
    for (const hash of told.gone) this.torrents.delete(hash);
    this.revision = told.revision;
    this.news(this.torrents, told.session);
  }
}
