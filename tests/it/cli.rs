//! The program by its command line: what it prints, and its exit codes.

mod control;
#[cfg(feature = "web")]
mod web;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use fyris::metainfo::Torrent;
use tempfile::TempDir;

/// A folder for one test, in which the program runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// The program, with a home of its own and no display.
    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fyris"));
        command.args(args).current_dir(self.0.path()).env("HOME", self.0.path());
        for name in
            ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "FYRIS_LOG"]
        {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().expect("the program starts"))
    }
}

/// How a run ended and what it said.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    fn done(self) -> String {
        assert_eq!((self.code, &*self.err), (Some(0), ""), "{self:?}");
        self.out
    }

    /// Exit code 1, nothing printed, and one line that says why.
    fn failed(self, why: &str) {
        assert_eq!((self.code, &*self.out), (Some(1), ""), "{self:?}");
        assert!(self.err.starts_with("fyris: ") && self.err.lines().count() == 1, "{self:?}");
        assert!(self.err.contains(why), "{self:?}");
    }

    fn misused(self) {
        assert_eq!((self.code, &*self.out), (Some(2), ""), "{self:?}");
        assert!(self.err.contains("try '--help'"), "{self:?}");
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 % 251) as u8).collect()
}

fn read(path: &Path) -> Torrent {
    Torrent::parse(&fs::read(path).expect("a file")).expect("a good torrent")
}

#[test]
fn a_torrent_is_made_shown_and_verified() {
    let place = Place::new();
    place.write("album/one.bin", content(100_000));
    place.write("album/sub/two.bin", content(5));
    let made = place.run(&[
        "create",
        "album",
        "-o",
        "out.torrent",
        "-t",
        "http://t.example/announce",
        "-t",
        "udp://u.example:1",
        "--piece-length",
        "32768",
        "--private",
        "--comment",
        "für alle",
        "--web-seed",
        "http://w.example/",
    ]);
    assert_eq!(made.done(), "created out.torrent\n");
    let torrent = read(&place.path("out.torrent"));
    let shown: serde_json::Value =
        serde_json::from_str(&place.run(&["show", "--json", "out.torrent"]).done()).expect("JSON");
    assert_eq!(shown["info_hash_v1"], torrent.info_hash.to_hex());
    assert_eq!(shown["info_hash_v2"], serde_json::Value::Null);
    assert_eq!(shown["announce"], serde_json::json!([["http://t.example/announce"], ["udp://u.example:1"]]));
    assert_eq!(
        (&shown["name"], &shown["piece_length"], &shown["private"]),
        (&"album".into(), &32_768.into(), &true.into())
    );
    assert_eq!(
        (&shown["comment"], &shown["web_seeds"][0]),
        (&"für alle".into(), &"http://w.example/".into())
    );
    assert!(place.run(&["show", "out.torrent"]).done().contains("album/sub/two.bin"));

    assert_eq!(place.run(&["verify", "out.torrent", "--dir", "."]).done(), "complete album\n");
    place.write("album/one.bin", [&content(50_000)[..], &[0; 50_000]].concat());
    place.run(&["verify", "out.torrent", "--dir", "."]).failed("3 of 4 pieces are missing or damaged");
    place.run(&["verify", "out.torrent", "--dir", "nowhere"]).failed("nowhere");
}

#[test]
fn a_torrent_without_a_name_gets_that_of_its_file_and_overwrites_nothing() {
    let place = Place::new();
    place.write("a b.bin", content(10));
    assert_eq!(place.run(&["create", "a b.bin"]).done(), "created a b.bin.torrent\n");
    place.run(&["create", "a b.bin"]).failed("is there already");
    assert_eq!(read(&place.path("a b.bin.torrent")).name, "a b.bin");
    place.run(&["create", "nothing"]).failed("nothing");
    place.run(&["create", "a b.bin", "-o", "x", "--piece-length", "1000"]).failed("1000 is no piece length");
    assert!(!place.path("x").exists());
}

#[test]
fn what_must_be_refused_is_refused_in_one_line() {
    let place = Place::new();
    let bad = [&b""[..], b"d", b"i-0e", b"d4:infod6:lengthi-1eee", &[b'l'; 5_000], b"\xff\x00nonsense"];
    for (at, bytes) in bad.iter().enumerate() {
        let name = format!("bad{at}.torrent");
        place.write(&name, bytes);
        place.run(&["show", &name]).failed(&name);
        place.run(&["verify", &name, "--dir", "."]).failed(&name);
    }
    place.run(&["show", "nothing there.torrent"]).failed("nothing there.torrent");
    place.run(&["show", "."]).failed(".");
}

#[test]
fn wrong_usage_is_told_apart_and_help_is_there() {
    let place = Place::new();
    for wrong in [
        &["show"][..],
        &["--no-such-option"],
        &["create"],
        &["verify", "x"],
        &["create", "x", "-t", "not a url"],
    ] {
        place.run(wrong).misused();
    }
    for verb in [
        &[][..],
        &["create"],
        &["show"],
        &["verify"],
        &["seed"],
        &["get"],
        &["daemon"],
        &["list"],
        &["control"],
    ] {
        let help = place.run(&[verb, &["--help"]].concat()).done();
        assert!(help.contains("Usage: fyris"), "{help}");
    }
    assert!(place.run(&["--version"]).done().starts_with("fyris "));
}

/// A program that runs on; ended with the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
    log: Receiver<String>,
    /// What it logged before what was waited for: its threads log side by side, in no order.
    logged: RefCell<Vec<String>>,
}

/// Lines that wait to be read; a program that says more is not held up by that.
const LINES: usize = 100_000;

/// The lines of a stream, read on a thread of their own for as long as it goes on.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(LINES);
    let read = move || {
        BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| _ = sender.try_send(line))
    };
    Builder::new().name("output".into()).spawn(read).expect("a thread");
    lines
}

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(Duration::from_secs(60)).expect("a line within a minute")
}

impl Running {
    fn start<S: AsRef<OsStr>>(place: &Place, args: impl IntoIterator<Item = S>) -> Self {
        let mut command = place.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).env("FYRIS_LOG", "info");
        let mut child = command.spawn().expect("the program starts");
        let out = lines(child.stdout.take().expect("piped"));
        let log = lines(child.stderr.take().expect("piped"));
        Self { child, lines: out, log, logged: RefCell::default() }
    }

    /// The next line that it prints.
    fn line(&self) -> String {
        next(&self.lines)
    }

    /// Waits until it has logged that; what came before is there for the next call.
    fn logs(&self, what: &str) {
        let mut logged = self.logged.borrow_mut();
        if let Some(at) = logged.iter().position(|line| line.contains(what)) {
            logged.remove(at);
            return;
        }
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("{what:?} is not logged, but {logged:#?}"));
            if line.contains(what) {
                return;
            }
            logged.push(line);
        }
    }

    /// Asks it to end, and gives its exit code.
    #[cfg(unix)]
    fn end(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A port that is free now.
fn port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port().to_string()
}

/// A place with a torrent `a.bin.torrent`, its data in `there`, and a seed of it that runs.
fn seeded(len: usize, more: &[&str]) -> (Place, Running, String) {
    let place = Place::new();
    place.write("there/a.bin", content(len));
    place.run(&["create", "there/a.bin"]).done();
    let port = port();
    let args = ["seed", "a.bin.torrent", "--dir", "there", "--bind", "127.0.0.1", "--port", &port];
    let seed = Running::start(&place, args.iter().chain(ALONE).chain(more));
    assert_eq!(seed.line(), "seeding a.bin");
    (place, seed, format!("127.0.0.1:{port}"))
}

const ALONE: &[&str] = &["--no-dht", "--no-lsd", "--no-upnp"];

fn getting<'a>(what: &'a str, peer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["get", what, "--dir", "here", "--bind", "127.0.0.1", "--port", "0", "--peer", peer];
    args.iter().chain(ALONE).chain(more).copied().collect()
}

#[test]
fn a_torrent_goes_from_one_program_to_another() {
    let (place, seed, peer) = seeded(3_000_000, &[]);
    let got = place.run(&getting("a.bin.torrent", &peer, &[])).done();
    let secs = got.strip_prefix("complete a.bin ").and_then(|secs| secs.trim_end().parse::<f64>().ok());
    assert!(secs.is_some(), "{got}");
    assert_eq!(fs::read(place.path("here/a.bin")).expect("a file"), content(3_000_000));
    // Everything is there already.
    assert!(place.run(&getting("a.bin.torrent", &peer, &[])).done().starts_with("complete a.bin "));
    #[cfg(unix)]
    assert_eq!(seed.end(), Some(0));
}

#[test]
fn a_link_and_a_peer_are_enough() {
    let (place, _seed, peer) = seeded(100_000, &[]);
    let link = format!("magnet:?xt=urn:btih:{}", read(&place.path("a.bin.torrent")).info_hash);
    assert!(place.run(&getting(&link, &peer, &[])).done().starts_with("complete a.bin "));
    assert_eq!(fs::read(place.path("here/a.bin")).expect("a file"), content(100_000));
}

#[test]
fn a_killed_get_goes_on_where_it_was() {
    let (place, _seed, peer) = seeded(4_000_000, &["--up-limit", "2000000"]);
    for _ in 0..2 {
        let mut get = Running::start(&place, getting("a.bin.torrent", &peer, &[]));
        get.logs("a.bin is fetched");
        // Two in one place would write over each other.
        place.run(&getting("a.bin.torrent", &peer, &[])).failed("already fetching or seeding a.bin");
        // Wherever it is by now.
        get.child.kill().expect("killed");
        get.child.wait().expect("ended");
    }
    assert!(place.run(&getting("a.bin.torrent", &peer, &[])).done().starts_with("complete a.bin "));
    assert_eq!(fs::read(place.path("here/a.bin")).expect("a file"), content(4_000_000));
}

#[test]
fn what_is_not_there_is_not_seeded() {
    let place = Place::new();
    place.write("there/a.bin", content(100_000));
    place.run(&["create", "there/a.bin"]).done();
    place.run(&["seed", "a.bin.torrent", "--dir", "nowhere"]).failed("nowhere");
    place.write("there/a.bin", content(99_999));
    place.run(&["seed", "a.bin.torrent", "--dir", "there"]).failed("99999 bytes");
    place.write("there/a.bin", vec![0; 100_000]);
    let args = ["seed", "a.bin.torrent", "--dir", "there", "--bind", "127.0.0.1", "--port", "0"];
    place.run(&[&args, ALONE].concat()).failed("is not all there");
    place.run(&["get", "magnet:?xt=urn:btih:nonsense", "--dir", "here"]).failed("damaged");
    assert!(!place.path("here").exists());
}

#[test]
fn a_second_start_hands_over_to_the_first() {
    let place = Place::new();
    place.write("a.bin", content(1_000));
    place.run(&["create", "a.bin"]).done();
    let port = port();
    let app = ["--state", "state", "--bind", "127.0.0.1", "--port", &port, "--no-web"];
    let first = Running::start(&place, app.iter().chain(ALONE));
    first.logs("peers reach this session");
    assert_eq!(place.run(&["--state", "state", "a.bin.torrent"]).done(), "");
    let mut line = first.line();
    if line.starts_with("the tracker's page: http://127.0.0.1:") {
        line = first.line();
    }
    assert_eq!(line, "seeding a.bin");
    place.run(&["daemon", "--state", "state"]).failed("uses this state folder");
}

#[test]
fn an_experiment_prints_one_object_and_writes_its_table() {
    let place = Place::new();
    let args = ["lab", "3", "--json", "--csv", "points.csv", "--peers", "2", "--max-n", "1-2"];
    let ran = place.run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out, place.run(&args).out, "the same seed gives the same numbers");
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let secs = |max_n: u64| {
        let mut points = object["points"].as_array().expect("points").iter();
        points.find(|point| point["max_n"] == max_n).and_then(|point| point["secs"].as_f64()).expect("a time")
    };
    assert!((1.8..=2.2).contains(&(secs(1) / secs(2))), "{}", ran.out);
    assert!(object["result"].as_str().is_some_and(|text| text.contains("Max_N")), "{}", ran.out);
    let csv = fs::read_to_string(place.path("points.csv")).expect("a table");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "series,max_n,secs,connections,completed,of");
    assert_eq!(lines.len(), 1 + object["points"].as_array().expect("points").len());
    assert_eq!(place.run(&["lab", "5"]).code, Some(2));
    let wild = place.run(&["lab", "4", "--peers", "1"]);
    assert_eq!(
        (wild.code, wild.err.trim()),
        (Some(1), "fyris: the number of peers must lie between 2 and 200")
    );
}
