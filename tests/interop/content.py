"""What is shared: files made from a seed, and the .torrent files that describe them."""

import hashlib
import os
import random
import warnings
from dataclasses import dataclass
from pathlib import Path

warnings.filterwarnings("ignore", category=DeprecationWarning)
import libtorrent as lt  # noqa: E402  (the filter has to come first)

KIB = 1024


@dataclass
class Content:
    """Files below one name; a single file stands under the name itself."""

    name: str
    files: list  # of (path below the name as a tuple, bytes)
    piece: int = 64 * KIB

    @property
    def single(self):
        return [path for path, _ in self.files] == [()]

    @property
    def length(self):
        return sum(len(data) for _, data in self.files)

    def write(self, folder):
        """Puts the files below a folder."""
        for path, data in self.files:
            target = Path(folder, self.name, *path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def compare(self, folder, empty_files=True):
        """What differs between the files and those below a folder, or nothing."""
        for path, data in self.files:
            if not data and not empty_files:
                continue
            target = Path(folder, self.name, *path)
            if not target.is_file():
                return f"{target.relative_to(folder)} is missing"
            found = target.read_bytes()
            if found != data:
                at = next((i for i, (a, b) in enumerate(zip(found, data)) if a != b), min(len(found), len(data)))
                return f"{target.relative_to(folder)} differs at byte {at} ({len(found)} bytes of {len(data)})"
        return None

    def torrent(self, path, tracker=None, flags=lt.create_torrent.v1_only, private=False):
        """Writes the .torrent as libtorrent makes it. The data is laid down for that and removed again."""
        source = Path(str(path) + ".data")
        self.write(source)
        storage = lt.file_storage()
        for parts, data in self.files:
            storage.add_file(os.path.join(self.name, *parts), len(data))
        maker = lt.create_torrent(storage, self.piece, flags)
        if tracker:
            maker.add_tracker(tracker)
        maker.set_priv(private)
        lt.set_piece_hashes(maker, str(source))
        Path(path).write_bytes(lt.bencode(maker.generate()))
        return Path(path)


def info_hash(torrent):
    """The v1 info-hash of a .torrent file, as twenty bytes."""
    return hashlib.sha1(lt.bencode(lt.bdecode(Path(torrent).read_bytes())[b"info"])).digest()


def magnet(torrent, tracker=None):
    """A magnet link without anything that the info-hash would not need."""
    name = lt.torrent_info(str(torrent)).name()
    link = f"magnet:?xt=urn:btih:{info_hash(torrent).hex()}&dn={name}"
    return link + (f"&tr={tracker.replace(':', '%3A').replace('/', '%2F')}" if tracker else "")


def random_bytes(seed, length):
    return random.Random(seed).randbytes(length)


def single(length=3 * 1024 * KIB + 123, piece=64 * KIB, name="single file.bin"):
    return Content(name, [((), random_bytes(length, length))], piece)


def album():
    """Every ordinary awkwardness at once."""
    files = {
        ("empty",): 0,
        ("one byte",): 1,
        ("exactly one piece.bin",): 64 * KIB,
        ("Ünïcödé — 文件 🎈.txt",): 100_001,
        ("дом", "кот", "a file deep down.txt"): 300_000,
        ("percent %41 #hash & 'quote' (1).txt",): 77,
        ("second empty",): 0,
        ("large.bin",): 1_500_000,
    }
    return Content("An album – 専輯", [(path, random_bytes(str(path), size)) for path, size in files.items()])


def many_small(count=400):
    sizes = random.Random(count)
    files = [((f"folder {i % 7}", f"{i:04}.txt"), random_bytes(i, sizes.randrange(3000))) for i in range(count)]
    return Content("many small files", files, 32 * KIB)


def hostile():
    """Names that no careful client takes as they are. Returns the .torrent's bytes and the data in its order."""
    names = [
        [b"..", b"..", b"..", b"escaped.txt"],
        [b"/", b"etc", b"absolute.txt"],
        [b"C:\\windows", b"drive.txt"],
        [b"a/../../slash.txt"],
        [b"back\\..\\..\\slash.txt"],
        [b"CON"], [b"nul.txt"], [b"COM1.log"],
        [b"trailing dot."], [b"trailing space "],
        [b"control\x01\x1f\n.txt"],
        ["right\u202eto left.exe".encode()],
        [b"x" * 300 + b".txt"],
        [b"Same"], [b"same"], [b"SAME"],
        [b"file"], [b"file", b"below a file.txt"],
        [b""], [b"."], [b"", b"nothing before.txt"],
        [b"not\xff\xfeutf8.txt"],
    ]
    data = [random_bytes(i, 1000 + 700 * i) for i in range(len(names))]
    joined, piece = b"".join(data), 16 * KIB
    pieces = b"".join(hashlib.sha1(joined[at:at + piece]).digest() for at in range(0, len(joined), piece))
    files = [{b"length": len(part), b"path": path} for path, part in zip(names, data)]
    info = {b"files": files, b"name": b"../hostile", b"piece length": piece, b"pieces": pieces}
    return lt.bencode({b"info": info}), data, piece
