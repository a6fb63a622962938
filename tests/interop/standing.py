"""Our tracker by itself: what it stands, what outlives it, how systemd starts it, and its page in a browser."""

import json
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from clients import answers, fetch
from world import Failed, Skip

PACKAGING = Path(__file__).parents[2] / "packaging" / "tracker"


class Alone:
    """Our tracker with a configuration, over HTTP and UDP on one port of loopback."""

    def __init__(self, world, text="", label="tracker"):
        world.need_all_of_ours()
        self.world, self.label = world, label
        self.port = world.port()
        self.at = f"http://127.0.0.1:{self.port}"
        self.file = world.folder / f"{label}.toml"
        self.configure(text)
        self.start()

    def configure(self, text):
        self.file.write_text(f'http_port = {self.port}\n{text}\n')

    def start(self):
        self.process = self.world.spawn(self.label, [self.world.program("fyris"), "tracker", "--config", self.file])
        self.world.wait("the tracker answers", lambda: answers(f"{self.at}/stats"))

    def figures(self):
        return json.loads(fetch(f"{self.at}/stats", headers={"Accept": "application/json"}))["value"]

    def announce(self, torrent, port, left=1, rest="", key=""):
        return fetch(f"{self.at}{key}/announce?info_hash={quoted(torrent)}&peer_id=-XX0000-{port:012d}&port={port}"
                     f"&left={left}&compact=1{rest}")

    def memory(self):
        """KiB that it uses."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def quoted(number):
    return "".join(f"%{byte:02x}" for byte in number.to_bytes(20, "big"))


class Udp:
    """A client of the tracker over UDP."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.socket.send(struct.pack(">QII", 0x41727101980, 0, 7))
        self.id = struct.unpack(">IIQ", self.socket.recv(64))[2]

    def send(self, torrent, port, left=1):
        self.socket.send(struct.pack(">QII20s20sQQQIIIiH", self.id, 1, port, torrent.to_bytes(20, "big"), bytes(20),
                                     0, left, 0, 0, 0, 0, -1, port))

    def announce(self, torrent, port, left=1):
        """(leechers, seeders) as the answer says them."""
        self.send(torrent, port, left)
        action, _, _, leechers, seeders = struct.unpack(">IIIII", self.socket.recv(4096)[:20])
        if action != 1:
            raise Failed("an announce over UDP was refused")
        return leechers, seeders


def crowd(world):
    """Ten thousand connections that say nothing or too little: everybody else is served as ever."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 11_000:
        raise Skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 11_000), hard))
    tracker = Alone(world, "http_timeout = 60\nhttp_max_connections = 12000")
    before = tracker.memory()
    crowd = []
    try:
        for number in range(10_000):
            one = socket.create_connection(("127.0.0.1", tracker.port), 5)
            if number % 2:
                one.send(b"GET /announce?info_hash=%aa HTTP/1.1\r\nHost: slow\r\n")
            crowd.append(one)
        world.wait("all of them are accepted", lambda: tracker.figures()["http_connections"] >= 10_000)
        taken, udp = [], Udp(tracker.port)
        for number in range(300):
            begun = time.monotonic()
            if b"8:interval" not in tracker.announce(1, 1000 + number):
                raise Failed("an announce was refused")
            udp.announce(2, 1000 + number)
            taken.append(time.monotonic() - begun)
            if number % 10 == 0:
                crowd[number + 1].send(b"X")
        late = sorted(taken)[int(len(taken) * 0.99)]
        more = (tracker.memory() - before) / 10_000
        print(f"         10,000 connections: 99 % of announces within {late * 1000:.1f} ms, {more:.1f} KiB a connection", flush=True)
        if late > 0.5:
            raise Failed(f"an announce took {late:.2f} s")
        if more > 16:
            raise Failed(f"{more:.0f} KiB a connection")
        if tracker.figures()["http_dropped"]:
            raise Failed("connections were dropped")
    finally:
        for one in crowd:
            one.close()


def killed(world):
    """Killed while it is asked without a pause: what it had a few seconds before is there again."""
    tracker = Alone(world, f'state_file = "{world.folder}/swarms.db"\nstate_interval = 1\nrate_limit = 0')
    for torrent in range(40):
        for port in range(1000, 1030):
            tracker.announce(torrent, port, left=port % 2, rest="&event=completed" if port == 1000 else "")
    over = threading.Event()

    def load():
        client, number = Udp(tracker.port), 0
        while not over.is_set():
            number += 1
            try:
                client.announce(100 + number % 5000, 2000 + number % 50)
            except OSError:
                return

    loaders = [threading.Thread(target=load) for _ in range(2)]
    for loader in loaders:
        loader.start()
    try:
        world.keep_running(4)
        tracker.process.kill()
    finally:
        over.set()
        for loader in loaders:
            loader.join()
    tracker.start()
    for torrent in range(40):
        scrape = fetch(f"{tracker.at}/scrape?info_hash={quoted(torrent)}")
        if b"8:completei15e10:downloadedi1e11:downloadersi15e10:incompletei15e" not in scrape:
            raise Failed(f"torrent {torrent} has come back as {scrape}")
    if tracker.figures()["torrents"] < 1000:
        raise Failed("nothing of the load was kept")
    tracker.process.stop()
    tracker.start()
    if tracker.figures()["torrents"] < 1000:
        raise Failed("a clean stop lost swarms")


def reloaded(world):
    """SIGHUP puts other rules in force and leaves the swarms; a bad file changes nothing."""
    tracker = Alone(world, "answer_interval = 1800")
    tracker.announce(1, 1000, 0)
    for interval, text in ((600, "answer_interval = 600"), (600, "answer_intervall = 60"), (90, "answer_interval = 90")):
        tracker.configure(text)
        tracker.process.signal(signal.SIGHUP)
        world.wait("the file was read", lambda: f":intervali{interval}e".encode() in tracker.announce(1, 1001))
        world.keep_running(0.3)
        answer = tracker.announce(1, 1001)
        if f"8:intervali{interval}e".encode() not in answer or b"8:completei1e" not in answer:
            raise Failed(f"after a reload with {text!r}: {answer}")
    code, seconds = tracker.process.stop()
    if code or seconds > 5:
        raise Failed(f"it ended with {code} after {seconds:.1f} s")


def listed(world):
    """Keys and torrents that are not served are read again when their files change, without a signal."""
    keys, deny = world.folder / "keys", world.folder / "deny"
    keys.write_text("first-user\n")
    deny.write_text("# none yet\n")
    tracker = Alone(world, f'private = true\nkeys_file = "{keys}"\ndeny_file = "{deny}"')

    def served(torrent, key):
        return b"8:interval" in tracker.announce(torrent, 1000, 0, key=key)

    if served(1, "") or served(1, "/second-user") or not served(1, "/first-user"):
        raise Failed("not who has a key is served")
    keys.write_text("second-user # since today\n")
    deny.write_text(f"{2:040x}\n")
    world.wait("the keys are read again", lambda: served(1, "/second-user"))
    if served(1, "/first-user") or served(2, "/second-user"):
        raise Failed("what was taken away is still served")
    deny.write_text("nonsense\n")
    world.keep_running(6)
    if not served(1, "/second-user") or served(2, "/second-user"):
        raise Failed("a bad list has changed something")
    if tracker.figures()["seeders"] != 1:
        raise Failed("a swarm was lost")


def activated(world):
    """Sockets opened by another program, as systemd hands them over; the unit files are as systemd wants them."""
    world.need_all_of_ours()
    http = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    # The shell becomes the program and keeps its number, which is the one that the sockets are meant for.
    script = f'LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" tracker 3<&{http.fileno()} 4<&{udp.fileno()}'
    child = subprocess.Popen(["bash", "-c", script, world.program("fyris")], pass_fds=(http.fileno(), udp.fileno()),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=world.folder)
    try:
        at = f"http://127.0.0.1:{http.getsockname()[1]}"
        world.wait("it answers on what it was given", lambda: answers(f"{at}/stats"))
        if Udp(udp.getsockname()[1]).announce(1, 1000) != (1, 0):
            raise Failed("over UDP it counts otherwise")
    finally:
        child.terminate()
        child.wait(10)
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        raise Skip("systemd-analyze is not installed")
    for unit in ("fyris-tracker.service", "fyris-tracker.socket"):
        text = (PACKAGING / unit).read_text().replace("/usr/local/bin/fyris", world.program("fyris"))
        (world.folder / unit).write_text(text)
    world.run([analyze, "verify", world.folder / "fyris-tracker.service", world.folder / "fyris-tracker.socket"])
    world.run([world.program("fyris"), "tracker", "--config", PACKAGING / "tracker.toml", "--check"])


def browsed(world):
    """The page in a real browser: its figures, and the hour that it draws."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        raise Skip("chromium is not installed")
    tracker = Alone(world)
    for port in range(1000, 1012):
        tracker.announce(1, port, left=port % 3)
    # A point every ten seconds, and a line needs two.
    page = re.compile(rb'aria-label="peers, last hour: 12, at most 12"><polyline points="([\d,]+ ){2,}"')
    world.wait("two points are drawn", lambda: page.search(fetch(f"{tracker.at}/")))
    profile = world.path("browser")

    def open_page(*options):
        return world.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                          f"--user-data-dir={profile}", "--window-size=900,1400", *options]).stdout

    seen = open_page("--dump-dom", f"{tracker.at}/")
    for name, value in (("torrents", 1), ("seeders", 4), ("leechers", 8), ("peers", 12)):
        if not re.search(rf">{name}</th>\s*<td>{value}</td>", seen):
            raise Failed(f"the page says otherwise of {name}: {seen[:3000]}")
    if len(re.findall(r"<polyline points=", seen)) != 4:
        raise Failed("not all four lines are there")
    shot = world.folder / "page.png"
    open_page(f"--screenshot={shot}", f"{tracker.at}/")
    if not shutil.which("convert"):
        raise Skip("imagemagick is not installed")
    blue = world.run(["convert", shot, "-fuzz", "12%", "-fill", "black", "+opaque", "#3388cc", "-fill", "white", "-opaque",
                      "#3388cc", "-format", "%[fx:round(w*h*mean)]", "info:"]).stdout
    if float(blue) < 10:
        raise Failed(f"{blue} points of the picture have the colour of the lines")
    stats = open_page("--dump-dom", f"{tracker.at}/stats?id=peers")
    if not re.search(r">peers</th>\s*<td>12</td>", stats) or "seeders" in stats:
        raise Failed(f"/stats?id=peers shows {stats[:1000]}")


def standing():
    """(name, seconds allowed, function) of each."""
    return [
        ("the tracker under ten thousand idle and slow connections", 60, crowd),
        ("the tracker killed under load", 60, killed),
        ("the tracker reloaded", 30, reloaded),
        ("the tracker's keys and lists changed", 40, listed),
        ("the tracker started by systemd's sockets", 40, activated),
        ("the tracker's page in a browser", 90, browsed),
    ]
