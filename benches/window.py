#!/usr/bin/env python3
"""window.py --fyris PROGRAM [--torrents N] [--size MIB] [--seconds S] [--document FILE]

What the window costs with a long list: an app on a screen of its own, with N torrents at rest in its list and one that
comes in at full rate, while its list is scrolled and sorted; then the same app when nothing happens. It reads what the
overlay of F12 shows, and what the system counts. Data lies in memory."""

import argparse
import hashlib
import os
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "interop"))
import window as windows  # noqa: E402
from clients import ALONE  # noqa: E402
from world import World, enter_namespace  # noqa: E402

MARKS = ("<!-- window: begin -->", "<!-- window: end -->")
SHOWN = re.compile(r"frame (\d+)   rows laid out (\d+), own work ms: p50 ([\d.]+)  p95 ([\d.]+)  p99 ([\d.]+)  max ([\d.]+)")


# Seconds for which nothing happens.
REST = 30


def small_torrents(count, data, torrents):
    """So many torrents of one piece each, with what they describe."""
    for at in range(count):
        name, content = f"file {at:06}.bin".encode(), hashlib.shake_128(b"%d" % at).digest(16384)
        (data / name.decode()).write_bytes(content)
        info = b"d6:lengthi16384e4:name%d:%s12:piece lengthi16384e6:pieces20:%se" % (
            len(name), name, hashlib.sha1(content).digest())
        path = torrents / f"{at:06}.torrent"
        path.write_bytes(b"d4:info" + info + b"e")
        yield path


class Long:
    """A state folder whose list is long, and what is done with it."""

    def __init__(self, world):
        self.world = world
        self.program = world.program("fyris")
        self.state = world.path("state of app")
        self.data = world.path("data")
        (self.state / "settings.toml").write_text(f'download_folder = "{self.data}"\ntracker = false\n')

    def fill(self, count):
        """Adds them to a session without a window, which checks them and ends."""
        torrents = list(small_torrents(count, self.data, self.world.path("torrents")))
        daemon = self.world.spawn("daemon", [self.program, "daemon", "--state", self.state, "--port", self.world.port(), *ALONE])
        self.world.wait("the daemon listens", lambda: "peers reach this session" in said(daemon))
        for at in range(0, count, 2_500):
            self.world.run([self.program, "--state", self.state, *torrents[at:at + 2_500]])
        self.world.wait("all are complete", lambda: self.listed("state").count("seeding") >= count)
        daemon.stop()

    def listed(self, fields, *torrents):
        return self.world.run([self.program, "list", "--state", self.state, "--fields", fields, *torrents]).stdout


def said(process):
    return process.output() + process.errors.read_text(errors="replace")


def measured(world, size, seconds, count):
    """(rows of the table)"""
    long = Long(world)
    long.fill(count)
    there = world.path("there")
    with open(there / "big.bin", "wb") as out:
        for _ in range(size):
            out.write(os.urandom(1 << 20))
    torrent = world.folder / "big.torrent"
    world.run([long.program, "create", there / "big.bin", "-o", torrent, "--piece-length", str(1 << 20)])
    port = world.port()
    seeder = world.spawn("seeder", [long.program, "seed", torrent, "--dir", there, "--state", world.path("seeding"), "--port", port,
                                    *ALONE])
    world.wait("it is seeded", lambda: seeder.said("^seeding "))
    screen = windows.Screen(world)
    os.environ["FYRIS_LOG"] = "info"
    app = windows.start(world, screen, "app")
    (window,) = windows.opened(world, screen, 1)
    windows.rests(world, app)
    rows = []

    def press():
        screen.ask("xdotool", "windowfocus", window, "key", "F12")

    def shown(work):
        """What the overlay showed last, opened for as long as something is done."""
        before = len(SHOWN.findall(said(app)))
        press()
        work()
        press()
        world.wait("the overlay is gone", lambda: len(SHOWN.findall(said(app))) > before)
        return SHOWN.findall(said(app))[-1]

    def during(what, work, until):
        """Does something again and again."""
        begun, processor = time.monotonic(), windows.cpu_seconds(app)
        used = 0.0

        def on_and_on():
            nonlocal used
            while time.monotonic() - begun < seconds and not until():
                work()
            used = (windows.cpu_seconds(app) - processor) / (time.monotonic() - begun)

        _, laid_out, *times = shown(on_and_on)
        rows.append((what, laid_out, *times, f"{100 * used:.0f}"))

    def scroll():
        screen.ask("xdotool", "mousemove", "--window", window, "640", "330", "click", "--repeat", "20", "--delay", "16", "5")
        screen.ask("xdotool", "mousemove", "--window", window, "640", "330", "click", "--repeat", "19", "--delay", "16", "4")

    during(f"scrolling {count:,} torrents at rest", scroll, lambda: False)
    world.run([long.program, "control", "--state", long.state, "add", torrent, "--dir", world.path("taken"),
               "--peer", f"127.0.0.1:{port}"])
    complete = lambda: (there / "big.bin").stat().st_size == sum(  # noqa: E731
        path.stat().st_blocks * 512 for path in world.path("taken").rglob("big.bin*"))
    during(f"the same while {size:,} MiB come in", scroll, complete)
    world.wait("it is complete", lambda: "seeding" in long.listed("state", "big.bin"))
    # Until the rates have fallen.
    time.sleep(15)

    def rest(length):
        """Frames from one opening of the overlay to the next with so long a rest between them, and what the rest cost."""
        first = int(shown(lambda: time.sleep(1))[0])
        windows.rests(world, app)
        processor, begun = windows.cpu_seconds(app), time.monotonic()
        time.sleep(length)
        used = (windows.cpu_seconds(app) - processor) / (time.monotonic() - begun)
        return int(shown(lambda: time.sleep(1))[0]) - first, used

    # The overlay's own frames, and those of the presses, are drawn in every rest.
    own, _ = rest(1)
    frames, used = rest(REST)
    rows.append((f"at rest for {REST} s with {count + 1:,} torrents: {max(0, frames - own)} frames", "", "", "", "", "",
                 f"{100 * used:.2f}"))
    windows.closes(app)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fyris", required=True)
    parser.add_argument("--torrents", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=4_096)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--document")
    options = parser.parse_args()
    enter_namespace([sys.executable, *sys.argv])
    os.environ["TMPDIR"] = "/dev/shm"
    world = World("window", 0, {"fyris": os.path.abspath(options.fyris)}, 300)
    try:
        rows = measured(world, options.size, options.seconds, options.torrents)
    finally:
        world.close(keep=False)
    lines = ["| while | rows drawn | p50 ms | p95 ms | p99 ms | longest ms | processor, % of one core |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    text = "\n".join(lines)
    print(text)
    if options.document:
        document = Path(options.document)
        head, rest = document.read_text().split(MARKS[0])
        document.write_text(head + MARKS[0] + "\n" + text + "\n" + MARKS[1] + rest.split(MARKS[1])[1])


if __name__ == "__main__":
    main()
