#!/usr/bin/env python3
"""The window on a screen of its own: it opens, shows something, rests when nothing happens, and closes when told to.

window.py --fyris PATH [--strict] [--keep] [--screenshot FILE]"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import content
import world as worlds
from clients import ALONE, Tracker
from run import attempt
from scenarios import check


class Screen:
    """An X server without a monitor."""

    def __init__(self, world):
        self.world = world
        server = world.spawn("Xvfb", [
            world.program("Xvfb"), "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
        world.wait("the screen is there", lambda: server.said(r"^\d+$"))
        self.environment = {"DISPLAY": ":" + server.output().strip(), "WAYLAND_DISPLAY": "", "LIBGL_ALWAYS_SOFTWARE": "1"}

    def ask(self, *argv):
        """What a command that looks at this screen prints."""
        self.world.program(argv[0])
        done = subprocess.run(argv, capture_output=True, timeout=30, env={**os.environ, **self.environment})
        return done.stdout

    def windows(self):
        """The ids of the visible windows of ours."""
        return self.ask("xdotool", "search", "--onlyvisible", "--name", "Fyris").decode().split()

    def colours(self, window):
        """How often each colour stands in a window, which is brought to the front for that."""
        self.ask("xdotool", "windowraise", window)
        pixels = self.ask("import", "-window", window, "-depth", "8", "rgb:-")
        return Counter(zip(pixels[::3], pixels[1::3], pixels[2::3]))


def start(world, screen, label, *arguments):
    """Opens the app with a home and a state of its own."""
    home = world.path(f"home of {label}")
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_RUNTIME_DIR": str(home),
                   "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", **(screen.environment if screen else {})}
    if not screen:
        environment |= {"DISPLAY": "", "WAYLAND_DISPLAY": "", "WAYLAND_SOCKET": ""}
    return world.spawn(label, [world.program("fyris"), "--state", world.path(f"state of {label}"), "--port", world.port(),
                               *ALONE, *arguments], env=environment)


def opened(world, screen, count):
    """The windows, once there are so many and each shows something."""
    found = world.wait(f"{count} windows are open", lambda: (w := screen.windows()) if len(screen.windows()) == count else None)

    def drawn(window):
        colours = screen.colours(window)
        return len(colours) > 20 and colours.most_common(1)[0][1] < 0.98 * colours.total()

    for window in found:
        world.wait("the window shows something", lambda: drawn(window))
    return found


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rests(world, process):
    """Waits until a running app uses almost nothing: what happens at the start comes to its end."""
    def quiet():
        before = cpu_seconds(process)
        world.keep_running(2)
        return cpu_seconds(process) - before <= 0.04
    world.wait("the app rests", quiet)


def closes(process):
    code, seconds = process.stop()
    check(f"exit code {code} after SIGTERM", code == 0)
    check(f"it took {seconds:.1f} s to close", seconds < 5)


def two_windows(world, screenshot):
    """Two apps with two state folders, side by side."""
    screen = Screen(world)
    first = start(world, screen, "first")
    windows = opened(world, screen, 1)
    if screenshot:
        Path(screenshot).write_bytes(screen.ask("import", "-window", windows[0], "png:-"))
    second = start(world, screen, "second")
    opened(world, screen, 2)
    rests(world, first)
    rests(world, second)
    closes(second)
    world.wait("its window is gone", lambda: len(screen.windows()) == 1)
    closes(first)


def five_windows(world, _):
    """The five parts of the network in windows of their own, as they were left: each shows something, and all rest."""
    screen = Screen(world)
    state = world.path("state of app")
    state.mkdir(exist_ok=True)
    panels = ["peer", "coordinator", "trackers", "index", "statistics"]
    (state / "window.json").write_text(json.dumps({"version": 1, "own_windows": panels, "panel": "log"}))
    running = start(world, screen, "app")
    opened(world, screen, 1 + len(panels))
    rests(world, running)
    closes(running)
    left = json.loads((state / "window.json").read_text())["own_windows"]
    check(f"it remembers {left}", left == panels)


def handed_over(world, _):
    """A torrent given to a second start on the same state folder goes to the first; that window stays the only one."""
    shared = content.single(100_000)
    tracker = Tracker(world)
    torrent = shared.torrent(world.folder / "shared.torrent", tracker.http)
    screen = Screen(world)
    running = start(world, screen, "app")
    opened(world, screen, 1)
    handing = start(world, screen, "app", torrent)
    world.wait("the second start has ended", lambda: handing.ended() is not None)
    check(f"it ended with {handing.ended()}", handing.ended() == 0)
    check("more than one window", len(screen.windows()) == 1)
    closes(running)


def no_display(world, _):
    """Without a display it says so and goes on without a window; its page takes the window's place."""
    running = start(world, None, "headless", "--web", "127.0.0.1:0")
    said = world.wait("it says where its page is", lambda: running.said(r"^web page (http://[^/]+)/#token=(\S+)$"))
    address, token = said.groups()

    def ask(path, command=None, **headers):
        """Status and answer."""
        body = None if command is None else json.dumps(command).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        try:
            with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    for expected, headers in ((401, {"Authorization": ""}), (421, {"Host": "evil.example"}), (403, {"Origin": "http://evil.example"})):
        status, answer = ask("/api/commands", "pause_all", **headers)
        check(f"{headers} is answered by {status}, {answer}", status == expected and " " in answer["error"])
    file = content.single(100_000).torrent(world.folder / "shared.torrent")
    source = {"bytes": base64.b64encode(file.read_bytes()).decode()}
    status, answer = ask("/api/commands", {"add": {"request": 0, "source": source, "options": {"paused": True}}})
    check(f"adding is answered by {status}, {answer}", status == 200 and not answer["added"]["known"])
    torrent, name = answer["added"]["torrent"], "<b id=harm>a torrent</b>"
    status, answer = ask("/api/commands", {"rename": {"torrent": torrent, "name": name}})
    check(f"renaming is answered by {status}, {answer}", status == 200)
    world.wait("it is listed by that name", lambda: [t["name"] for t in ask("/api/torrents?fields=name")[1]["torrents"]] == [name])
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser:
        # The browser's time stands still while its page waits for news, so there is some.
        ended = threading.Event()

        def stir():
            number = 0
            while not ended.wait(0.2):
                number += 1
                ask("/api/commands", {"label": {"torrent": torrent, "label": f"news {number}"}})

        threading.Thread(target=stir, daemon=True).start()
        try:
            seen = world.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                              f"--user-data-dir={world.path('browser')}", "--virtual-time-budget=2500", "--dump-dom",
                              said.group(0).removeprefix("web page ")]).stdout
        finally:
            ended.set()
        check(f"the browser shows {seen[:3000]}", "&lt;b id=harm&gt;a torrent" in seen and 'id="harm"' not in seen)
    closes(running)
    if not browser:
        raise worlds.Skip("chromium is not installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fyris", required=True)
    parser.add_argument("--strict", action="store_true", help="what cannot be run counts as failed")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    parser.add_argument("--screenshot", help="where to keep a picture of the first window")
    options = parser.parse_args()
    worlds.enter_namespace([sys.executable, *sys.argv])
    programs = {"fyris": str(Path(options.fyris).resolve())}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for number, (name, function) in enumerate({
            "two windows, two state folders": two_windows, "the five windows": five_windows,
            "a torrent handed to the running app": handed_over,
            "no display": no_display}.items()):
        result, line = attempt(name, 60, lambda world: function(world, options.screenshot), number, programs, options.keep)
        counts[result] += 1
        print(line, flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["failed"] or options.strict and counts["skipped"] else 0


if __name__ == "__main__":
    sys.exit(main())
