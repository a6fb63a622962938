#!/usr/bin/env python3
"""Pictures of every panel on a session that is played: empty, busy and failing, light and dark, small and large, and
the five windows side by side. Somebody has to look at them; nothing is compared.

pictures.py --window PATH-OF-THE-EXAMPLE --to FOLDER [--only WORD...]"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PANELS = ["peer", "coordinator", "trackers", "index", "statistics", "lab", "settings", "log"]
SIZES = [(800, 600), (3840, 2160)]
NETWORK = {"peer": (0, 0, 1280, 1060), "coordinator": (1290, 0, 1270, 1060), "trackers": (2570, 0, 1270, 1060),
           "index": (0, 1090, 1910, 1060), "statistics": (1930, 1090, 1910, 1060)}


class Screen:
    def __init__(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "3840x2160x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as said:
            display = said.readline().strip()
        self.environment = {**os.environ, "DISPLAY": ":" + display, "WAYLAND_DISPLAY": "", "LIBGL_ALWAYS_SOFTWARE": "1",
                            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}

    def ask(self, *argv):
        return subprocess.run(argv, capture_output=True, timeout=60, env=self.environment, check=False).stdout

    def windows(self, name):
        return self.ask("xdotool", "search", "--onlyvisible", "--name", name).decode().split()

    def wait(self, name, count):
        for _ in range(300):
            found = self.windows(name)
            if len(found) >= count:
                return found
            time.sleep(0.1)
        raise SystemExit(f"no {count} windows called {name}")

    def picture(self, window, path):
        """Taken once two in a row are the same, or after a while where something moves."""
        last = None
        for _ in range(6):
            time.sleep(0.7)
            pixels = self.ask("import", "-window", window, "png:-")
            if pixels == last:
                break
            last = pixels
        path.write_bytes(pixels)


def opened(screen, program, mood, theme, state, folder):
    (folder / "window.json").write_text(json.dumps({"version": 1, **state}))
    return subprocess.Popen([program, mood, theme, str(folder)], env=screen.environment, stderr=subprocess.DEVNULL)


def closed(process, folder):
    process.kill()
    process.wait()
    shutil.rmtree(folder)


def panels(screen, program, mood, theme, size, to, only):
    for panel in PANELS:
        name = f"{panel}-{mood}-{theme}-{size[0]}.png"
        if only and not all(word in name for word in only):
            continue
        folder = Path(tempfile.mkdtemp())
        state = {"panel": panel, "size": size, "controls": mood != "empty"}
        process = opened(screen, program, mood, theme, state, folder)
        window = screen.wait("^Fyris$", 1)[0]
        screen.picture(window, to / name)
        print(name, flush=True)
        closed(process, folder)


def five(screen, program, theme, to):
    folder = Path(tempfile.mkdtemp())
    sizes = {panel: (place[2], place[3]) for panel, place in NETWORK.items()}
    state = {"panel": "log", "own_windows": list(NETWORK), "own_sizes": sizes, "size": (800, 600)}
    process = opened(screen, program, "busy", theme, state, folder)
    screen.wait(".Fyris$", 5)
    for panel, (left, top, width, height) in NETWORK.items():
        window = screen.windows(f"^{panel.capitalize()} .*Fyris$")[0]
        screen.ask("xdotool", "windowsize", window, str(width), str(height), "windowmove", window, str(left), str(top))
    for main_window in screen.wait("^Fyris$", 1):
        screen.ask("xdotool", "windowmove", main_window, "3840", "2160")
    screen.picture("root", to / f"five-windows-{theme}.png")
    print(f"five-windows-{theme}.png", flush=True)
    closed(process, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", required=True)
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="pictures whose names hold all of these words")
    options = parser.parse_args()
    missing = [name for name in ("Xvfb", "xdotool", "import") if not shutil.which(name)]
    if missing:
        raise SystemExit("missing: " + ", ".join(missing))
    options.to.mkdir(parents=True, exist_ok=True)
    screen = Screen()
    try:
        for theme in ("light", "dark"):
            if not options.only or "five" in options.only:
                five(screen, options.window, theme, options.to)
            for mood in ("empty", "busy", "failing"):
                for size in SIZES:
                    panels(screen, options.window, mood, theme, size, options.to, options.only)
    finally:
        screen.server.terminate()


if __name__ == "__main__":
    sys.exit(main())
