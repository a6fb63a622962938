#!/usr/bin/env python3
"""Ten minutes of load at full rate: does the memory grow, does an answer fail to come, how long does one take?

tracker-long.py FYRIS [SECONDS]: needs aquatic_udp_load_test. Tracker on core 0, load on core 1 with a client beside it that asks a
few hundred times a second and measures; root puts the tracker before other work of the machine. Prints one line a minute
and a summary, with what tells the machine's faults from the tracker's: datagrams that the full socket lost, and how long the
tracker was ready to run and had no core."""

import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PORT = 7391


def memory(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def lost_by_socket():
    """Datagrams that came while the buffer of the tracker's socket was full."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(fields[-1]) for fields in lines if fields[1].endswith(f":{PORT:04X}"))


def waited(pid):
    """Seconds that its threads were ready to run and did not."""
    return sum(int(task.read_text().split()[1]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def put_first(pid):
    """Lets it run before other work of the machine, where that is allowed."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.setpriority(os.PRIO_PROCESS, int(task.name), -10)
        except PermissionError:
            return
    # Sessions are weighed against each other first.
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text("-10")


def main():
    fyris, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    tracker = subprocess.Popen(["taskset", "-c", "0", fyris, "tracker", "--http", f"127.0.0.1:{PORT}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(1)
    os.sched_setaffinity(0, {1})
    put_first(tracker.pid)
    text = subprocess.run(["aquatic_udp_load_test", "-p"], capture_output=True, text=True, check=True).stdout
    for name, value in {"duration": seconds, "summarize_last": seconds - 60, "weight_connect": 1, "weight_announce": 100,
                        "number_of_torrents": 100_000, "number_of_peers": 1_000_000}.items():
        text = re.sub(rf"^{name} = .*", f"{name} = {value}", text, flags=re.M)
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(text.replace("127.0.0.1:3000", f"127.0.0.1:{PORT}"))
        config.flush()
        load = subprocess.Popen(["taskset", "-c", "1", "aquatic_udp_load_test", "-c", config.name], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        try:
            watch(tracker.pid, load)
            said = load.communicate()[0]
        finally:
            load.kill()
            tracker.kill()
    print(re.search(r"Average responses per second: .*", said)[0])


def watch(pid, load):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", PORT))
    client.settimeout(1)
    begun = time.monotonic()
    taken, lost, warm, known, minute = [], 0, None, None, 0
    while load.poll() is None:
        now = time.monotonic() - begun
        if now >= minute * 60:
            print(f"{minute} min: {memory(pid):.1f} MiB, {len(taken)} answers, {lost} lost; the socket lost {lost_by_socket()}, "
                  f"{waited(pid):.1f} s without a core", flush=True)
            minute += 1
        if warm is None and now > 60:
            warm, taken, lost = memory(pid), [], 0
        if known is None or now - known[1] > 60:
            client.send(struct.pack(">QII", 0x41727101980, 0, 7))
            try:
                known = struct.unpack(">IIQ", client.recv(64))[2], now
            except (TimeoutError, struct.error):
                continue
        number = len(taken) + lost
        sent = time.monotonic()
        client.send(struct.pack(">QII20s20sQQQIIIiH", known[0], 1, number, os.urandom(1) * 20, bytes(20), 0, 1, 0, 0, 0, 0, 30, 6881))
        try:
            while struct.unpack(">II", client.recv(4096)[:8]) != (1, number):
                pass
            taken.append(time.monotonic() - sent)
        except TimeoutError:
            # A full buffer loses datagrams, and clients ask again (BEP 15).
            lost += 1
        time.sleep(0.002)
    taken.sort()
    late = [taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99, 0.999)]
    print(f"{warm:.1f} MiB after the first minute, {memory(pid):.1f} MiB at the end; of {len(taken)} answers half within "
          f"{late[0]:.1f} ms, 99 % within {late[1]:.1f} ms, 99.9 % within {late[2]:.1f} ms; {lost} lost; the socket lost "
          f"{lost_by_socket()}, {waited(pid):.1f} s without a core")


main()
