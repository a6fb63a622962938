"""A small seeder that does what it is told, also what no honest client does. It speaks BEP 3 alone."""

import math
import socket
import struct
import threading


class ScriptedPeer:
    """Serves one torrent's bytes from memory; blocks of the pieces in `lies` are wrong."""

    def __init__(self, address, info_hash, data, piece, lies=()):
        self._facts = info_hash, data, piece
        self._lies = frozenset(lies)
        self.pieces = math.ceil(len(data) / piece)
        self.sent = []  # (piece, begin) in the order of sending
        self._listener = socket.create_server((address, 0))
        self.address = "%s:%d" % self._listener.getsockname()
        threading.Thread(target=self._accept, name="scripted peer", daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="scripted peer", daemon=True).start()

    def _serve(self, connection):
        info_hash, data, piece = self._facts
        try:
            with connection, connection.makefile("rb") as incoming:
                greeting = incoming.read(68)
                if len(greeting) != 68 or greeting[28:48] != info_hash:
                    return
                connection.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-SC0001-" + b"scripted-pee")
                have = bytearray(math.ceil(self.pieces / 8))
                for index in range(self.pieces):
                    have[index // 8] |= 0x80 >> index % 8
                connection.sendall(message(5, bytes(have)) + message(1))
                while True:
                    head = incoming.read(4)
                    if len(head) < 4:
                        return
                    body = incoming.read(struct.unpack(">I", head)[0])
                    if body[:1] != b"\x06":
                        continue
                    index, begin, length = struct.unpack(">III", body[1:13])
                    block = data[index * piece + begin:][:length]
                    if index in self._lies:
                        block = bytes(byte ^ 0x55 for byte in block)
                    self.sent.append((index, begin))
                    connection.sendall(message(7, struct.pack(">II", index, begin) + block))
        except OSError:
            return


def message(kind, payload=b""):
    return struct.pack(">IB", 1 + len(payload), kind) + payload
