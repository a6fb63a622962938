"""What one scenario lives in: a folder, addresses and ports of its own, processes that are ended, and a deadline."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NAMESPACE = "FYRIS_INTEROP_NAMESPACE"


class Skip(Exception):
    """A scenario that cannot run here, with the reason."""


class Failed(Exception):
    """A scenario that did not go as it should."""


def enter_namespace(argv):
    """Starts this program again in a network namespace where only it lives; some clients refuse 127.0.0.0/8, and two of
    them on one address take each other for one peer. Returns where that is not possible or already done."""
    if NAMESPACE in os.environ:
        return
    script = "ip link set lo up && for i in 8 9 10; do ip address add 10.77.0.$i/32 dev lo || exit 1; " \
             "ip -6 address add fd77::$i/128 dev lo nodad || true; done"
    # A process namespace besides ends whatever is left when this program ends in whatever way.
    kinds = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    for unshare in (["unshare", *kinds], ["unshare", "--map-root-user", *kinds], ["unshare", "--net"]):
        if shutil.which("unshare") and shutil.which("ip"):
            probe = subprocess.run([*unshare, "sh", "-c", script], capture_output=True)
            if probe.returncode == 0:
                os.environ[NAMESPACE] = "1"
                os.execvp(unshare[0], [*unshare, "sh", "-c", script + ' && exec "$@"', "sh", *argv])
    os.environ[NAMESPACE] = "0"


def addresses():
    """(ours, the tracker's, theirs): three of the namespace, or this machine's own one three times."""
    if os.environ.get(NAMESPACE) == "1":
        return "10.77.0.8", "10.77.0.9", "10.77.0.10"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only chooses the address
            own = probe.getsockname()[0]
        except OSError:
            own = "127.0.0.1"
    if own.startswith("127."):
        raise Skip("neither network namespaces nor an address besides loopback")
    return own, own, own


class World:
    """One scenario's folder, ports and processes."""

    def __init__(self, name, number, programs, seconds, ports=40):
        self.name = name
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix=f"fyris-{re.sub('[^a-z0-9]+', '-', name)}-"))
        self.ours, self.meeting, self.theirs = addresses()
        # The certificate that clients are to trust, where there is one.
        self.trusted = None
        self.deadline = time.monotonic() + seconds
        self._ports = iter(range(21000 + ports * number, 21000 + ports * (number + 1)))
        self._running = []
        self._names = set()

    def move_to_six(self):
        """The same addresses as IPv6; skips where there are none."""
        six = [f"fd77::{last}" for last in (8, 9, 10)]
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind((six[1], 0))
        except OSError:
            raise Skip("no IPv6 addresses of a namespace") from None
        self.ours, self.meeting, self.theirs = six

    def port(self):
        """A port that no other scenario uses."""
        for port in self._ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("", port))
                    return port
                except OSError:
                    continue
        raise Failed("no free port")

    def path(self, *parts):
        """A new folder of this scenario."""
        path = self.folder.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def program(self, name):
        """The path of a program, or a reason to skip."""
        found = shutil.which(self.programs.get(name, name))
        if not found:
            raise Skip(f"{name} is not installed")
        return found

    def need_all_of_ours(self):
        """Skips where a stand-in plays our part, which it does in transfers alone."""
        if Path(self.programs["fyris"]).name == "stand_in.py":
            raise Skip("the stand-in cannot do this")

    def spawn(self, name, argv, **options):
        """Starts a process whose output goes to a log of its own."""
        while name in self._names:
            name += "+"
        self._names.add(name)
        process = Process(self, name, [str(part) for part in argv], **options)
        self._running.append(process)
        return process

    def run(self, argv, expect=0):
        """Runs a command to its end and returns what it printed."""
        argv = [str(part) for part in argv]
        left = max(1.0, self.deadline - time.monotonic())
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=left)
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(argv[1:3])} did not end") from None
        if done.returncode != expect:
            raise Failed(f"{' '.join(argv[1:3])}: exit code {done.returncode}, not {expect}: {done.stderr[-400:]}")
        return done

    def wait(self, what, condition):
        """Waits until the condition holds, and fails at the scenario's deadline or when a process has died."""
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > self.deadline:
                raise Failed(f"waited in vain until {what}")
            for process in self._running:
                process.check()
            time.sleep(0.05)

    def keep_running(self, seconds):
        """Lets everything run on for a moment that is itself what is tried, such as a kill in the middle."""
        until = time.monotonic() + seconds
        self.wait("a moment passed", lambda: time.monotonic() > until)

    def forget(self, process):
        """A process that has been ended on purpose."""
        self._running.remove(process)

    def close(self, keep):
        """Ends every process that was started here, and removes the folder."""
        for process in self._running:
            process.signal(signal.SIGTERM)
        for process in self._running:
            process.end()
        self._running = []
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Process:
    """A running program with its log."""

    def __init__(self, world, name, argv, env=None, cwd=None):
        self.world = world
        self.name = name
        self.log = world.folder / f"{name}.log"
        self.errors = world.folder / f"{name}.err"
        with open(self.log, "wb") as log, open(self.errors, "wb") as errors:
            self._child = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=log, stderr=errors, cwd=cwd or world.folder,
                env={**os.environ, **(env or {})}, start_new_session=True)
        self.started = time.monotonic()

    @property
    def pid(self):
        return self._child.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def said(self, pattern):
        """What of its output matches, or nothing."""
        return re.search(pattern, self.output(), re.MULTILINE)

    def tell(self, line):
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()

    def ended(self):
        """Its exit code, or nothing while it runs."""
        return self._child.poll()

    def check(self):
        """Fails when it has ended with an error."""
        if self.ended() not in (None, 0):
            tail = (self.output() + self.errors.read_text(errors="replace"))[-500:]
            raise Failed(f"{self.name} ended with {self.ended()}: {tail}")

    def signal(self, number):
        if self.ended() is None:
            self._child.send_signal(number)

    def kill(self):
        """Ends it as a power cut would, on purpose."""
        self.signal(signal.SIGKILL)
        self._child.wait()
        self.world.forget(self)

    def stop(self):
        """Asks it to end; returns its exit code and how long that took."""
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            code = self._child.wait(15)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within 15 s of SIGTERM") from None
        self.world.forget(self)
        return code, time.monotonic() - begun

    def end(self):
        """Makes sure that it has ended."""
        try:
            self._child.wait(3)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdin.close()
