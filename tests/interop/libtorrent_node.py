#!/usr/bin/env python3
"""One libtorrent node: libtorrent_node.py SOURCE FOLDER ADDRESS:PORT [--seed] [--rate BYTES] [--peer ADDRESS:PORT]...

Prints `ready` once it takes part and `complete` once it has everything; where SOURCE is `-`, the first line of its standard
input, which it reads once it is ready, names the source. After that the line `pause` stops the torrent, any other is answered by one with the bytes of payload sent and received. It ends with its standard input."""

import argparse
import sys
import threading
import time
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)
import libtorrent as lt  # noqa: E402

SETTINGS = {
    "alert_mask": 0, "user_agent": "libtorrent node", "allow_multiple_connections_per_ip": True, "ssrf_mitigation": False,
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False, "out_enc_policy": 2, "in_enc_policy": 2,
    "validate_https_trackers": False, "auto_sequential": False, "min_reconnect_time": 1, "max_concurrent_http_announces": 50,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("folder")
    parser.add_argument("listen")
    parser.add_argument("--seed", action="store_true")
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--peer", action="append", default=[])
    options = parser.parse_args()
    session = lt.session({**SETTINGS, "listen_interfaces": options.listen, "upload_rate_limit": options.rate})
    waits = options.source == "-"
    if waits:
        print("ready", flush=True)
        options.source = sys.stdin.readline().strip()
    if options.source.startswith("magnet:"):
        wanted = lt.parse_magnet_uri(options.source)
    else:
        wanted = lt.add_torrent_params()
        wanted.ti = lt.torrent_info(options.source)
    wanted.save_path = options.folder
    wanted.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    if options.seed:
        wanted.flags |= lt.torrent_flags.seed_mode
    torrent = session.add_torrent(wanted)
    # Peers of one's own address are not held back by the global limit, a torrent's is.
    torrent.set_upload_limit(options.rate or -1)
    for peer in options.peer:
        host, port = peer.rsplit(":", 1)
        torrent.connect_peer((host, int(port)))
    if not waits:
        print("ready", flush=True)
    threading.Thread(target=watch, args=(torrent,), daemon=True).start()
    for line in sys.stdin:
        if line == "pause\n":
            torrent.pause()
            continue
        status = torrent.status()
        print("sent", status.total_payload_upload, "received", status.total_payload_download, flush=True)


def watch(torrent):
    while not torrent.status().is_seeding:
        time.sleep(0.05)
    print("complete", flush=True)


main()
