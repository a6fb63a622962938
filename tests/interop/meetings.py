"""The others meet each other through our tracker, over each of its ways, and what it counts is what they did."""

import json
import subprocess
import urllib.parse

import content
from clients import Aria2, Libtorrent, Qbittorrent, Rqbit, Tracker, Transmission, answers, fetch
from content import info_hash, lt
from world import Failed

# What keeps a client from a way. Over UDP and IPv6 both were tried alone (aria2 1.36, Transmission 3.00): no datagram came.
CANNOT = {
    ("https", 4): {Rqbit: "trusts the public authorities alone"},
    ("https", 6): {Rqbit: "trusts the public authorities alone"},
    ("udp", 6): {Aria2: "has no IPv6 socket for trackers, and says that it cannot send",
                 Transmission: "sends nothing to UDP trackers from an address that is not public"},
}

# Ends without a word, so that it is counted until it has been silent for long.
WORDLESS = Rqbit


class EveryWay(Tracker):
    """Our tracker over HTTP, HTTPS and UDP at one address of either family."""

    def __init__(self, world, six):
        self.world = world
        host = f"[{world.meeting}]" if six else world.meeting
        plain, secure = world.port(), world.port()
        self.authority, self.secure = f"{host}:{plain}", f"{host}:{secure}"
        certificate, key = world.folder / "certificate.pem", world.folder / "key.pem"
        subprocess.run([
            world.program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=tracker.test", "-addext", f"subjectAltName=IP:{world.meeting}",
            "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.certificate = certificate
        config = world.folder / "tracker.toml"
        config.write_text(f'''
http_ip = "{world.meeting}"
http_port = {plain}
https_port = {secure}
tls_certificate = "{certificate}"
tls_key = "{key}"
''')
        self.process = world.spawn("tracker", [world.program("fyris"), "tracker", "--config", config])
        world.wait("the tracker answers", lambda: answers(f"http://{self.authority}/scrape"))

    @property
    def https(self):
        return f"https://{self.secure}/announce"

    def all_counts(self, torrent):
        """(complete, incomplete, downloaded) as a scrape says them."""
        scrape = fetch(f"http://{self.authority}/scrape?info_hash={urllib.parse.quote(torrent)}")
        entry = lt.bdecode(scrape).get(b"files", {}).get(torrent, {})
        return tuple(entry.get(name, 0) for name in (b"complete", b"incomplete", b"downloaded"))

    def figures(self):
        """/stats as numbers by name."""
        answer = fetch(f"http://{self.authority}/stats", headers={"Accept": "application/json"})
        return json.loads(answer)["value"]


def meeting(way, family):
    """All of them get what one of them seeds, and stop one after the other."""
    def run(world):
        world.need_all_of_ours()
        if family == 6:
            world.move_to_six()
        tracker = EveryWay(world, family == 6)
        world.trusted = tracker.certificate
        shared = content.single(300_000)
        torrent = shared.torrent(world.folder / "shared.torrent", getattr(tracker, way))
        which = info_hash(torrent)
        host = f"[{world.theirs}]" if family == 6 else world.theirs
        seeder = Libtorrent(world, host, "the seed")
        shared.write(world.path("there"))
        seeder.seed(torrent, world.path("there"))
        world.wait("the seed is counted", lambda: tracker.all_counts(which) == (1, 0, 0))
        kinds = [kind for kind in (Libtorrent, Rqbit, Aria2, Transmission, Qbittorrent)
                 if kind not in CANNOT.get((way, family), {})]
        getters = [Libtorrent(world, host) if kind is Libtorrent else kind(world) for kind in kinds]
        for getter in getters:
            getter.folder = world.path(f"here {getter.name}")
            getter.get(torrent, getter.folder)
        for getter in getters:
            world.wait(f"{getter.name} has everything", getter.finished)
            world.wait(f"{getter.name} has written it", lambda: not shared.compare(getter.folder))
        everybody = [seeder, *getters]
        # rqbit says that it is complete when it announces next, and never that it has just become so.
        silent = [client for client in everybody if isinstance(client, Rqbit)]
        done = len(getters) - len(silent)
        agree(world, tracker, which, (1 + done, len(silent), done), "everybody has it")
        counted = list(everybody)
        while everybody:
            leaver = everybody.pop()
            leave(leaver)
            if not isinstance(leaver, WORDLESS):
                counted.remove(leaver)
            complete = len([client for client in counted if client not in silent])
            agree(world, tracker, which, (complete, len(counted) - complete, done), f"{leaver.name} has stopped")
        figures = tracker.figures()
        for name in ("invalid_queries", "failed_queries", "rejected", "deleted_peers"):
            if figures[name]:
                raise Failed(f"{name} is {figures[name]}")
        used = figures["udp_received"] > 0
        if used != (way == "udp"):
            raise Failed(f"{figures['udp_received']} datagrams came")
    return run


def agree(world, tracker, which, expected, what):
    try:
        world.wait(what, lambda: tracker.all_counts(which) == expected)
    except Failed as reason:
        raise Failed(f"{reason}; counted {tracker.all_counts(which)}, not {expected}") from None


def leave(client):
    """Ends a client as its user would."""
    if isinstance(client, (Libtorrent, Aria2, Transmission)):
        # These tell trackers of a torrent that stops, but end themselves without waiting for them.
        client.pause()
    else:
        client.process.stop()


def meetings():
    """(name, seconds allowed, function) of each."""
    return [(f"others meet through our tracker over {way.upper()} and IPv{family}", 100, meeting(way, family))
            for way in ("http", "https", "udp") for family in (4, 6)]
