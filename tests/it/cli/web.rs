//! A session without a window, led over its web page's API by somebody who knows no more than the address that was printed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::*;

/// Where a session's page is, and its token.
struct Api {
    host: String,
    token: String,
}

impl Api {
    /// As the line says that a session prints.
    fn of(line: &str) -> Self {
        let rest = line.strip_prefix("web page http://").expect("an address");
        let (host, token) = rest.split_once("/#token=").expect("a token");
        Self { host: host.to_owned(), token: token.to_owned() }
    }

    /// Status, headers and body of the answer to a request with these lines of its own.
    fn send(&self, method: &str, path: &str, lines: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).expect("loopback");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).expect("loopback");
        let mut told = String::new();
        stream.read_to_string(&mut told).expect("text");
        let (head, body) = told.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, head.to_owned(), body.to_owned())
    }

    fn with_token(&self) -> String {
        let Self { host, token } = self;
        format!("Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n")
    }

    fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.send("GET", path, &self.with_token(), "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    fn post(&self, command: &Value) -> (u16, Value) {
        let body = command.to_string();
        let (status, _, body) = self.send("POST", "/api/commands", &self.with_token(), &body);
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// The only torrent, once it stands so.
    fn until(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut told = self.get("/api/torrents");
        let mut torrent = told["torrents"][0].clone();
        for _ in 0..200 {
            if is_so(&torrent) {
                return torrent;
            }
            told = self.get(&format!("/api/torrents?since={}&wait=1", told["revision"]));
            torrent = told["torrents"].get(0).cloned().unwrap_or(torrent);
        }
        panic!("it stands at {torrent}");
    }
}

#[test]
fn a_session_is_led_over_its_page() {
    let place = Place::new();
    place.write("there/a.bin", content(100_000));
    place.run(&["create", "there/a.bin"]).done();
    let bytes = fs::read(place.path("a.bin.torrent")).expect("a torrent");
    let hash = read(&place.path("a.bin.torrent")).info_hash.to_hex();
    place.write("state/settings.toml", "tracker = false\ncoordinator = false\n");
    let args = ["daemon", "--state", "state", "--bind", "127.0.0.1", "--port", "0", "--web", "127.0.0.1:0"];
    let running = Running::start(&place, args.iter().chain(ALONE));
    let api = Api::of(&running.line());

    // Strangers are told nothing.
    let host = format!("Host: {}\r\n", api.host);
    assert_eq!(api.send("GET", "/", &host, "").0, 200);
    assert_eq!(api.send("GET", "/api/torrents", &host, "").0, 401);
    assert_eq!(api.send("GET", "/", "Host: evil.example\r\n", "").0, 421);
    let evil = format!("{}Origin: http://evil.example\r\n", api.with_token());
    assert_eq!(api.send("POST", "/api/commands", &evil, "\"pause_all\"").0, 403);

    let folder = place.path("there").display().to_string();
    let source = json!({ "bytes": data_encoding::BASE64.encode(&bytes) });
    let options = json!({ "folder": folder, "label": "music" });
    let (status, told) = api.post(&json!({ "inspect": { "request": 0, "source": source } }));
    assert_eq!((status, &told["inspected"]["preview"]["name"]), (200, &json!("a.bin")));
    let add = json!({ "add": { "request": 0, "source": source, "options": options } });
    let (status, told) = api.post(&add);
    assert_eq!((status, &told["added"]["torrent"]), (200, &json!(hash)), "{told}");
    let torrent = api.until(|torrent| torrent["state"] == "seeding");
    assert_eq!(
        (&torrent["label"], &torrent["left"], &torrent["size"]),
        (&json!("music"), &json!(0), &json!(100_000))
    );
    assert_eq!(running.line(), "seeding a.bin");

    let full = api.get(&format!("/api/torrents/{hash}/detail"));
    let file = &full["detail"]["files"][0];
    assert_eq!(
        (&file["path"], &file["done"], &file["priority"]),
        (&json!("a.bin"), &json!(100_000), &json!("normal"))
    );
    let several = json!([
        { "rename": { "torrent": hash, "name": "An album" } },
        { "limit": { "torrent": hash, "limits": { "up": 5_000 } } },
        { "stop_and_serialize": { "request": 0, "torrent": hash } },
    ]);
    let (status, told) = api.post(&several);
    assert_eq!((status, &told[2]["serialized"]["torrents"]), (200, &json!([hash])), "{told}");
    api.until(|torrent| torrent["state"] == "paused" && torrent["name"] == "An album");
    let full = api.get(&format!("/api/torrents/{hash}/detail"));
    assert_eq!(full["torrent"]["limits"]["up"], json!(5_000));
    let elsewhere = place.path("elsewhere").display().to_string();
    let (status, told) = api.post(&json!({ "move": { "request": 0, "torrent": hash, "folder": elsewhere } }));
    assert_eq!((status, &told["moved"]["folder"]), (200, &json!(elsewhere)), "{told}");
    assert_eq!(fs::read(place.path("elsewhere/a.bin")).expect("moved"), content(100_000));

    let mut settings = api.get("/api/settings");
    settings["alternative"]["on"] = json!(true);
    assert_eq!(api.post(&json!({ "settings": settings })).0, 200);
    settings["run_when_done"] = json!(["sh", "-c", "true"]);
    assert_eq!(api.post(&json!({ "settings": settings })).0, 403);
    // The command line sees the same.
    let listed = place.run(&["list", "--state", "state", "--fields", "name,state,label"]).done();
    assert_eq!(listed, "An album\tpaused\tmusic\n");

    assert_eq!(api.post(&json!({ "remove": { "torrent": hash, "delete_data": true } })).0, 200);
    let mut told = api.get("/api/torrents");
    while told["total"] != json!(0) {
        told = api.get(&format!("/api/torrents?since={}&wait=5", told["revision"]));
    }
    let (status, told) = api.post(&json!({ "pause": hash }));
    assert_eq!((status, &told["error"]), (404, &json!("that torrent is not on the list")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(place.path("state/web-token")).expect("a file").permissions().mode();
        assert_eq!((mode & 0o777, running.end()), (0o600, Some(0)));
    }
}
