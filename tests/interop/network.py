#!/usr/bin/env python3
"""A network over six machines, each a network namespace of its own on one bridge: a coordinator, two trackers, three users.

network.py --fyris PATH [--strict] [--keep]"""

import argparse
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import world as worlds
from run import attempt
from scenarios import check

INSIDE = "FYRIS_NETWORK_NAMESPACE"
MACHINES = ["coordinator", "tracker1", "tracker2", "ada", "bob", "eve"]
BRIDGE = "fybr0"


def enter(argv):
    """Starts this program again where it may make namespaces of its own; returns where that is not possible or done."""
    if INSIDE in os.environ:
        return
    make = ["mkdir -p /run/netns && mount -t tmpfs none /run/netns", "ip link set lo up",
            f"ip link add {BRIDGE} type bridge", f"ip link set {BRIDGE} up"]
    for number, name in enumerate(MACHINES):
        make += [f"ip netns add {name}", f"ip link add v{number} type veth peer name eth0 netns {name}",
                 f"ip link set v{number} master {BRIDGE} up", f"ip -n {name} link set lo up",
                 f"ip -n {name} address add 10.78.0.{number + 1}/24 dev eth0", f"ip -n {name} link set eth0 up"]
    script = " && ".join(make)
    kinds = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    why = "unshare or ip is not installed"
    if shutil.which("unshare") and shutil.which("ip"):
        for unshare in (["unshare", *kinds], ["unshare", "--map-root-user", *kinds]):
            probe = subprocess.run([*unshare, "sh", "-c", script], capture_output=True, text=True)
            if probe.returncode == 0:
                os.environ[INSIDE] = os.environ[worlds.NAMESPACE] = "1"
                os.execvp(unshare[0], [*unshare, "sh", "-c", script + ' && exec "$@"', "sh", *argv])
            why = f"network namespaces are not permitted here: {probe.stderr.strip().splitlines()[-1:]}"
    os.environ[INSIDE] = why


class Machines:
    """The six machines, and the program on each."""

    def __init__(self, world):
        self.world = world
        self.fyris = world.program("fyris")
        self.home = {"HOME": str(world.path("home")), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}

    def start(self, machine, *arguments):
        return self.world.spawn(machine, ["ip", "netns", "exec", machine, self.fyris, *arguments],
                                env={**self.home, "USER": machine})

    def coordinator(self):
        running = self.start("coordinator", "coordinator", "--listen", "10.78.0.1:7300", "--piece-length", "65536",
                             "--max-connections", "8")
        self.link = self.world.wait("the coordinator is there", lambda: running.said(r"^coordinating (\S+)$"))[1]
        return running

    def tracker(self, number):
        at = f"10.78.0.{number + 1}:6969"
        running = self.start(f"tracker{number}", "tracker", "--join", self.link, "--http", at, "--udp", at)
        self.world.wait("the tracker is registered", lambda: running.said(r"^tracking \S+$"))
        return running

    def session(self, machine, *arguments):
        """A user's arguments for one torrent with a state of its own."""
        return self.start(machine, *arguments, "--join", self.link, "--no-dht", "--no-lsd", "--no-upnp", "--state",
                          self.world.path("state", machine + arguments[0]))

    def ask(self, what):
        done = self.world.run(["ip", "netns", "exec", "eve", self.fyris, what, "--join", self.link, "--json"])
        return json.loads(done.stdout)


def six_machines(world):
    """Uploads take turns, a fetcher becomes a seed and serves the next one, and nothing that is killed ends the rest."""
    if os.environ[INSIDE] != "1":
        raise worlds.Skip(os.environ[INSIDE])
    machines = Machines(world)
    coordinator = machines.coordinator()
    trackers = [machines.tracker(1), machines.tracker(2)]
    data = {}
    for name, size in (("one", 3 << 20), ("two", 5 << 20)):
        data[name] = world.folder / f"{name}.bin"
        data[name].write_bytes(os.urandom(size))
    ada = machines.session("ada", "share", data["one"])
    world.wait("one is shared", lambda: ada.said(r"^sharing one\.bin$"))
    bob = machines.session("bob", "share", data["two"])
    world.wait("two is shared", lambda: bob.said(r"^sharing two\.bin$"))

    entries = {entry["name"]: entry for entry in machines.ask("index")["torrents"]}
    check(f"the index holds {sorted(entries)}", sorted(entries) == ["one.bin", "two.bin"])
    first = {name: entry["tiers"][0][0].split("/")[2] for name, entry in entries.items()}
    check(f"the turns went to {first}", first == {"one.bin": "10.78.0.2:6969", "two.bin": "10.78.0.3:6969"})
    check("a tier is missing", all(len(entry["tiers"]) == 2 for entry in entries.values()))
    check("the piece length is not the network's", all(entry["piece_length"] == 65536 for entry in entries.values()))
    check("the uploader is not named", entries["one.bin"]["uploader"] == "ada")

    def fetch(machine, name, into):
        folder = world.path(into)
        getting = machines.session(machine, "get", name, "--dir", folder, "--keep-seeding")
        world.wait(f"{machine} has {name}", lambda: getting.said(r"^complete "))
        check("the copy differs", filecmp.cmp(folder / name, data[name.split(".")[0]], shallow=False))
        return getting

    eve = fetch("eve", "one.bin", "eve")

    def figures():
        said = machines.ask("statistics")
        return said["n_peers"], said["n_seeds"], said["n_users"]

    world.wait("eve is counted as a seed", lambda: figures() == (0, 3, 3))
    check("timeSeed", machines.ask("statistics")["time_seed_secs"] > 0)
    by_name = {part["name"]: part["n_seeds"] for part in machines.ask("statistics")["torrents"]}
    check(f"seeds by torrent are {by_name}", by_name == {"one.bin": 2, "two.bin": 1})

    # The first seed is gone: what the third user gets can only come from the second.
    ada.signal(signal.SIGTERM)
    world.wait("ada has ended", lambda: ada.ended() is not None)
    world.forget(ada)
    world.wait("ada is off the register", lambda: figures() == (0, 2, 2))
    third = fetch("bob", "one.bin", "bob")
    world.wait("the third is a seed", lambda: figures() == (0, 3, 3))

    # A tracker dies; its torrent goes on by the other tier.
    trackers[0].kill()
    fetch("ada", "one.bin", "ada")

    # The coordinator dies and comes again: transfers go on, and all register anew.
    coordinator.kill()
    before = machines.link
    coordinator = machines.coordinator()
    check("the link has changed", machines.link == before)
    world.wait("all are registered again", lambda: figures()[2] == 4)
    check("the index has lost something", machines.ask("index")["total"] == 2)
    world.wait("the tracker is registered again",
               lambda: [part["n_seeds"] for part in machines.ask("statistics")["trackers"]] != [])
    for running in (eve, third, bob, trackers[1], coordinator):
        check(f"{running.name} has ended", running.ended() is None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fyris", required=True)
    parser.add_argument("--strict", action="store_true", help="what cannot be run counts as failed")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    options = parser.parse_args()
    enter([sys.executable, *sys.argv])
    programs = {"fyris": str(Path(options.fyris).resolve())}
    result, line = attempt("a network over six machines", 150, six_machines, 0, programs, options.keep)
    print(line, flush=True)
    return 1 if result == "failed" or options.strict and result == "skipped" else 0


if __name__ == "__main__":
    sys.exit(main())
