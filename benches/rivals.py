#!/usr/bin/env python3
"""rivals.py --fyris PROGRAM [--rqbit PROGRAM] [--size MIB] [--runs N] [--only WORD] [--document FILE]

Runs ours beside the programs that people use today, in a network namespace of its own: transfers between one seeder and
one leecher of each, the same with many small files, with long pieces and with many leechers, and the making and checking
of a torrent. Every transfer is compared byte by byte. Prints a table with ratios, medians of the runs, and writes it into
a document between two marks. Data lies in memory (/dev/shm), so that programs are compared and not disks."""

import argparse
import filecmp
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "interop"))
from world import Failed, Skip, World, enter_namespace  # noqa: E402

MEMORY = Path("/dev/shm")
MARKS = ("<!-- rivals: begin -->", "<!-- rivals: end -->")
TICKS = os.sysconf("SC_CLK_TCK")


def processor_secs(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


class Data:
    """A file or a folder of equal files, and its torrents."""

    def __init__(self, folder, name, files, length):
        self.folder, self.name, self.files = folder, name, files
        self.bytes = files * length
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / name
        targets = [whole] if files == 1 else [whole / f"{at // 100:03}" / f"{at:05}.bin" for at in range(files)]
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as out:
                left = length
                while left:
                    left -= out.write(os.urandom(min(left, 1 << 20)))

    @property
    def path(self):
        return self.folder / self.name

    def differs(self, folder):
        """Whether a copy of it is not the same."""
        copy = Path(folder) / self.name
        if self.files == 1:
            return not filecmp.cmp(self.path, copy, shallow=False)
        return subprocess.run(["diff", "-rq", self.path, copy], capture_output=True).returncode != 0


class Bench:
    def __init__(self, options):
        self.options = options
        self.programs = {"fyris": str(Path(options.fyris).resolve()), "rqbit": options.rqbit}
        self.number = 0
        self.lines = []
        self.missing = set()

    def world(self, name):
        self.number = (self.number + 1) % 900
        return World(f"bench {name}", self.number, self.programs, 240)

    def transfer(self, data, piece, seeder, leecher, leechers=1):
        """Wall seconds, processor seconds of both sides, peak MiB of the seeder and of the hungriest leecher."""
        import clients
        if "libtorrent" in (seeder, leecher):
            try:
                import libtorrent  # noqa: F401
            except ImportError:
                raise Skip("libtorrent is not installed") from None
        kinds = {"fyris": clients.Fyris, "rqbit": clients.Rqbit, "libtorrent": clients.Libtorrent,
                 "aria2": clients.Aria2}
        world = self.world(f"{seeder} to {leecher}")
        try:
            tracker = clients.Tracker(world)
            torrent = world.folder / "t.torrent"
            world.run([world.program("fyris"), "create", data.path, "-o", torrent, "-t", tracker.http,
                       "--piece-length", piece])
            seed = kinds[seeder](world)
            seed.seed(torrent, data.folder)
            shown = json.loads(world.run([world.program("fyris"), "show", "--json", torrent]).stdout)
            scrape = f"http://{tracker.authority}/scrape?info_hash=" + quote(bytes.fromhex(shown["info_hash_v1"]))
            world.wait("the seed has announced itself",
                       lambda: re.search(rb"8:completei[1-9]", clients.fetch(scrape)))
            before = processor_secs(seed.process.pid)
            begun = time.monotonic()
            fetching = []
            for at in range(leechers):
                if leecher in ("fyris", "libtorrent"):
                    one = kinds[leecher](world, address=world.theirs if leecher == seeder else None,
                                         label=f"{leecher} {at}")
                else:
                    one = kinds[leecher](world)
                folder = world.path(f"copy {at}")
                one.get(torrent, folder, *(["--keep-seeding"] if leecher == "fyris" else []))
                fetching.append((one, folder))
            for one, _ in fetching:
                while not one.finished():
                    if time.monotonic() > world.deadline:
                        raise Failed(f"{leecher} did not finish")
                    one.process.check()
                    time.sleep(0.01)
            wall = time.monotonic() - begun
            processor = processor_secs(seed.process.pid) - before
            processor += sum(processor_secs(one.process.pid) for one, _ in fetching)
            peaks = peak_mib(seed.process.pid), max(peak_mib(one.process.pid) for one, _ in fetching)
            for one, folder in fetching:
                if leecher == "fyris":
                    one.process.stop()
                if data.differs(folder):
                    raise Failed(f"what {leecher} fetched from {seeder} differs")
            return wall, processor, *peaks
        finally:
            world.close(False)

    def measure(self, what):
        """The median of each figure over the runs, or nothing where a program is not there."""
        try:
            runs = [what() for _ in range(self.options.runs)]
        except Skip as reason:
            self.missing.add(str(reason))
            return None
        return [statistics.median(column) for column in zip(*runs)]

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def transfers(self, title, data, piece, pairs, leechers=1):
        """A table of pairs; ratios are to the rival's own pair, or ours to the first of them."""
        if self.options.only and self.options.only not in title:
            return
        self.say(f"### {title}\n")
        self.say("| seeder to leecher | MiB/s | processor s/GiB | peak MiB | rate to rqbit's | processor to rqbit's |")
        self.say("|---|---:|---:|---:|---:|---:|")
        figures = {}
        # The rivals first, for the ratios.
        for pair in sorted(pairs, key=lambda pair: pair != ("rqbit", "rqbit")):
            figures[pair] = self.measure(lambda pair=pair: self.transfer(data, piece, *pair, leechers))
        mib = data.bytes * leechers / (1 << 20)
        base = figures.get(("rqbit", "rqbit"))
        for pair in pairs:
            found = figures[pair]
            name = " to ".join(pair)
            if found is None:
                self.say(f"| {name} | not installed | | | | |")
                continue
            wall, processor, seed_peak, leech_peak = found
            rate, cost = mib / wall, processor / mib * 1024
            ratios = " | ".join(["", ""]) if base is None else (
                f"{rate / (mib / base[0]):.2f} | {cost / (base[1] / mib * 1024):.2f}")
            self.say(f"| {name} | {rate:.0f} | {cost:.2f} | {seed_peak:.0f} / {leech_peak:.0f} | {ratios} |")
        self.say()

    def command(self, argv):
        """Wall and processor seconds of a command."""
        begun, before = time.monotonic(), os.times()
        done = subprocess.run([str(part) for part in argv], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{argv[0]}: {done.stderr[-300:]}")
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return time.monotonic() - begun, used

    def making(self, sets):
        title = "Making and checking a torrent"
        if self.options.only and self.options.only not in title:
            return
        self.say(f"### {title}\n")
        self.say("| what | seconds | processor s | time to mktorrent's |")
        self.say("|---|---:|---:|---:|")
        fyris = self.programs["fyris"]
        for name, data in sets:
            with tempfile.TemporaryDirectory(dir=MEMORY) as work:
                torrent = Path(work, "t.torrent")

                def fresh(argv):
                    torrent.unlink(missing_ok=True)
                    return self.command(argv)

                def rival():
                    if not shutil.which("mktorrent"):
                        raise Skip("mktorrent is not installed")
                    return fresh(["mktorrent", "-t", "2", "-l", "20", "-o", torrent, data.path])

                base = self.measure(rival)
                made = self.measure(
                    lambda: fresh([fyris, "create", data.path, "-o", torrent, "--piece-length", 1 << 20]))
                checked = self.measure(lambda: self.command([fyris, "verify", torrent, "--dir", data.folder]))
            for what, found in [("mktorrent -t 2", base), ("fyris create", made), ("fyris verify", checked)]:
                if found is None:
                    self.say(f"| {name}: {what} | not installed | | |")
                    continue
                ratio = f"{found[0] / base[0]:.2f}" if base else ""
                self.say(f"| {name}: {what} | {found[0]:.2f} | {found[1]:.2f} | {ratio} |")
        self.say()

    def machine(self):
        model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        flags = Path("/proc/cpuinfo").read_text()
        has = [name for name in ("sha_ni", "avx512f", "avx2") if f" {name}" in flags]
        memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / (1 << 20)
        self.say(f"{os.cpu_count()} cores of {model[1] if model else platform.processor()} ({', '.join(has)}), "
                 f"{memory:.0f} GB, Linux {platform.release()}, {time.strftime('%B %Y')}. "
                 f"Medians of {self.options.runs} runs; peak memory of the seeder / the leecher.\n")
        versions = []
        for name, argv in [("fyris", [self.programs["fyris"], "--version"]),
                           ("rqbit", [self.programs["rqbit"], "--version"]), ("mktorrent", ["mktorrent", "-h"])]:
            try:
                said = subprocess.run(argv, capture_output=True, text=True)
                found = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)
                versions.append(f"{name} {found[0] if found else '?'}")
            except OSError:
                versions.append(f"{name} not installed")
        try:
            import libtorrent
            versions.append(f"libtorrent {libtorrent.version}")
        except ImportError:
            versions.append("libtorrent not installed")
        self.say(f"Versions: {', '.join(versions)}.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fyris", required=True)
    parser.add_argument("--rqbit", default="rqbit")
    parser.add_argument("--size", type=int, default=2048, help="MiB of the one large file")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", help="a word of the titles of the tables to make")
    parser.add_argument("--document", help="a file with the two marks to write the tables between")
    options = parser.parse_args()
    enter_namespace([sys.executable, *sys.argv])
    tempfile.tempdir = tempfile.mkdtemp(prefix="fyris-bench-", dir=MEMORY if MEMORY.is_dir() else None)
    bench = Bench(options)
    try:
        large = Data(Path(tempfile.tempdir, "large"), "data.bin", 1, options.size << 20)
        bench.machine()
        own = [("fyris", "fyris"), ("rqbit", "rqbit")]
        every = own + [("libtorrent", "libtorrent"), ("fyris", "rqbit"), ("rqbit", "fyris"),
                       ("fyris", "libtorrent"), ("libtorrent", "fyris")]
        bench.transfers(f"One file of {options.size} MiB in pieces of 1 MiB", large, 1 << 20, every)
        bench.transfers(f"One file of {options.size} MiB in pieces of 16 MiB", large, 16 << 20, own)
        small = Data(Path(tempfile.tempdir, "small"), "many", 10_000, 20 << 10)
        bench.transfers("10,000 files of 20 KiB in pieces of 256 KiB", small, 256 << 10, own)
        few = Data(Path(tempfile.tempdir, "few"), "few.bin", 1, min(64, options.size) << 20)
        bench.transfers("One seeder and 12 leechers of one file of 64 MiB", few, 1 << 20, own, leechers=12)
        bench.making([(f"one file of {options.size} MiB", large), ("10,000 files of 20 KiB", small)])
    finally:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)
    if bench.missing:
        print("left out:", "; ".join(sorted(bench.missing)))
    if options.document:
        document = Path(options.document)
        before, rest = document.read_text().split(MARKS[0], 1)
        after = rest.split(MARKS[1], 1)[1]
        document.write_text(before + MARKS[0] + "\n" + "\n".join(bench.lines).rstrip() + "\n" + MARKS[1] + after)


if __name__ == "__main__":
    main()
