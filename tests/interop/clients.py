"""The clients: each can seed a folder and get a torrent, and says when it has everything."""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from world import Failed

HERE = Path(__file__).parent
ALONE = ["--no-dht", "--no-lsd", "--no-upnp"]


def fetch(url, data=None, headers=None, seconds=5):
    """The body of an HTTP answer."""
    with urllib.request.urlopen(urllib.request.Request(url, data, headers or {}), timeout=seconds) as answer:
        return answer.read()


def answers(url):
    """Whether something serves this URL yet."""
    try:
        fetch(url)
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class Tracker:
    """Our tracker, over HTTP and UDP on one port."""

    def __init__(self, world):
        self.world = world
        self.authority = f"{world.meeting}:{world.port()}"
        self.process = world.spawn("tracker", [
            world.program("fyris"), "tracker", "--http", self.authority, "--udp", self.authority])
        world.wait("the tracker answers", lambda: answers(f"http://{self.authority}/scrape"))

    @property
    def http(self):
        return f"http://{self.authority}/announce"

    @property
    def udp(self):
        return f"udp://{self.authority}/announce"

    def counts(self, info_hash):
        """(complete, incomplete) as a scrape says them."""
        import libtorrent as lt
        answer = lt.bdecode(fetch(f"http://{self.authority}/scrape?info_hash={urllib.parse.quote(info_hash)}"))
        entry = answer.get(b"files", {}).get(info_hash, {})
        return entry.get(b"complete", 0), entry.get(b"incomplete", 0)

    def wait_for_seed(self, info_hash):
        """Waits until a seed has announced itself; some clients take their time."""
        self.world.wait("the seed has announced itself", lambda: self.counts(info_hash)[0] > 0)


class Fyris:
    """Ours, by its command line."""

    name = "fyris"
    makes_empty_files = True

    def __init__(self, world, address=None, label="fyris"):
        self.world, self.label = world, label
        self.address = address or world.ours
        self.port = world.port()
        self.peer = f"{self.address}:{self.port}"
        self.process = None

    def _spawn(self, verb, source, folder, extra):
        state = self.world.path(f"state of {self.label}")
        self.process = self.world.spawn(self.label, [
            self.world.program("fyris"), verb, source, "--dir", folder, "--state", state,
            "--port", self.port, "--bind", self.address, *ALONE, *extra])

    def seed(self, torrent, folder, *extra):
        self._spawn("seed", torrent, folder, extra)
        self.world.wait("fyris seeds", lambda: self.process.said(r"^seeding ."))

    def prepare(self, folder, *extra):
        """Nothing: it is told what to get when it starts."""

    def get(self, source, folder, *extra):
        self._spawn("get", source, folder, extra)

    def finished(self):
        return self.process.said(r"^complete .+ \d+(\.\d+)?$")


class Libtorrent:
    name = "libtorrent"
    makes_empty_files = True

    def __init__(self, world, address=None, label="libtorrent"):
        self.world, self.label = world, label
        self.peer = f"{address or world.theirs}:{world.port()}"
        self.process = None

    def prepare(self, folder, *extra):
        """Starts it, so that `get` has only to tell it what to get."""
        self._spawn("-", folder, extra)

    def _spawn(self, source, folder, extra):
        node = [sys.executable, HERE / "libtorrent_node.py", source, folder, self.peer, *extra]
        self.process = self.world.spawn(self.label, node)
        self.world.wait("libtorrent is ready", lambda: self.process.said("^ready$"))

    def seed(self, torrent, folder, *extra):
        self._spawn(torrent, folder, ["--seed", *extra])

    def get(self, source, folder, *extra):
        if self.process:
            self.process.tell(str(source))
        else:
            self._spawn(source, folder, extra)

    def finished(self):
        return self.process.said("^complete$")

    def pause(self):
        """Stops the torrent, of which trackers are told."""
        self.process.tell("pause")

    def sent(self):
        """Bytes of payload sent so far."""
        before = self.process.output().count("sent ")
        self.process.tell("count")
        self.world.wait("libtorrent counts", lambda: self.process.output().count("sent ") > before)
        return int(self.process.output().rsplit("sent ", 1)[1].split()[0])


class Rqbit:
    name = "rqbit"
    makes_empty_files = True

    def __init__(self, world, label="rqbit"):
        self.world, self.label = world, label
        self.binary = world.program("rqbit")
        self.port, self.control = world.port(), world.port()
        self.peer = f"{world.meeting}:{self.port}"
        self.process = None

    def prepare(self, folder, *extra):
        """Starts it, so that `get` has only to tell it what to get."""
        self.process = self.world.spawn(self.label, [
            self.binary, "--http-api-listen-addr", f"127.0.0.1:{self.control}", "--listen-port", self.port,
            "--disable-dht", "--disable-lsd", "--disable-upnp-port-forward", "-v", "error", *extra,
            "server", "start", "--disable-persistence", folder],
            env={"SSL_CERT_FILE": str(self.world.trusted)} if self.world.trusted else None)
        base = f"http://127.0.0.1:{self.control}"
        self.world.wait("rqbit answers", lambda: answers(base + "/stats"))

    def _start(self, source, folder, extra):
        if not self.process:
            self.prepare(folder, *extra)
        body = str(source).encode() if str(source).startswith("magnet:") else Path(source).read_bytes()
        base = f"http://127.0.0.1:{self.control}"
        self.id = json.loads(fetch(base + "/torrents?overwrite=true", body, seconds=30))["id"]

    def seed(self, torrent, folder, *extra):
        self._start(torrent, folder, extra)
        self.world.wait("rqbit seeds", self.finished)

    def get(self, source, folder, *extra):
        self._start(source, folder, extra)

    def finished(self):
        return json.loads(fetch(f"http://127.0.0.1:{self.control}/torrents/{self.id}/stats/v1"))["finished"]


class Aria2:
    name = "aria2"
    makes_empty_files = True

    def __init__(self, world):
        self.world = world
        self.binary = world.program("aria2c")
        self.port, self.control = world.port(), world.port()
        self.peer = f"{world.theirs}:{self.port}"

    def _start(self, source, folder, extra):
        self.process = self.world.spawn("aria2", [
            self.binary, f"--interface={self.world.theirs}", f"--listen-port={self.port}", "--seed-ratio=0.0",
            # UDP trackers come with the DHT, which finds nobody here.
            f"--enable-dht={'true' if self.world.trusted else 'false'}", f"--dht-listen-port={self.port}",
            f"--dht-file-path={self.world.folder / 'aria2.dht'}", "--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false",
            "--file-allocation=none", "--summary-interval=0", "--console-log-level=error", "--bt-max-peers=0",
            *([f"--ca-certificate={self.world.trusted}"] if self.world.trusted else []),
            "--no-conf=true", "--enable-rpc=true", f"--rpc-listen-port={self.control}", "-d", folder, *extra, source])

    def seed(self, torrent, folder):
        self._start(torrent, folder, ["--check-integrity=true"])
        self.world.wait("aria2 seeds", self.finished)

    def get(self, source, folder):
        self._start(source, folder, ["--allow-overwrite=true"])

    def _call(self, method, *parameters):
        call = {"jsonrpc": "2.0", "id": 1, "method": f"aria2.{method}", "params": parameters}
        return json.loads(fetch(f"http://127.0.0.1:{self.control}/jsonrpc", json.dumps(call).encode()))["result"]

    def pause(self):
        """Stops the torrent, of which trackers are told."""
        for entry in self._call("tellActive", ["gid"]):
            self._call("pause", entry["gid"])

    def finished(self):
        try:
            active = self._call("tellActive", ["seeder", "bittorrent"])
        except OSError:
            return False
        return any(entry.get("seeder") == "true" and "info" in entry["bittorrent"] for entry in active)


class Transmission:
    name = "transmission"
    makes_empty_files = False

    def __init__(self, world):
        self.world = world
        self.binary = world.program("transmission-daemon")
        self.port, self.control = world.port(), world.port()
        self.peer = f"{world.theirs}:{self.port}"
        self.session = ""

    def _start(self, source, folder):
        settings = {
            f"bind-address-ipv{6 if ':' in self.world.theirs else 4}": self.world.theirs, "peer-port": self.port, "rpc-port": self.control,
            "rpc-bind-address": "127.0.0.1", "rpc-authentication-required": False, "rpc-whitelist-enabled": False,
            "utp-enabled": False, "dht-enabled": False, "lpd-enabled": False, "pex-enabled": False,
            "port-forwarding-enabled": False, "encryption": 0, "speed-limit-up-enabled": False,
            "speed-limit-down-enabled": False, "ratio-limit-enabled": False, "download-dir": str(folder),
            "incomplete-dir-enabled": False, "start-added-torrents": True, "umask": 18,
        }
        state = self.world.path("transmission")
        (state / "settings.json").write_text(json.dumps(settings))
        trust = {"TR_CURL_SSL_VERIFY": "1", "CURL_CA_BUNDLE": str(self.world.trusted)} if self.world.trusted else None
        self.process = self.world.spawn("transmission", [self.binary, "--foreground", "--config-dir", state], env=trust)
        self.world.wait("transmission answers", lambda: answers(f"http://127.0.0.1:{self.control}/transmission/rpc"))
        if str(source).startswith("magnet:"):
            what = {"filename": source}
        else:
            what = {"metainfo": base64.b64encode(Path(source).read_bytes()).decode()}
        self._call("torrent-add", {**what, "download-dir": str(folder)})

    def _call(self, method, arguments):
        for _ in range(2):
            try:
                return json.loads(fetch(
                    f"http://127.0.0.1:{self.control}/transmission/rpc",
                    json.dumps({"method": method, "arguments": arguments}).encode(),
                    {"X-Transmission-Session-Id": self.session}))["arguments"]
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise
                self.session = error.headers["X-Transmission-Session-Id"]
        raise Failed("transmission refuses its own session id")

    def seed(self, torrent, folder):
        self._start(torrent, folder)
        self.world.wait("transmission seeds", self.finished)

    def get(self, source, folder):
        self._start(source, folder)

    def pause(self):
        """Stops the torrent, of which trackers are told."""
        self._call("torrent-stop", {})

    def finished(self):
        fields = ["leftUntilDone", "percentDone", "metadataPercentComplete"]
        torrents = self._call("torrent-get", {"fields": fields})["torrents"]
        return any(t["leftUntilDone"] == 0 and t["percentDone"] == t["metadataPercentComplete"] == 1 for t in torrents)


class Qbittorrent:
    name = "qbittorrent"
    makes_empty_files = True

    def __init__(self, world):
        self.world = world
        self.binary = world.program("qbittorrent-nox")
        self.port, self.control = world.port(), world.port()
        self.peer = f"{world.meeting}:{self.port}"

    def _start(self, source, folder, skip_checking):
        profile = self.world.path("qbittorrent")
        config = profile / "qBittorrent" / "config"
        config.mkdir(parents=True)
        (config / "qBittorrent.conf").write_text(f"""[LegalNotice]
Accepted=true
[BitTorrent]
Session\\Port={self.port}
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\MultiConnectionsPerIp=true
Session\\BTProtocol=TCP
Session\\SSRFMitigation=false
Session\\ValidateHTTPSTrackerCertificate=false
[Preferences]
WebUI\\Port={self.control}
WebUI\\LocalHostAuth=false
WebUI\\CSRFProtection=false
Connection\\UPnP=false
""")
        self.process = self.world.spawn("qbittorrent", [self.binary, f"--profile={profile}"])
        base = f"http://127.0.0.1:{self.control}/api/v2"
        self.world.wait("qbittorrent answers", lambda: answers(base + "/app/version"))
        fields = {"savepath": str(folder), "skip_checking": "true" if skip_checking else "false"}
        body, boundary = b"", "a-boundary-that-no-torrent-has"
        if str(source).startswith("magnet:"):
            fields["urls"] = str(source)
        else:
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="torrents"; filename="t.torrent"\r\n'
                     "Content-Type: application/x-bittorrent\r\n\r\n").encode() + Path(source).read_bytes() + b"\r\n"
        for name, value in fields.items():
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        body += f"--{boundary}--\r\n".encode()
        fetch(base + "/torrents/add", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def seed(self, torrent, folder):
        self._start(torrent, folder, skip_checking=True)
        self.world.wait("qbittorrent seeds", self.finished)

    def get(self, source, folder):
        self._start(source, folder, skip_checking=False)

    def finished(self):
        torrents = json.loads(fetch(f"http://127.0.0.1:{self.control}/api/v2/torrents/info"))
        return any(t["progress"] == 1 and t["size"] > 0 and t["state"] in
                   ("uploading", "stalledUP", "forcedUP", "queuedUP") for t in torrents)


OTHERS = [Libtorrent, Rqbit, Aria2, Transmission, Qbittorrent]
