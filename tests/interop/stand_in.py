#!/usr/bin/env python3
"""libtorrent behind the part of our command line that the scenarios use: with it they try themselves (`run.py --self-check`)."""

import os
import signal
import socketserver
import sys
import threading
import time
import urllib.parse
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

warnings.filterwarnings("ignore", category=DeprecationWarning)
import libtorrent as lt  # noqa: E402


def transfer(verb, source, options):
    listen = f"{options['--bind'][0]}:{options['--port'][0]}"
    session = lt.session({
        "listen_interfaces": listen, "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "enable_outgoing_utp": False, "enable_incoming_utp": False, "out_enc_policy": 2, "in_enc_policy": 2, "alert_mask": lt.alert.category_t.storage_notification,
        "allow_multiple_connections_per_ip": True, "ssrf_mitigation": False})
    if source.startswith("magnet:"):
        wanted = lt.parse_magnet_uri(source)
    else:
        wanted = lt.add_torrent_params()
        wanted.ti = lt.torrent_info(source)
    wanted.save_path = options["--dir"][0]
    wanted.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    begun = time.monotonic()
    torrent = session.add_torrent(wanted)
    torrent.set_download_limit(int(options.get("--down-limit", ["-1"])[0]))
    torrent.set_upload_limit(int(options.get("--up-limit", ["-1"])[0]))
    for peer in options.get("--peer", []):
        host, port = peer.rsplit(":", 1)
        torrent.connect_peer((host, int(port)))
    while not torrent.status().is_seeding:
        time.sleep(0.02)
    torrent.flush_cache()
    while not any(isinstance(alert, lt.cache_flushed_alert) for alert in session.pop_alerts()):
        session.wait_for_alert(1000)
    if verb == "seed":
        print(f"seeding {torrent.status().name}", flush=True)
    else:
        print(f"complete {torrent.status().name} {time.monotonic() - begun:.3f}", flush=True)
    if verb == "seed" or "--keep-seeding" in options:
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        ended.wait()


class Announce(BaseHTTPRequestHandler):
    swarms = {}
    lock = threading.Lock()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query, encoding="latin-1", keep_blank_values=True).items()}
        info_hash = query.get("info_hash", "").encode("latin-1")
        with self.lock:
            swarm = self.swarms.setdefault(info_hash, {}) if info_hash else {}
            if url.path == "/announce":
                who = (self.client_address[0], int(query["port"]))
                swarm.pop(who, None)
                others = [peer for peer in swarm]
                if query.get("event") != "stopped":
                    swarm[who] = query.get("left") == "0"
                peers = b"".join(bytes(map(int, host.split("."))) + port.to_bytes(2, "big") for host, port in others)
                body = lt.bencode({b"interval": 60, b"min interval": 5, b"peers": peers})
            else:
                seeds = sum(swarm.values())
                counts = {b"complete": seeds, b"incomplete": len(swarm) - seeds, b"downloaded": 0}
                body = lt.bencode({b"files": {info_hash: counts} if info_hash else {}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    verb, rest = sys.argv[1], sys.argv[2:]
    options, plain = {}, []
    while rest:
        word = rest.pop(0)
        if word in ("--dir", "--state", "--port", "--bind", "--peer", "--up-limit", "--down-limit", "--http", "--udp"):
            options.setdefault(word, []).append(rest.pop(0))
        elif word.startswith("--"):
            options[word] = []
        else:
            plain.append(word)
    if verb == "tracker":
        host, port = options["--http"][0].rsplit(":", 1)
        socketserver.TCPServer.request_queue_size = 64
        ThreadingHTTPServer((host, int(port)), Announce).serve_forever()
    elif verb in ("seed", "get"):
        os.makedirs(options["--dir"][0], exist_ok=True)
        transfer(verb, plain[0], options)
    else:
        sys.exit(f"no stand-in for {verb}")


main()
