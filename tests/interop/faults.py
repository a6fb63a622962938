"""Disks that fail for real, and programs that are killed: a small file system that fills up, that may not be written to or
cannot be read, limits on files, files cut short and folders taken away behind a session's back, and fifty kills in the middle
of downloads and of moves."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import content
from clients import ALONE, Fyris, Libtorrent
from content import KIB, info_hash
from world import Failed, Skip

MIB = 1024 * KIB


def check(what, condition):
    if not condition:
        raise Failed(what)


def check_same(shared, folder):
    check(shared.compare(folder), not shared.compare(folder))


class Drive:
    """A small file system of its own, in an image that is mounted; this program has a mount namespace to itself."""

    def __init__(self, world, mebibytes):
        self.world, self.at = world, world.path("drive")
        self.image = world.folder / "drive.img"
        if os.environ.get("FYRIS_INTEROP_NAMESPACE") != "1":
            raise Skip("no namespaces, in which alone file systems are mounted")
        with open(self.image, "wb") as image:
            image.truncate(mebibytes * MIB)
        if not shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Skip("mkfs.ext4 is not installed")
        self._do("mkfs.ext4", "-q", "-F", "-m", "0", str(self.image))
        self.mount()

    def mount(self):
        self._do("mount", "-o", "loop", str(self.image), str(self.at))

    def unmount(self):
        self._do("umount", str(self.at))

    def remount(self, how):
        """Lets it be written to ("rw") or not ("ro")."""
        self._do("mount", "-o", f"remount,{how}", str(self.at))

    def break_off(self, after):
        """Loses all that lies after so many bytes: it is a fault of the device to read that. Gives what was there."""
        with open(self.image, "r+b") as image:
            image.seek(after)
            lost = image.read()
            image.truncate(after)
        return lost

    def mend(self, lost):
        """Puts back what was lost at the end."""
        with open(self.image, "r+b") as image:
            image.seek(0, os.SEEK_END)
            image.write(lost)

    def close(self):
        """Takes it away for good, once nothing runs on it."""
        subprocess.run(["umount", "-l", str(self.at)], capture_output=True)

    def fill(self, left):
        """Leaves so many bytes free; the file that takes up the rest."""
        ballast = self.at / "ballast"
        free = os.statvfs(self.at)
        with open(ballast, "wb") as file:
            file.write(bytes(free.f_bavail * free.f_frsize - left))
            os.fsync(file.fileno())
        return ballast

    def _do(self, *argv):
        env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        done = subprocess.run(argv, capture_output=True, text=True, env=env)
        if done.returncode != 0:
            raise Skip(f"{argv[0]} does not work here: {done.stderr.strip()[:200]}")


class Daemon(Fyris):
    """Ours, unattended."""

    # What a shell does before it becomes ours.
    limits = None

    def start(self, folder, **settings):
        state = self.world.path(f"state of {self.label}")
        lines = [f"download_folder = {quoted(folder)}", "tracker = false"]
        lines += [f"{key} = {quoted(value)}" for key, value in settings.items()]
        (state / "settings.toml").write_text("\n".join(lines) + "\n")
        self.state = state
        shell = ["sh", "-c", f'{self.limits} && exec "$@"', "sh"] if self.limits else []
        self.process = self.world.spawn(self.label, [
            *shell, self.world.program("fyris"), "daemon", "--state", state, "--port", self.port, "--bind",
            self.address, *ALONE])
        self.world.wait("the daemon listens", lambda: "peers reach this session" in self.said())

    def add(self, torrent, peer=None):
        """Hands it a torrent, as a second start does."""
        link = f"magnet:?xt=urn:btih:{info_hash(torrent).hex()}"
        link += f"&x.pe={peer}" if peer else ""
        self.world.run([self.world.program("fyris"), "--state", self.state, link if peer else torrent])

    def control(self, *what):
        """Has it do something, and waits until that is done."""
        self.world.run([self.world.program("fyris"), "control", "--state", self.state, *what])

    def said(self):
        return self.process.output() + self.process.errors.read_text(errors="replace")

    def waits_until_it_says(self, words):
        self.world.wait(f"the daemon says {words!r}", lambda: words in self.said())


def quoted(value):
    return '"' + str(value) + '"'


def full_disk(world):
    """A disk that is full: it says so, gives on what it has, and goes on by itself when there is room."""
    world.need_all_of_ours()
    drive = Drive(world, 48)
    try:
        shared = content.single(16 * MIB + 77)
        torrent = shared.torrent(world.folder / "shared.torrent")
        shared.write(world.path("there"))
        seeder, ours, taker = Libtorrent(world), Daemon(world), Fyris(world, world.meeting, "taker")
        # So slowly that little is on its way at any moment.
        seeder.seed(torrent, world.path("there"), "--rate", 4 * MIB)
        ballast = drive.fill(6 * MIB)
        ours.start(drive.at)
        ours.add(torrent, seeder.peer)
        ours.waits_until_it_says("Make room; it goes on by itself.")
        check("it is no longer running", ours.process.ended() is None)
        # What there is of it is given to others all the while.
        taker.get(torrent, world.path("taken"), "--peer", ours.peer)
        taken = world.path("taken") / shared.name
        world.wait("somebody gets what there is",
                   lambda: taken.is_file() and taken.stat().st_blocks * 512 > MIB)
        sent = seeder.sent()
        ballast.unlink()
        world.wait("ours has everything", lambda: ours.process.said(r"^complete .+"))
        check_same(shared, drive.at)
        world.wait("the other has everything", taker.finished)
        check_same(shared, world.path("taken"))
        again = seeder.sent() - shared.length
        check(f"{again} bytes were fetched twice ({sent} before there was room)", again <= 4 * MIB)
        code, seconds = ours.process.stop()
        check(f"exit code {code} after {seconds:.1f} s", code == 0 and seconds < 5)
    finally:
        end_all(world)
        drive.close()


class Given:
    """Something that a session of ours shares from a folder, and somebody who is to have it."""

    def __init__(self, world, shared, there, limits=None):
        world.need_all_of_ours()
        self.world, self.shared, self.there = world, shared, there
        self.torrent = shared.torrent(world.folder / "shared.torrent")
        shared.write(there)
        self.ours, self.taker = Daemon(world), Fyris(world, world.meeting, "taker")
        self.ours.limits = limits
        self.seed()
        self.ours.add(self.torrent)
        self.is_seeded()

    def seed(self):
        self.ours.start(self.there)

    def is_seeded(self):
        self.ours.waits_until_it_says(f"seeding {self.shared.name}")

    def take(self):
        self.taker.get(self.torrent, self.world.path("taken"), "--peer", self.ours.peer)

    def is_taken(self):
        self.world.wait("the other has everything", self.taker.finished)
        check_same(self.shared, self.world.path("taken"))

    def comes_back(self):
        """Ours, which has ended, starts again and gives all of it."""
        self.seed()
        self.is_seeded()
        self.is_taken()


def drive_away(world):
    """A drive that is unmounted and comes back: nothing is made where it was, and nothing is fetched again."""
    drive = Drive(world, 32)
    try:
        folder = drive.at / "downloads"
        folder.mkdir()
        given = Given(world, content.single(8 * MIB), folder)
        ours = given.ours
        ours.process.stop()
        drive.unmount()
        given.seed()
        ours.waits_until_it_says("is the drive connected?")
        check("something was made where the drive was", not any(drive.at.iterdir()))
        ours.process.stop()
        check("something was made where the drive was", not any(drive.at.iterdir()))
        drive.mount()
        given.seed()
        given.is_seeded()
        given.take()
        given.is_taken()
    finally:
        end_all(world)
        drive.close()


def cut_short(world):
    """A file that is cut short behind a seed's back: nothing false is given, and what is left is given on."""
    given = Given(world, content.single(8 * MIB), world.path("there"))
    ours = given.ours
    os.truncate(given.there / given.shared.name, 3 * MIB)
    given.take()
    ours.waits_until_it_says("was changed by another program. Recheck to use it as it is now.")
    check("it is no longer running", ours.process.ended() is None)
    check("the other was given everything", not given.taker.finished())
    # Looked at again when it starts again, and whole again once its owner has put it back.
    ours.process.stop()
    given.shared.write(given.there)
    given.comes_back()


def folder_gone(world):
    """A folder that is taken away while it is shared, and put back."""
    given = Given(world, content.album(), world.path("there"))
    there, ours = given.there, given.ours
    # Renamed it would still be there for who has it open.
    away = world.folder / "away"
    shutil.copytree(there, away)
    shutil.rmtree(there)
    given.take()
    ours.waits_until_it_says("is missing. Bring it back")
    check("something was made where the folder was", not there.exists())
    ours.process.stop()
    away.rename(there)
    given.comes_back()


def read_only(world):
    """A drive that may not be written to: it says so, and goes on once it may be and the user wants it to."""
    world.need_all_of_ours()
    drive = Drive(world, 32)
    try:
        shared = content.single(8 * MIB)
        torrent = shared.torrent(world.folder / "shared.torrent")
        shared.write(world.path("there"))
        seeder, ours = Libtorrent(world), Daemon(world)
        seeder.seed(torrent, world.path("there"))
        drive.remount("ro")
        ours.start(drive.at)
        ours.add(torrent, seeder.peer)
        ours.waits_until_it_says("Make it writable or choose another folder, then resume.")
        check("it is no longer running", ours.process.ended() is None)
        drive.remount("rw")
        ours.control("resume", info_hash(torrent).hex())
        world.wait("ours has everything", lambda: ours.process.said(r"^complete .+"))
        check_same(shared, drive.at)
    finally:
        end_all(world)
        drive.close()


def too_large(world):
    """A disk on which no file may be larger than so much, as on FAT32: it says so and goes on elsewhere."""
    world.need_all_of_ours()
    shared = content.single(24 * MIB)
    torrent = shared.torrent(world.folder / "shared.torrent")
    shared.write(world.path("there"))
    seeder, ours = Libtorrent(world), Daemon(world)
    seeder.seed(torrent, world.path("there"))
    # In units of 512 bytes. A file system with such a limit sends no signal for it.
    ours.limits = f"trap '' XFSZ && ulimit -f {16 * MIB // 512}"
    ours.start(world.path("here"))
    ours.add(torrent, seeder.peer)
    ours.waits_until_it_says("Choose a disk without that limit")
    check("it is no longer running", ours.process.ended() is None)
    ours.process.stop()
    # The other disk is the same one without the limit.
    ours.limits = None
    ours.start(world.path("here"))
    ours.control("resume", info_hash(torrent).hex())
    world.wait("ours has everything", lambda: ours.process.said(r"^complete .+"))
    check_same(shared, world.path("here"))


def few_files(world):
    """Who may have few files open gives and gets a torrent of many all the same."""
    shared = content.many_small(300)
    given = Given(world, shared, world.path("there"), "ulimit -n 64")
    given.take()
    given.is_taken()
    getter = Daemon(world, world.theirs, "getter")
    getter.limits = "ulimit -n 64"
    getter.start(world.path("here"))
    getter.add(given.torrent, given.ours.peer)
    world.wait("it has everything", lambda: getter.process.said(r"^complete .+"))
    check_same(shared, world.path("here"))


def unreadable(world):
    """A drive that loses a part: reading it is a fault of the device. Nothing false is given, and all of it once it is
    mended."""
    drive = Drive(world, 48)
    try:
        given = Given(world, content.single(24 * MIB), drive.at)
        ours = given.ours
        ours.process.stop()
        # What was read before is in memory no more.
        drive.unmount()
        drive.mount()
        given.seed()
        given.is_seeded()
        lost = drive.break_off(16 * MIB)
        given.take()
        ours.waits_until_it_says("Check the disk, then resume.")
        check("it is no longer running", ours.process.ended() is None)
        check("the other was given everything", not given.taker.finished())
        drive.mend(lost)
        ours.control("resume", info_hash(given.torrent).hex())
        given.is_taken()
    finally:
        end_all(world)
        drive.close()


def fifty_kills(world):
    """A download that is killed fifty times at any moment and then let finish: the bytes are right, and what was there was
    not fetched again."""
    world.need_all_of_ours()
    rate, shared = 4 * MIB, content.single(48 * MIB, 256 * KIB)
    torrent = shared.torrent(world.folder / "shared.torrent")
    shared.write(world.path("there"))
    seeder, here, chance = Libtorrent(world), world.path("here"), random.Random(world.name)
    seeder.seed(torrent, world.path("there"), "--rate", rate)
    getter = Fyris(world)
    for _ in range(50):
        getter.get(torrent, here, "--peer", seeder.peer)
        pause(world, chance.uniform(0.02, 0.45))
        getter.process.kill()
    lacked = shared.length - min(shared.length, seeder.sent())
    begun = time.monotonic()
    getter.get(torrent, here, "--peer", seeder.peer)
    world.wait("fyris has everything", getter.finished)
    took = time.monotonic() - begun
    check_same(shared, here)
    # Every kill may cost what was on its way and what had not been written as safe.
    check(f"the rest took {took:.1f} s", took < lacked / rate + shared.length / rate / 2 + 3)


def fifty_kills_while_moving(world):
    """Ten moves from one file system to another, each killed five times: every file is whole in the folder it belongs to."""
    world.need_all_of_ours()
    shared = content.many_small(120)
    torrent = shared.torrent(world.folder / "shared.torrent")
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == world.folder.stat().st_dev:
        raise Skip("no second file system to move to")
    chance = random.Random(world.name)
    incomplete = memory / world.folder.name
    try:
        for number in range(10):
            getter = Fyris(world, label=f"move {number}")
            target, state = world.path(f"target {number}"), world.path(f"state of move {number}")
            (state / "settings.toml").write_text(f"incomplete_folder = {quoted(incomplete)}\n")
            shutil.rmtree(incomplete, ignore_errors=True)
            shared.write(incomplete)
            for _ in range(5):
                getter.get(torrent, target)
                pause(world, chance.uniform(0.01, 0.4))
                getter.process.signal(signal.SIGKILL)
                getter.process.kill()
            getter.get(torrent, target)
            world.wait("everything is where it belongs", getter.finished)
            getter.process.stop()
            check_same(shared, target)
            check("something stayed behind", not [path for path in incomplete.rglob("*") if path.is_file()])
    finally:
        shutil.rmtree(incomplete, ignore_errors=True)


def pause(world, seconds):
    """A moment of which the length is what is tried."""
    time.sleep(seconds)
    if time.monotonic() > world.deadline:
        raise Failed("the kills took too long")


def end_all(world):
    """Ends everything before the file system goes that it runs on."""
    for process in list(world._running):
        process.signal(signal.SIGTERM)
        process.end()
        world.forget(process)


def faults():
    """(name, seconds allowed, function) of each."""
    return [
        ("fifty kills in the middle of a download", 100, fifty_kills),
        ("fifty kills in the middle of moves", 100, fifty_kills_while_moving),
        ("a small drive fills up and is freed", 90, full_disk),
        ("a drive is unmounted and comes back", 60, drive_away),
        ("a file is cut short behind a seed's back", 60, cut_short),
        ("a folder is taken away and put back", 60, folder_gone),
        ("a drive may not be written to", 60, read_only),
        ("a disk takes no file of that size", 60, too_large),
        ("few files may be open", 60, few_files),
        ("a part of a drive cannot be read", 60, unreadable),
    ]
