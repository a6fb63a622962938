"""The scenarios, each a function of a world; `all_scenarios` lists them with their names."""

import json
import random
import re
import time
from pathlib import Path

import content
from clients import OTHERS, Fyris, Libtorrent, Tracker
from content import KIB, info_hash, lt, magnet
from faults import faults
from meetings import meetings
from scripted_peer import ScriptedPeer
from standing import standing
from world import Failed

CONTENTS = {"single file": content.single, "awkward album": content.album}
SHAPES = {
    "one byte": lambda: content.single(1),
    "exactly one piece": lambda: content.single(64 * KIB),
    "piece larger than the file": lambda: content.single(10_000, 256 * KIB),
    "last piece of one byte": lambda: content.single(4 * 64 * KIB + 1),
    "large pieces": lambda: content.single(9 * 1024 * KIB, 4096 * KIB),
    "many small files": content.many_small,
    "name in another script": lambda: content.single(200_000, name="Фирисон – 菲里斯河 🌊.bin"),
}


def check(what, condition):
    if not condition:
        raise Failed(what)


def check_same(shared, folder, empty_files=True):
    difference = shared.compare(folder, empty_files)
    check(difference, difference is None)


def transfer(world, shared, seeder, leecher, *, flags=lt.create_torrent.v1_only, private=False, by="http", from_magnet=False):
    """Seeds with one client, gets with the other; they meet by our tracker."""
    if by == "udp":
        world.need_all_of_ours()
    tracker = Tracker(world)
    torrent = shared.torrent(world.folder / "shared.torrent", getattr(tracker, by), flags, private)
    there, here = world.path("there"), world.path("here")
    shared.write(there)
    seeder.seed(torrent, there)
    tracker.wait_for_seed(info_hash(torrent))
    leecher.get(magnet(torrent, getattr(tracker, by)) if from_magnet else torrent, here)
    world.wait(f"{leecher.name} has everything", leecher.finished)
    if leecher.name != "fyris":
        # The others say so before they have written everything; ours does not.
        world.wait("it is on the disk", lambda: not shared.compare(here, leecher.makes_empty_files) or over(world))
    check_same(shared, here, leecher.makes_empty_files)
    check_same(shared, there)


def over(world):
    """Whether so little time is left that the reason is worth more than waiting on."""
    return world.deadline - time.monotonic() < 5


def fyris_seeds(other, make, **options):
    return lambda world: transfer(world, make(), Fyris(world), other(world), **options)


def fyris_gets(other, make, **options):
    return lambda world: transfer(world, make(), other(world), Fyris(world), **options)


def fyris_both(make, **options):
    def run(world):
        transfer(world, make(), Fyris(world, world.theirs, "seeding fyris"), Fyris(world), **options)
    return run


def swarm(world):
    """One seeder with a limit, six others of two kinds: what they have, they pass on."""
    shared = content.single(6 * 1024 * KIB, 64 * KIB)
    tracker = Tracker(world)
    torrent = shared.torrent(world.folder / "shared.torrent", tracker.http)
    shared.write(world.path("there"))
    Fyris(world, world.theirs, "seeder").seed(torrent, world.path("there"), "--up-limit", 2 * 1024 * KIB)
    getters = []
    for i in range(3):
        for kind in (Fyris, Libtorrent):
            getter = kind(world, label=f"{kind.name} {i}")
            getter.folder = world.path(f"here {kind.name} {i}")
            getter.get(torrent, getter.folder, *(["--keep-seeding"] if kind is Fyris else []))
            getters.append(getter)
    for getter in getters:
        world.wait(f"{getter.label} has everything", getter.finished)
        world.wait("it is on the disk", lambda: getter.name == "fyris" or not shared.compare(getter.folder))
        check_same(shared, getter.folder)


def peer_by_hand(world):
    """A magnet link without any tracker, and a peer given with --peer."""
    shared = content.single()
    torrent = shared.torrent(world.folder / "shared.torrent")
    shared.write(world.path("there"))
    seeder, getter = Libtorrent(world), Fyris(world)
    seeder.seed(torrent, world.path("there"))
    getter.get(magnet(torrent), world.path("here"), "--peer", seeder.peer)
    world.wait("fyris has everything", getter.finished)
    check_same(shared, world.path("here"))


def killed_and_resumed(world):
    """Killed twice in the middle: what was there is not fetched again, and the bytes are right."""
    shared = content.single(12 * 1024 * KIB)
    torrent = shared.torrent(world.folder / "shared.torrent")
    shared.write(world.path("there"))
    seeder = Libtorrent(world)
    seeder.seed(torrent, world.path("there"), "--rate", 3 * 1024 * KIB)
    here, sent, chance = world.path("here"), 0, random.Random(world.name)
    getter = Fyris(world)
    for _ in range(2):
        getter.get(torrent, here, "--peer", seeder.peer)
        aim = sent + chance.randrange(2, 4) * 1024 * KIB
        world.wait("some of it has come", lambda: seeder.sent() >= aim)
        getter.process.kill()
        sent = seeder.sent()
    check("the kill came too late to say anything", sent < shared.length)
    getter.get(torrent, here, "--peer", seeder.peer)
    world.wait("fyris has everything", getter.finished)
    check_same(shared, here)
    again = seeder.sent() - shared.length
    check(f"{again} bytes were fetched twice", again <= 4 * 1024 * KIB)


def stopped_and_resumed(world):
    """SIGTERM in the middle: it ends soon, and nothing is fetched twice."""
    shared = content.single(8 * 1024 * KIB)
    torrent = shared.torrent(world.folder / "shared.torrent")
    shared.write(world.path("there"))
    seeder, getter = Libtorrent(world), Fyris(world)
    seeder.seed(torrent, world.path("there"), "--rate", 3 * 1024 * KIB)
    getter.get(torrent, world.path("here"), "--peer", seeder.peer)
    world.wait("some of it has come", lambda: seeder.sent() >= 3 * 1024 * KIB)
    _, seconds = getter.process.stop()
    check(f"it took {seconds:.1f} s to end", seconds < 5)
    getter.get(torrent, world.path("here"), "--peer", seeder.peer)
    world.wait("fyris has everything", getter.finished)
    check_same(shared, world.path("here"))
    again = seeder.sent() - shared.length
    check(f"{again} bytes were fetched twice", again <= 1024 * KIB)


def liar(world):
    """One peer lies about some pieces: the others' bytes are kept and nothing false is."""
    shared = content.single(2 * 1024 * KIB)
    torrent = shared.torrent(world.folder / "shared.torrent")
    data = shared.files[0][1]
    shared.write(world.path("there"))
    false = ScriptedPeer(world.theirs, info_hash(torrent), data, shared.piece, lies=range(0, 32, 3))
    honest, getter = Libtorrent(world, world.meeting), Fyris(world)
    honest.seed(torrent, world.path("there"), "--rate", 512 * KIB)
    try:
        getter.get(torrent, world.path("here"), "--peer", false.address, "--peer", honest.peer)
        world.wait("fyris has everything", getter.finished)
    finally:
        false.close()
    check("nothing was asked of the liar", false.sent)
    check_same(shared, world.path("here"))


def hostile_names(world):
    """Names that lead out of the folder or that some system cannot hold: all the data, all of it inside."""
    raw, parts, piece = content.hostile()
    torrent = world.folder / "hostile.torrent"
    torrent.write_bytes(raw)
    outside = world.path("outside")
    here = world.path("outside", "a", "b", "here")
    seeder = ScriptedPeer(world.theirs, info_hash(torrent), b"".join(parts), piece)
    getter = Fyris(world)
    try:
        getter.get(torrent, here, "--peer", seeder.address, "--keep-seeding")
        world.wait("fyris has everything", getter.finished)
    finally:
        seeder.close()
    files = [path for path in outside.rglob("*") if not path.is_dir()]
    strays = [path for path in files if here not in path.resolve().parents]
    check(f"written outside of the folder: {strays}", not strays)
    found = sorted(path.read_bytes() for path in files if not path.name.startswith(".fyris"))
    check(f"{len(found)} files of {len(parts)}, or other bytes than were sent", found == sorted(parts))
    # What ours has made of it, another client can have from ours.
    other = Libtorrent(world)
    other.get(torrent, world.path("theirs"), "--peer", getter.peer)
    world.wait("libtorrent has everything", other.finished)


def created(world):
    """What `create` makes, libtorrent reads alike; `show` and `verify` agree with it."""
    world.need_all_of_ours()
    fyris = world.program("fyris")
    for name, shared in {"file": content.single(), "folder": content.album()}.items():
        folder = world.path(name)
        shared.write(folder)
        torrent = world.folder / f"{name}.torrent"
        world.run([fyris, "create", folder / shared.name, "-o", torrent, "-t", "http://tracker.test/announce",
                   "--piece-length", 64 * KIB, "--comment", "für alle"])
        theirs = lt.torrent_info(str(torrent))
        check(f"libtorrent sees {theirs.num_files()} files", theirs.num_files() == len(shared.files))
        shown = json.loads(world.run([fyris, "show", "--json", torrent]).stdout)
        check("show has another info-hash", shown["info_hash_v1"] == info_hash(torrent).hex())
        check("show has other facts", (shown["name"], shown["total_length"], shown["piece_length"], shown["comment"]) ==
              (shared.name, shared.length, 64 * KIB, "für alle"))
        check("show has other trackers", shown["announce"] == [["http://tracker.test/announce"]])
        expected = [[shared.name, *path] for path, _ in sorted(shared.files)]
        check("show has other files", sorted(file["path"] for file in shown["files"]) in
              (sorted(expected), sorted(path[1:] for path in expected)))
        world.run([fyris, "verify", torrent, "--dir", folder])
        victim = max(folder.rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else -1)
        with open(victim, "r+b") as file:
            file.write(bytes([victim.read_bytes()[0] ^ 1]))
        world.run([fyris, "verify", torrent, "--dir", folder], expect=1)


def refusals(world):
    """Each thing that must be refused: exit code 1 and one clear line; wrong usage: 2."""
    world.need_all_of_ours()
    fyris = world.program("fyris")
    shared = content.single(100_000)
    later = shared.torrent(world.folder / "v2.torrent", flags=lt.create_torrent.v2_only)
    said = world.run([fyris, "show", later], expect=1).stderr
    check(f"a v2-only torrent is refused without a word of it: {said!r}", re.search("v2", said))
    broken = world.folder / "broken.torrent"
    for bad in (b"", b"d", b"i-0e", b"d4:infod6:lengthi-1eee", b"l" * 5000, random.Random(1).randbytes(3000)):
        broken.write_bytes(bad)
        for verb in (["show"], ["verify", "--dir", world.folder], ["seed", "--dir", world.folder],
                     ["get", "--dir", world.folder]):
            said = world.run([fyris, verb[0], broken, *verb[1:]], expect=1).stderr
            check(f"{verb[0]}: {said!r} is not one clear line", len(said.strip().splitlines()) == 1)
    world.run([fyris, "show", world.folder / "nothing there.torrent"], expect=1)
    world.run([fyris, "create", world.folder / "nothing there"], expect=1)
    world.run([fyris, "get", "magnet:?xt=urn:btih:nonsense", "--dir", world.folder], expect=1)
    world.run([fyris, "show"], expect=2)
    world.run([fyris, "--no-such-option"], expect=2)
    for verb in ([], ["create"], ["show"], ["verify"], ["seed"], ["get"], ["tracker"]):
        check(f"{verb} --help says nothing", world.run([fyris, *verb, "--help"]).stdout.strip())


def clean_end(world):
    """SIGTERM: a seed ends soon, and the tracker knows that it is gone."""
    shared = content.single(100_000)
    tracker = Tracker(world)
    torrent = shared.torrent(world.folder / "shared.torrent", tracker.http)
    shared.write(world.path("there"))
    seeder = Fyris(world)
    seeder.seed(torrent, world.path("there"))
    tracker.wait_for_seed(info_hash(torrent))
    code, seconds = seeder.process.stop()
    check(f"exit code {code}", code == 0)
    check(f"it took {seconds:.1f} s to end", seconds < 5)
    check("the tracker still counts it", tracker.counts(info_hash(torrent)) == (0, 0))


def empty_file(world):
    """A torrent of one file without a byte, which most others refuse to make."""
    world.need_all_of_ours()
    fyris = world.program("fyris")
    there = world.path("there")
    (there / "nothing.txt").touch()
    torrent = world.folder / "nothing.torrent"
    world.run([fyris, "create", there / "nothing.txt", "-o", torrent])
    world.run([fyris, "verify", torrent, "--dir", there])
    getter = Fyris(world)
    getter.get(torrent, world.path("here"))
    world.wait("fyris has everything", getter.finished)
    check("the file is not there", Path(world.path("here"), "nothing.txt").is_file())


def all_scenarios():
    """(name, seconds allowed, function) of each, the slow ones first."""
    listed = []
    for other in sorted(OTHERS, key=lambda other: other.name != "transmission"):
        # Transmission 3 waits before its first announce and looks at its peers once in a while.
        seconds = 120 if other.name == "transmission" else 60
        for name, make in CONTENTS.items():
            listed.append((f"{other.name} seeds, fyris gets: {name}", seconds, fyris_gets(other, make)))
            listed.append((f"fyris seeds, {other.name} gets: {name}", seconds, fyris_seeds(other, make)))
        listed.append((f"fyris seeds, {other.name} gets: from a magnet link", seconds,
                       fyris_seeds(other, content.single, from_magnet=True)))
    for name, make in SHAPES.items():
        listed.append((f"libtorrent seeds, fyris gets: {name}", 60, fyris_gets(Libtorrent, make)))
        listed.append((f"fyris seeds, libtorrent gets: {name}", 60, fyris_seeds(Libtorrent, make)))
    kinds = {
        "from a magnet link to a folder": (content.album, {"from_magnet": True}),
        "by a UDP tracker": (content.single, {"by": "udp"}),
        "private torrent": (content.single, {"private": True}),
        "hybrid of v1 and v2": (content.album, {"flags": 0}),
    }
    for name, (make, options) in kinds.items():
        listed.append((f"libtorrent seeds, fyris gets: {name}", 60, fyris_gets(Libtorrent, make, **options)))
        listed.append((f"fyris seeds, libtorrent gets: {name}", 60, fyris_seeds(Libtorrent, make, **options)))
    listed += [
        ("fyris seeds, fyris gets: single file", 60, fyris_both(content.single)),
        ("fyris seeds, fyris gets: awkward album", 60, fyris_both(content.album)),
        ("fyris seeds, fyris gets: from a magnet link", 60, fyris_both(content.album, from_magnet=True)),
        ("fyris seeds, fyris gets: an empty file", 30, empty_file),
        ("a swarm of fyris and libtorrent", 90, swarm),
        ("a peer given by hand, a magnet link without a tracker", 60, peer_by_hand),
        ("killed in the middle, then resumed", 90, killed_and_resumed),
        ("stopped in the middle, then resumed", 90, stopped_and_resumed),
        ("one peer lies", 60, liar),
        ("hostile names", 60, hostile_names),
        ("create, show and verify", 60, created),
        ("refusals and help", 60, refusals),
        ("a clean end", 60, clean_end),
    ]
    return listed + faults() + meetings() + standing()
