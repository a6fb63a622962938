//! The router without sockets, on a played session: what is refused to whom, and what reaches the session.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{page, router};
use crate::api::{
    AddOptions, Alternative, Backend, Command, Detail, Event, FilePriority, FileRow, Goals, Handle, Limits,
    RequestId, Settings, Source, TorrentRow, Turn, View, pair,
};
use crate::base::InfoHash;
use crate::network::Secret;

const TOKEN: Secret = Secret([5; 16]);
const ONE: InfoHash = InfoHash([0x11; 20]);
const TWO: InfoHash = InfoHash([0x22; 20]);

/// A router with a session behind it that notes what it is asked, and answers.
struct Rig {
    router: TowerToHyperService<axum::Router>,
    backend: Arc<Backend>,
    asked: Arc<Mutex<Vec<Command>>>,
}

impl Rig {
    fn new() -> Self {
        let (handle, backend) = pair();
        let (backend, asked) = (Arc::new(backend), Arc::new(Mutex::new(Vec::new())));
        let rows = [row(ONE, "one"), row(TWO, "two")];
        backend.publish(view(1, &rows));
        let (played, notes) = (Arc::clone(&backend), Arc::clone(&asked));
        let play = move || {
            while let Ok(command) = played.commands.recv() {
                notes.lock().expect("sound").push(command.clone());
                answer(&played, command);
            }
        };
        std::thread::Builder::new().name("played session".into()).spawn(play).expect("a thread");
        Self { router: served(handle), backend, asked }
    }

    /// Status, headers and body of the answer.
    async fn send(&self, request: Request<Body>) -> (u16, HeaderMap, String) {
        let Ok(answer) = self.router.call(request).await;
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = request("GET", path).body(Body::empty()).expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    async fn post(&self, body: impl Into<Body>) -> (u16, Value) {
        let request = request("POST", "/api/commands").body(body.into()).expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// What the session was asked since the last time; the numbers of requests, which are its own, as 0.
    fn asked(&self) -> Vec<Command> {
        let mut asked = std::mem::take(&mut *self.asked.lock().expect("sound"));
        for request in asked.iter_mut().filter_map(Command::request) {
            assert_ne!(*request, RequestId(0));
            *request = RequestId(0);
        }
        asked
    }
}

fn served(handle: Handle) -> TowerToHyperService<axum::Router> {
    TowerToHyperService::new(router(handle, TOKEN, &["nas.local".into()]))
}

fn answer(backend: &Backend, mut command: Command) {
    let Some(request) = command.request().copied() else { return };
    backend.emit(match command {
        Command::Add { source: Source::Magnet(link), .. } if link == "magnet:?bad" => {
            Event::Refused { request, reason: "that is no magnet link".into() }
        }
        Command::Add { .. } => Event::Added { request, torrent: ONE, known: false },
        Command::Move { torrent, folder, .. } => Event::Moved { request, torrent, folder },
        Command::Settle { .. } => Event::Settled { request },
        Command::StopAndSerialize { torrent, .. } => {
            Event::Serialized { request, torrents: torrent.into_iter().collect() }
        }
        Command::Describe { torrent, .. } => Event::Described {
            request,
            detail: Box::new(Detail {
                info_hash: torrent,
                piece_count: 7,
                files: files(),
                ..Detail::default()
            }),
        },
        _ => Event::Refused { request, reason: "not that".into() },
    });
}

fn files() -> Vec<FileRow> {
    let file = |index: u32| FileRow {
        index,
        path: format!("part {index}"),
        length: 5,
        done: 0,
        priority: FilePriority::Normal,
    };
    (0..3).map(file).collect()
}

fn row(info_hash: InfoHash, name: &str) -> Arc<TorrentRow> {
    Arc::new(TorrentRow { info_hash, name: name.into(), size: 10, ..TorrentRow::default() })
}

fn view(generation: u64, rows: &[Arc<TorrentRow>]) -> View {
    View { generation, unix_millis: 5_000, torrents: rows.to_vec().into(), ..View::default() }
}

/// A request with everything that it needs.
fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:7380")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", TOKEN.to_bearer()))
}

#[tokio::test]
async fn nothing_is_told_or_done_without_the_token_and_to_other_sites() {
    let rig = Rig::new();
    let paths = [
        "/api/torrents",
        "/api/torrents/x/detail",
        "/api/settings",
        "/api/commands",
        "/api",
        "/x",
        "/page/../x",
    ];
    for (method, path) in
        paths.iter().flat_map(|path| ["GET", "POST", "PUT", "OPTIONS"].map(|method| (method, *path)))
    {
        let bare = || Request::builder().method(method).uri(path).header("host", "localhost:7380");
        let cookie = format!("token={}", TOKEN.to_bearer());
        for (request, expected) in [
            (bare(), 401),
            (bare().header("cookie", cookie), 401),
            (request(method, path).header("origin", "http://evil.example"), 403),
            (request(method, path).header("sec-fetch-site", "cross-site"), 403),
            (Request::builder().method(method).uri(path).header("host", "evil.example"), 421),
            (Request::builder().method(method).uri(path), 421),
        ] {
            let (status, headers, body) = rig.send(request.body(Body::empty()).expect("a request")).await;
            // After a while wrong tokens are all told the same.
            assert!(
                status == expected || (expected, status) == (401, 429),
                "{method} {path}: {status} {body}"
            );
            assert_eq!(headers["x-content-type-options"], "nosniff", "{method} {path}");
            assert!(!headers.contains_key("access-control-allow-origin"), "{method} {path}");
            let why = serde_json::from_str::<Value>(&body).expect("JSON")["error"].as_str().map(str::len);
            assert!(why.is_some_and(|len| len > 10), "{body}");
        }
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn the_page_itself_needs_no_token_and_runs_nothing_but_its_own_files() {
    let rig = Rig::new();
    for file in page::FILES {
        let bare = |host| {
            Request::builder().uri(file.path).header("host", host).body(Body::empty()).expect("a request")
        };
        let (status, headers, body) = rig.send(bare("nas.local")).await;
        assert!(status == 200 && !body.is_empty(), "{}", file.path);
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(
            (&headers["x-frame-options"], &headers["cache-control"]),
            (&"DENY".parse().expect("text"), &"no-store".parse().expect("text"))
        );
        assert_eq!(rig.send(bare("evil.example")).await.0, 421, "{}", file.path);
    }
    let text = |path| {
        let file = page::FILES.iter().find(|file| file.path == path).expect("a file");
        String::from_utf8(file.content.to_vec()).expect("text")
    };
    let html = text("/");
    for forbidden in
        ["style=", "<style", "onclick", "onload", "onerror", "onsubmit", "onchange", "javascript:", "//"]
    {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert_eq!(html.matches("<script").count(), 1);
    let scripts: String =
        ["/page.js", "/add.js", "/detail.js", "/session.js", "/table.js"].map(text).concat();
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
    {
        assert!(!scripts.contains(forbidden), "{forbidden}");
    }
    // What the scripts look for is there.
    for id in scripts.split("at(\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id) {
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    for path in
        scripts.split(" from \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(path, _)| path)
    {
        assert!(page::FILES.iter().any(|file| file.path == path), "{path}");
    }
}

#[tokio::test]
async fn the_list_is_told_field_by_field_in_parts_and_by_what_changed() {
    let rig = Rig::new();
    let (status, all) = rig.get("/api/torrents").await;
    let torrent = &all["torrents"][0];
    assert_eq!(
        (status, &all["whole"], &all["total"], &torrent["name"]),
        (200, &json!(true), &json!(2), &json!("one"))
    );
    assert_eq!(torrent.as_object().map(serde_json::Map::len), Some(crate::api::Field::ALL.len()));
    let one = json!({ "info_hash": ONE, "name": "one", "size": 10 });
    let (_, part) = rig.get("/api/torrents?fields=name,size&limit=1").await;
    assert_eq!((&part["torrents"], &part["total"]), (&json!([one]), &json!(2)));
    let (_, part) = rig.get("/api/torrents?fields=name&offset=1").await;
    assert_eq!(part["torrents"], json!([{ "info_hash": TWO, "name": "two" }]));
    assert_eq!(rig.get(&format!("/api/torrents/{ONE}?fields=name,size")).await, (200, one));

    let revision = all["revision"].as_u64().expect("a number");
    let (_, none) = rig.get(&format!("/api/torrents?since={revision}")).await;
    assert_eq!((&none["torrents"], &none["gone"], &none["whole"]), (&json!([]), &json!([]), &json!(false)));
    rig.backend.publish(view(2, &[row(ONE, "uno"), row(TWO, "two")]));
    let (_, news) = rig.get(&format!("/api/torrents?fields=name&since={revision}")).await;
    assert_eq!(news["torrents"], json!([{ "info_hash": ONE, "name": "uno" }]));
    // One waits until there is something, here that a torrent has gone.
    let known = news["revision"].as_u64().expect("a number");
    let path = format!("/api/torrents?fields=name&since={known}&wait=50");
    let waits = rig.get(&path);
    let happens = async {
        tokio::task::yield_now().await;
        rig.backend.publish(view(3, &[row(TWO, "two")]));
    };
    let ((_, news), ()) = tokio::join!(waits, happens);
    assert_eq!((&news["torrents"], &news["gone"], &news["total"]), (&json!([]), &json!([ONE]), &json!(1)));
    // Another run, or a number that was made up.
    assert_eq!(rig.get("/api/torrents?since=1&wait=50").await.1["whole"], json!(true));

    for (path, status) in [
        ("/api/torrents?fields=colour", 400),
        ("/api/torrents?since=-1", 400),
        ("/api/torrents?since=5&limit=1", 400),
        ("/api/torrents?limt=1", 400),
        ("/api/torrents/zz", 400),
        ("/api/torrents/%ff", 400),
        (&format!("/api/torrents/{ONE}"), 404),
        (&format!("/api/torrents/{ONE}/detail"), 404),
        (&format!("/api/torrents/{TWO}?field=name"), 400),
        (&format!("/api/torrents/{TWO}/detail?most=all"), 400),
        ("/api/nothing", 404),
        ("/api/torrents/../settings", 404),
        ("/api/commands", 405),
    ] {
        let (found, why) = rig.get(path).await;
        assert!(found == status && why["error"].is_string(), "{path}: {found} {why}");
    }
}

#[tokio::test]
async fn one_is_told_in_full_and_settings_as_they_are() {
    let rig = Rig::new();
    let (status, full) = rig.get(&format!("/api/torrents/{ONE}/detail")).await;
    assert_eq!(
        (status, &full["torrent"]["name"], &full["detail"]["piece_count"]),
        (200, &json!("one"), &json!(7))
    );
    assert_eq!((&full["file_count"], full["detail"]["files"].as_array().map(Vec::len)), (&json!(3), Some(3)));
    assert_eq!(rig.asked(), [Command::Describe { request: RequestId(0), torrent: ONE }]);
    let (_, part) = rig.get(&format!("/api/torrents/{ONE}/detail?most=2")).await;
    assert_eq!((&part["file_count"], part["detail"]["files"].as_array().map(Vec::len)), (&json!(3), Some(2)));
    let (status, settings) = rig.get("/api/settings").await;
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    assert_eq!((status, settings), (200, Settings::default()));
}

#[tokio::test]
async fn a_list_of_thousands_costs_nothing_where_nothing_changes() {
    let rig = Rig::new();
    let rows: Vec<_> = (0..10_000_u32)
        .map(|number| {
            let mut hash = [0; 20];
            hash[..4].copy_from_slice(&number.to_be_bytes());
            row(InfoHash(hash), &format!("torrent {number}"))
        })
        .collect();
    rig.backend.publish(view(2, &rows));
    let (_, all) = rig.get("/api/torrents?fields=name").await;
    assert_eq!(all["torrents"].as_array().map(Vec::len), Some(10_000));
    let mut next = rows.clone();
    next[5_000] = row(rows[5_000].info_hash, "another");
    rig.backend.publish(view(3, &next));
    let since = all["revision"].as_u64().expect("a number");
    let (_, news) = rig.get(&format!("/api/torrents?fields=name&since={since}")).await;
    assert_eq!(news["torrents"][0]["name"], json!("another"));
    assert!(news.to_string().len() < 1_000, "{news}");
}

#[tokio::test]
async fn all_that_control_can_do_can_be_done_from_here() {
    let rig = Rig::new();
    let other =
        Settings { alternative: Alternative { on: true, ..Alternative::default() }, ..Settings::default() };
    let request = RequestId(0);
    let options = AddOptions {
        folder: Some("/films".into()),
        paused: true,
        priorities: vec![FilePriority::Skip, FilePriority::High],
        sequential: true,
        label: "talks".into(),
        seed_mode: false,
        peers: vec![([192, 0, 2, 1], 6881).into()],
    };
    let given = json!({
        "folder": "/films", "paused": true, "priorities": ["skip", "high"], "sequential": true, "label": "talks",
        "peers": ["192.0.2.1:6881"],
    });
    let limits = Limits { down: Some(5), up: None };
    let goals = Goals { ratio: Some(1.5), seed_secs: None, idle_secs: Some(60) };
    let done = || json!("done");
    for (text, command, outcome) in [
        (
            json!({ "add": { "request": 0, "source": { "magnet": "magnet:?x" }, "options": given } }),
            Command::Add { request, source: Source::Magnet("magnet:?x".into()), options },
            json!({ "added": { "request": 0, "torrent": ONE, "known": false } }),
        ),
        (
            json!({ "add": { "request": 9, "source": { "bytes": "AAH/" }, "options": {} } }),
            Command::Add { request, source: Source::Bytes(vec![0, 1, 255]), options: AddOptions::default() },
            json!({ "added": { "request": 0, "torrent": ONE, "known": false } }),
        ),
        (json!({ "pause": ONE }), Command::Pause(ONE), done()),
        (json!({ "resume": ONE }), Command::Resume(ONE), done()),
        (json!("pause_all"), Command::PauseAll, done()),
        (json!("resume_all"), Command::ResumeAll, done()),
        (
            json!({ "stop_and_serialize": { "request": 0, "torrent": ONE } }),
            Command::StopAndSerialize { request, torrent: Some(ONE) },
            json!({ "serialized": { "request": 0, "torrents": [ONE] } }),
        ),
        (
            json!({ "stop_and_serialize": { "request": 0, "torrent": null } }),
            Command::StopAndSerialize { request, torrent: None },
            json!({ "serialized": { "request": 0, "torrents": [] } }),
        ),
        (json!({ "recheck": ONE }), Command::Recheck(ONE), done()),
        (json!({ "announce": ONE }), Command::Announce(ONE), done()),
        (
            json!({ "remove": { "torrent": ONE, "delete_data": true } }),
            Command::Remove { torrent: ONE, delete_data: true },
            done(),
        ),
        (
            json!({ "move": { "request": 0, "torrent": ONE, "folder": "/there" } }),
            Command::Move { request, torrent: ONE, folder: "/there".into() },
            json!({ "moved": { "request": 0, "torrent": ONE, "folder": "/there" } }),
        ),
        (
            json!({ "rename": { "torrent": ONE, "name": "An album" } }),
            Command::Rename { torrent: ONE, name: "An album".into() },
            done(),
        ),
        (
            json!({ "label": { "torrent": ONE, "label": "music" } }),
            Command::Label { torrent: ONE, label: "music".into() },
            done(),
        ),
        (
            json!({ "limit": { "torrent": ONE, "limits": { "down": 5 } } }),
            Command::Limit { torrent: ONE, limits },
            done(),
        ),
        (
            json!({ "goals": { "torrent": ONE, "goals": { "ratio": 1.5, "idle_secs": 60 } } }),
            Command::Goals { torrent: ONE, goals },
            done(),
        ),
        (
            json!({ "queue": { "torrent": ONE, "turn": "first" } }),
            Command::Queue { torrent: ONE, turn: Turn::First },
            done(),
        ),
        (
            json!({ "sequential": { "torrent": ONE, "on": true } }),
            Command::Sequential { torrent: ONE, on: true },
            done(),
        ),
        (
            json!({ "prioritise": { "torrent": ONE, "files": [[0, "skip"], [3, "high"]] } }),
            Command::Prioritise {
                torrent: ONE,
                files: vec![(0, FilePriority::Skip), (3, FilePriority::High)],
            },
            done(),
        ),
        (
            json!({ "add_peers": { "torrent": ONE, "peers": ["[::1]:5"] } }),
            Command::AddPeers { torrent: ONE, peers: vec!["[::1]:5".parse().expect("an address")] },
            done(),
        ),
        (json!({ "cancel": 5 }), Command::Cancel(RequestId(5)), done()),
        (json!({ "settings": other }), Command::Settings(Box::new(other.clone())), done()),
    ] {
        let (status, mut told) = rig.post(text.to_string()).await;
        // The session gives numbers of its own.
        for answer in told.as_object_mut().into_iter().flat_map(|told| told.values_mut()) {
            answer["request"] = json!(0);
        }
        assert_eq!((status, told), (200, outcome), "{text}");
        let mut asked = rig.asked();
        asked.retain(|command| !matches!(command, Command::Settle { .. }));
        assert_eq!(asked, [command], "{text}");
    }
}

#[tokio::test]
async fn several_are_done_in_their_order_each_with_its_outcome() {
    let rig = Rig::new();
    let add = |link: &str| json!({ "add": { "request": 0, "source": { "magnet": link }, "options": {} } });
    let text = json!([add("magnet:?a"), { "pause": ONE }, add("magnet:?bad")]).to_string();
    let (status, outcomes) = rig.post(text).await;
    assert_eq!(status, 200);
    assert_eq!((&outcomes[0]["added"]["known"], &outcomes[1]), (&json!(false), &json!("done")));
    assert_eq!(outcomes[2]["refused"]["reason"], json!("that is no magnet link"));
    assert!(matches!(
        rig.asked()[..],
        [Command::Add { .. }, Command::Pause(_), Command::Add { .. }, Command::Settle { .. }]
    ));
    assert_eq!(rig.post("[]").await, (200, json!([])));
    // Of some, one of which may not be, none is done.
    let (status, _) = rig.post(format!(r#"[{{"pause":"{ONE}"}},"shutdown"]"#)).await;
    assert_eq!((status, rig.asked()), (403, vec![]));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_a_sentence() {
    let rig = Rig::new();
    let stranger = InfoHash([0x33; 20]);
    let deep = "[".repeat(100_000);
    for (body, status, words) in [
        (String::new(), 400, "no command"),
        ("{".into(), 400, "no command"),
        (deep, 400, "no command"),
        ("7".into(), 400, "no command"),
        (r#""explode""#.into(), 422, "explode"),
        (format!(r#"{{"limit":{{"torrent":"{ONE}","limits":{{"down":-5}}}}}}"#), 422, "-5"),
        (format!(r#"{{"limit":{{"torrent":"{ONE}","limits":{{"sideways":5}}}}}}"#), 422, "sideways"),
        (
            format!(r#"{{"remove":{{"torrent":"{ONE}","delete_data":true,"and":1}}}}"#),
            422,
            "unknown field `and`",
        ),
        (r#"{"pause":"xyz"}"#.into(), 422, "hexadecimal"),
        (r#""shutdown""#.into(), 403, "where it runs"),
        (r#"{"add":{"request":0,"source":{"file":"/etc/passwd"},"options":{}}}"#.into(), 403, "content"),
        (
            r#"{"add":{"request":0,"source":{"magnet":"magnet:?bad"},"options":{}}}"#.into(),
            409,
            "that is no magnet link",
        ),
        (format!(r#"{{"move":{{"request":0,"torrent":"{ONE}","folder":"here"}}}}"#), 400, "whole path"),
        (format!(r#"{{"limit":{{"torrent":"{ONE}","limits":{{"up":0}}}}}}"#), 400, "more than 0"),
        (format!(r#"{{"goals":{{"torrent":"{ONE}","goals":{{"ratio":-1}}}}}}"#), 400, "not below 0"),
        (format!(r#"[{{"pause":"{ONE}"}},{{"pause":"{stranger}"}}]"#), 404, "not on the list"),
        (format!("[{}\"pause_all\"]", "\"pause_all\",".repeat(10_000)), 413, "10000 commands"),
    ] {
        let (found, why) = rig.post(body.clone()).await;
        let why = why["error"].as_str().expect("a sentence");
        assert!(found == status && why.contains(words), "{found} {why}");
    }
    let (status, why) = rig.post(vec![b' '; super::commands::MOST_BYTES + 1]).await;
    assert!(
        status == 413 && why["error"].as_str().is_some_and(|why| why.contains("bytes")),
        "{status} {why}"
    );
    let asked: Vec<_> = rig.asked();
    assert!(
        matches!(asked[..], [Command::Add { .. }]),
        "only what the session itself refused got there: {asked:?}"
    );
}

#[tokio::test]
async fn who_asks_a_session_that_has_ended_is_told_so() {
    let (handle, backend) = pair();
    backend.publish(view(1, &[row(ONE, "one")]));
    let router = served(handle);
    drop(backend);
    let body = || Body::from(r#""pause_all""#);
    let Ok(answer) = router.call(request("POST", "/api/commands").body(body()).expect("a request")).await;
    assert_eq!(answer.status(), 503);
    let detail = request("GET", &format!("/api/torrents/{ONE}/detail")).body(Body::empty());
    let Ok(answer) = router.call(detail.expect("a request")).await;
    assert_eq!(answer.status(), 503);
}

proptest! {
    #[test]
    fn no_request_makes_it_fall(
        path in "(/|/api|/api/torrents|/api/commands|/api/settings)?[ -~]{0,40}",
        host in "[ -~]{0,20}",
        bearer in "[ -~]{0,30}",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"[\[{"]{0,3}(pause|add|remove|limit|settings)?[":{}\[\],0-9a-z]{0,60}"#.prop_map(String::into_bytes),
        ],
        known in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (handle, _backend) = pair();
        let mut parts = Request::builder().method("POST").uri(path).header("content-type", "application/json");
        parts = match known {
            true => parts.header("host", "[::1]").header("authorization", format!("Bearer {}", TOKEN.to_bearer())),
            false => parts.header("host", host).header("authorization", bearer),
        };
        // What is no request at all gets no further than the server.
        if let Ok(request) = parts.body(Body::from(body)) {
            let Ok(answer) = runtime.block_on(served(handle).call(request));
            prop_assert!(!answer.status().is_server_error() && (known || answer.status() != 200), "{}", answer.status());
        }
        runtime.shutdown_background();
    }
}
