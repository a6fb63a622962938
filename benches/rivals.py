#!/usr/bin/env python3
"""rivals.py --fyris PROGRAM [--rqbit PROGRAM] [--size MIB] [--runs N] [--only WORD]... [--document FILE]

Runs ours beside the programs that people use today, in a network namespace of its own: transfers between one seeder and
one leecher of each, the same with many small files, with long pieces and with fifty leechers, a swarm whose members may
each send so much a second, what a seeder needs at rest, and the making and checking of a torrent. Every transfer is
compared byte by byte. Prints tables with ratios, medians of the runs, and writes them into a document between two marks;
those left out by --only stay as they are there. Data lies in memory (/dev/shm), so that programs are compared and not
disks."""

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
# Seconds after its word that everything is there, within which a program's files must be whole.
LAST_WRITES = 5


def processor_secs(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid, which):
    """Its memory now (`VmRSS`), or the most that it ever had (`VmHWM`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024


def limited(kind, bytes_per_sec):
    """The words that limit what a program of that kind sends."""
    words = {"fyris": "--up-limit", "rqbit": "--ratelimit-upload", "libtorrent": "--rate"}
    return [] if bytes_per_sec is None else [words[kind], bytes_per_sec]


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
        # The lines of each table by its title; what stands before the first has none.
        self.tables = {"": []}
        # The titles of all, in order, those not wanted now among them.
        self.titles = []
        self.lines = self.tables[""]
        self.missing = set()
        self.made = {}

    def world(self, name):
        self.number = (self.number + 1) % 50
        return World(f"bench {name}", self.number, self.programs, 280, ports=200)

    def client(self, kind, world, at=None, address=None):
        """One of a kind; numbered where there are several."""
        import clients
        label = kind if at is None else f"{kind} {at}"
        if kind == "libtorrent":
            try:
                import libtorrent  # noqa: F401
            except ImportError:
                raise Skip("libtorrent is not installed") from None
            return clients.Libtorrent(world, address, label)
        if kind == "rqbit":
            return clients.Rqbit(world, label)
        return clients.Fyris(world, address, label)

    def begin(self, world, data, piece, seeder, limit=None):
        """A torrent, and a seeder of it that its tracker knows of."""
        import clients
        tracker = clients.Tracker(world)
        torrent = world.folder / "t.torrent"
        world.run([world.program("fyris"), "create", data.path, "-o", torrent, "-t", tracker.http,
                   "--piece-length", piece])
        seed = self.client(seeder, world)
        seed.seed(torrent, data.folder, *limited(seeder, limit))
        shown = json.loads(world.run([world.program("fyris"), "show", "--json", torrent]).stdout)
        scrape = f"http://{tracker.authority}/scrape?info_hash=" + quote(bytes.fromhex(shown["info_hash_v1"]))
        world.wait("the seed has announced itself",
                   lambda: re.search(rb"8:completei[1-9]", clients.fetch(scrape)))
        return torrent, seed

    def fetch(self, world, data, torrent, seeder, leecher, leechers, limit=None):
        """Lets all of them fetch; the clients, and after how many seconds each had everything. Programs that are told what
        to fetch once they run are started before the time begins."""
        fetching = []
        for at in range(leechers):
            address = world.theirs if leecher == seeder and leecher != "rqbit" else None
            one = self.client(leecher, world, at, address)
            one.prepare(world.path(f"copy {at}"), *limited(leecher, limit))
            fetching.append(one)
        begun = time.monotonic()
        for at, one in enumerate(fetching):
            keep = ["--keep-seeding"] if leecher == "fyris" else []
            one.get(torrent, world.path(f"copy {at}"), *keep, *limited(leecher, limit))
        took = {}
        while len(took) < leechers:
            for at, one in enumerate(fetching):
                if at not in took and one.finished():
                    took[at] = time.monotonic() - begun
            if time.monotonic() > world.deadline:
                raise Failed(f"{leecher} did not finish")
            fetching[-1].process.check()
            time.sleep(0.01)
        return fetching, took

    def compare(self, world, data, seeder, leecher, fetching):
        for at, one in enumerate(fetching):
            if leecher == "fyris":
                one.process.stop()
            # Others say that all is there before their last writes have reached the file; ours may not.
            until = time.monotonic() + (0 if leecher == "fyris" else LAST_WRITES)
            while data.differs(world.path(f"copy {at}")):
                if time.monotonic() > until:
                    raise Failed(f"what {leecher} fetched from {seeder} differs")
                time.sleep(0.1)

    def transfer(self, data, piece, seeder, leecher, leechers=1):
        """Wall seconds, processor seconds of both sides, peak MiB of the seeder and of the hungriest leecher."""
        world = self.world(f"{seeder} to {leecher}")
        try:
            torrent, seed = self.begin(world, data, piece, seeder)
            before = processor_secs(seed.process.pid)
            fetching, took = self.fetch(world, data, torrent, seeder, leecher, leechers)
            processor = processor_secs(seed.process.pid) - before
            processor += sum(processor_secs(one.process.pid) for one in fetching)
            peaks = (memory_mib(seed.process.pid, "VmHWM"),
                     max(memory_mib(one.process.pid, "VmHWM") for one in fetching))
            self.compare(world, data, seeder, leecher, fetching)
            return max(took.values()), processor, *peaks
        finally:
            world.close(False)

    def swarm(self, data, kind, leechers, limit):
        """Seconds after which the last one had everything, and after which they had it in the middle."""
        world = self.world(f"swarm of {kind}")
        try:
            torrent, _ = self.begin(world, data, 256 << 10, kind, limit)
            fetching, took = self.fetch(world, data, torrent, kind, kind, leechers, limit)
            self.compare(world, data, kind, kind, fetching)
            return max(took.values()), statistics.mean(took.values())
        finally:
            world.close(False)

    def rest(self, data, kind):
        """MiB of memory, and percent of a core, of a seeder with nothing to do."""
        world = self.world(f"{kind} at rest")
        try:
            _, seed = self.begin(world, data, 256 << 10, kind)
            world.keep_running(3)
            before = processor_secs(seed.process.pid)
            world.keep_running(10)
            used = processor_secs(seed.process.pid) - before
            return memory_mib(seed.process.pid, "VmRSS"), used * 10
        finally:
            world.close(False)

    def measure(self, whats, times=None):
        """The medians of the figures of each, or nothing where a program is not there. They take turns, so that whatever
        else goes on on the machine meets all alike."""
        runs = [[] for _ in whats]
        for _ in range(times or self.options.runs):
            for found, what in zip(runs, whats):
                try:
                    if found is not None and found != [None]:
                        found.append(what())
                except Skip as reason:
                    self.missing.add(str(reason))
                    found[:] = [None]
        return [None if found == [None] else [statistics.median(column) for column in zip(*found)] for found in runs]

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def table(self, title, *columns):
        """Begins a table; false where it is not wanted."""
        self.titles.append(title)
        if self.options.only and not any(word in title for word in self.options.only):
            return False
        self.lines = self.tables.setdefault(title, [])
        self.say(f"### {title}\n")
        self.say(f"| {' | '.join(columns)} |")
        self.say("|---" + "|---:" * (len(columns) - 1) + "|")
        return True

    def row(self, name, *figures):
        self.say(f"| {name} | {' | '.join(figures)} |")

    def transfers(self, title, make, piece, pairs, leechers=1):
        """A table of pairs. Ratios are to rqbit's own pair, and for mixed ones to the other program's own pair."""
        if not self.table(title, "seeder to leecher", "MiB/s", "processor s/GiB", "peak MiB", "rate to rqbit's",
                          "processor to rqbit's", "rate to the rival's own pair"):
            return
        data = make()
        found = self.measure([lambda pair=pair: self.transfer(data, piece, *pair, leechers) for pair in pairs])
        figures = dict(zip(pairs, found))
        mib = data.bytes * leechers / (1 << 20)
        base = figures.get(("rqbit", "rqbit"))
        for pair, found in figures.items():
            name = " to ".join(pair)
            if found is None:
                self.row(name, "not installed", "", "", "", "", "")
                continue
            wall, processor, seed_peak, leech_peak = found
            rival = next((kind for kind in pair if kind != "fyris"), None)
            own = figures.get((rival, rival)) if "fyris" in pair else None
            self.row(name, f"{mib / wall:.0f}", f"{processor / mib * 1024:.2f}", f"{seed_peak:.0f} / {leech_peak:.0f}",
                     f"{base[0] / wall:.2f}" if base else "", f"{processor / base[1]:.2f}" if base else "",
                     f"{own[0] / wall:.2f}" if own else "")
        self.say()

    def swarms(self, leechers, limit_mib, mib):
        title = f"One seeder and {leechers} leechers of {mib} MiB, each sending {limit_mib} MiB/s at most"
        if not self.table(title, "program", "last s", "mean s", "last to the least possible"):
            return
        data = self.data("swarm", 1, mib << 20)
        least = max(mib / limit_mib, leechers * mib / ((leechers + 1) * limit_mib))
        kinds = ["fyris", "libtorrent", "rqbit"]
        # Their limits decide, not the machine: one run of each.
        found = self.measure([lambda kind=kind: self.swarm(data, kind, leechers, limit_mib << 20) for kind in kinds], 1)
        for kind, times in zip(kinds, found):
            if times is None:
                self.row(kind, "not installed", "", "")
            else:
                self.row(kind, f"{times[0]:.1f}", f"{times[1]:.1f}", f"{times[0] / least:.2f}")
        self.say()

    def resting(self):
        if not self.table("A seeder with nothing to do", "program", "MiB", "% of a core"):
            return
        data = self.data("rest", 1, 16 << 20)
        kinds = ["fyris", "rqbit", "libtorrent"]
        found = self.measure([lambda kind=kind: self.rest(data, kind) for kind in kinds], 1)
        for kind, figures in zip(kinds, found):
            if figures is None:
                self.row(kind, "not installed", "")
            else:
                self.row(kind, f"{figures[0]:.1f}", f"{figures[1]:.1f}")
        self.say()

    def data(self, name, files, length):
        """A set of files, made when it is first wanted."""
        folder = Path(tempfile.tempdir, name)
        if name not in self.made:
            self.made[name] = Data(folder, "data.bin" if files == 1 else "many", files, length)
        return self.made[name]

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
        if not self.table("Making and checking a torrent", "what", "seconds", "processor s", "time to mktorrent's"):
            return
        fyris = self.programs["fyris"]
        for name, make in sets:
            data = make()
            with tempfile.TemporaryDirectory(dir=MEMORY) as work:
                torrent = Path(work, "t.torrent")

                def fresh(argv):
                    torrent.unlink(missing_ok=True)
                    return self.command(argv)

                def rival():
                    if not shutil.which("mktorrent"):
                        raise Skip("mktorrent is not installed")
                    return fresh(["mktorrent", "-t", "2", "-l", "20", "-o", torrent, data.path])

                def created():
                    return fresh([fyris, "create", data.path, "-o", torrent, "--piece-length", 1 << 20])

                def verified():
                    return self.command([fyris, "verify", torrent, "--dir", data.folder])

                found = self.measure([rival, created, verified])
            for what, figures in zip(["mktorrent -t 2", "fyris create", "fyris verify"], found):
                if figures is None:
                    self.row(f"{name}: {what}", "not installed", "", "")
                    continue
                ratio = f"{figures[0] / found[0][0]:.2f}" if found[0] else ""
                self.row(f"{name}: {what}", f"{figures[0]:.2f}", f"{figures[1]:.2f}", ratio)
        self.say()

    def machine(self):
        model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        flags = Path("/proc/cpuinfo").read_text()
        has = [name for name in ("sha_ni", "avx512f", "avx2") if f" {name}" in flags]
        memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / (1 << 20)
        self.say(f"{os.cpu_count()} cores of {model[1] if model else platform.processor()} ({', '.join(has)}), "
                 f"{memory:.0f} GB, Linux {re.match('[0-9]+.[0-9]+', platform.release())[0]}, {time.strftime('%B %Y')}. "
                 f"Medians of {self.options.runs} runs; peak memory of the seeder / the hungriest leecher.\n")
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
    parser.add_argument("--only", action="append", help="a word of the titles of the tables to make; may be given again")
    parser.add_argument("--document", help="a file with the two marks to write the tables between")
    options = parser.parse_args()
    enter_namespace([sys.executable, *sys.argv])
    tempfile.tempdir = tempfile.mkdtemp(prefix="fyris-bench-", dir=MEMORY if MEMORY.is_dir() else None)
    bench = Bench(options)
    try:
        bench.machine()

        def large():
            return bench.data("large", 1, options.size << 20)

        def small():
            return bench.data("small", 10_000, 20 << 10)

        own = [("fyris", "fyris"), ("rqbit", "rqbit")]
        every = own + [("libtorrent", "libtorrent"), ("fyris", "rqbit"), ("rqbit", "fyris"),
                       ("fyris", "libtorrent"), ("libtorrent", "fyris")]
        bench.transfers(f"One file of {options.size} MiB in pieces of 1 MiB", large, 1 << 20, every)
        bench.transfers(f"One file of {options.size} MiB in pieces of 16 MiB", large, 16 << 20, own)
        bench.transfers("10,000 files of 20 KiB in pieces of 256 KiB", small, 256 << 10, own)
        few = min(64, options.size)
        bench.transfers(f"One seeder and 50 leechers of one file of {few} MiB",
                        lambda: bench.data("few", 1, few << 20), 1 << 20, own, leechers=50)
        bench.swarms(6, 8, min(128, options.size))
        bench.resting()
        bench.making([(f"one file of {options.size} MiB", large), ("10,000 files of 20 KiB", small)])
    finally:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)
    if bench.missing:
        print("left out:", "; ".join(sorted(bench.missing)))
    if options.document:
        write(Path(options.document), bench)


def write(document, bench):
    """Puts the tables into the document; one that was not to be made now stays as it is there."""
    before, rest = document.read_text().split(MARKS[0], 1)
    inside, after = rest.split(MARKS[1], 1)
    kept = re.split(r"^(?=### )", inside, flags=re.MULTILINE)[1:]
    tables = {table.split("\n", 1)[0].removeprefix("### "): table for table in kept}
    tables.update({title: "\n".join(lines) for title, lines in bench.tables.items()})
    texts = [tables[title].strip("\n") for title in ["", *bench.titles] if title in tables]
    document.write_text(before + MARKS[0] + "\n" + "\n\n".join(texts) + "\n" + MARKS[1] + after)


if __name__ == "__main__":
    main()
