//! Managing a running tracker over HTTP, by whoever knows the token: users' keys, lists of torrents, the largest swarms.
//!
//! `GET /admin/torrents?max=N`, `GET /admin/LIST`, `POST /admin/LIST/add?value=V`, `POST /admin/LIST/remove?value=V` and
//! `POST /admin/reload`, where LIST is `keys`, `allow` or `deny`. A key that is added without a value is made up. Answers are
//! `{"value": …}` or `{"error": …}`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::base::InfoHash;
use crate::net::tracker::shared::{Shared, secret};
use crate::net::tracker::{keep, lists};
use crate::tracker::{Access, Asker, Config, Counter, Method, Request, parse_keys};
use crate::wire::tracker_http::{Parameters, decode_component};

/// What was added over HTTP, beside what stands in files.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) keys: BTreeSet<String>,
    pub(super) allow: BTreeSet<InfoHash>,
    pub(super) deny: BTreeSet<InfoHash>,
}

/// A list that entries are added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Keys,
    Allow,
    Deny,
}

/// Entries in one list, and torrents in one answer.
const MOST: usize = 100_000;

impl List {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "keys" => Some(Self::Keys),
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Added {
    /// Adds or removes an entry; whether that changed anything.
    pub(super) fn change(&mut self, list: List, value: &str, add: bool) -> Result<bool, String> {
        fn put<T: Ord>(set: &mut BTreeSet<T>, value: T, add: bool) -> Result<bool, String> {
            match add {
                true if set.len() >= MOST => Err(format!("there are {MOST} entries already")),
                true => Ok(set.insert(value)),
                false => Ok(set.remove(&value)),
            }
        }
        let hash = || value.parse::<InfoHash>().map_err(|error| error.to_string());
        match list {
            List::Keys => match parse_keys(value).ok().filter(|keys| keys.contains(value)) {
                Some(_) => put(&mut self.keys, value.to_owned(), add),
                None => Err("a key has 8 to 64 letters, digits, - or _".to_owned()),
            },
            List::Allow => put(&mut self.allow, hash()?, add),
            List::Deny => put(&mut self.deny, hash()?, add),
        }
    }

    /// What files say and what was added, together.
    pub(super) fn with(&self, files: &Access) -> Access {
        let join = |set: &Arc<HashSet<InfoHash>>, more: &BTreeSet<InfoHash>| match more.is_empty() {
            true => Arc::clone(set),
            false => Arc::new(set.iter().chain(more).copied().collect()),
        };
        Access {
            allow: files.allow.as_ref().map(|allow| join(allow, &self.allow)),
            deny: join(&files.deny, &self.deny),
            keys: files.keys.as_ref().map(|keys| Arc::new(keys.iter().chain(&self.keys).cloned().collect())),
        }
    }

    fn entries(&self, list: List) -> Vec<String> {
        match list {
            List::Keys => self.keys.iter().cloned().collect(),
            List::Allow => self.allow.iter().map(|hash| hash.to_hex()).collect(),
            List::Deny => self.deny.iter().map(|hash| hash.to_hex()).collect(),
        }
    }
}

/// Appends the response where the request is one for us; whether it was.
pub(super) fn respond(shared: &Shared, asker: &Asker<'_>, request: &Request<'_>, out: &mut Vec<u8>) -> bool {
    let Some(target) = request.target.strip_prefix(b"/admin/") else { return false };
    // Without a token nobody manages anything, and nobody learns that one could.
    if asker.config.admin_token.is_none() {
        return false;
    }
    let tracker = &shared.tracker;
    let (status, answer) = if !tracker.within_limit(asker) || !tracker.may_manage(asker, request) {
        tracker.stats.count(Counter::Rejected);
        ("401 Unauthorized", Err("the token is missing or wrong".to_owned()))
    } else {
        match manage(shared, asker.config, request.method, target) {
            Some(answer @ Ok(_)) => ("200 OK", answer),
            Some(answer @ Err(_)) => ("400 Bad Request", answer),
            None => ("404 Not Found", Err("there is nothing of that name to manage".to_owned())),
        }
    };
    let json = match answer {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": error }),
    };
    tracker.respond_json(status, &json, request.keep_alive, out);
    true
}

fn manage(shared: &Shared, config: &Config, method: Method, target: &[u8]) -> Option<Result<Value, String>> {
    let target = std::str::from_utf8(target).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parameter = |wanted: &str| {
        let found = Parameters::new(query.as_bytes()).find(|(name, _)| *name == wanted.as_bytes());
        found.map(|(_, value)| String::from_utf8_lossy(&decode_component(value)).into_owned())
    };
    match (method, path) {
        (Method::Get, "torrents") => {
            let max = parameter("max").and_then(|max| max.parse().ok()).unwrap_or(100).min(MOST);
            let torrent = |(hash, counts): (InfoHash, crate::tracker::SwarmCounts)| {
                json!({
                    "info_hash": hash.to_hex(), "complete": counts.complete, "incomplete": counts.incomplete,
                    "downloaders": counts.downloaders, "downloaded": counts.downloaded,
                })
            };
            Some(Ok(shared.tracker.largest(max).into_iter().map(torrent).collect()))
        }
        (Method::Post, "reload") => Some(match lists::load(config) {
            Ok(access) => {
                shared.put_lists(access);
                Ok(json!("read again"))
            }
            Err(error) => Err(error.to_string()),
        }),
        (Method::Get, name) => {
            let list = List::named(name)?;
            Some(Ok(shared.added(|added| added.entries(list)).into()))
        }
        (Method::Post, path) => {
            let (name, what) = path.split_once('/')?;
            let (list, add) = (List::named(name)?, matches!(what, "add"));
            if !add && what != "remove" {
                return None;
            }
            Some(change(shared, config, list, parameter("value"), add))
        }
        (Method::Head, _) => None,
    }
}

fn change(
    shared: &Shared,
    config: &Config,
    list: List,
    value: Option<String>,
    add: bool,
) -> Result<Value, String> {
    match list {
        List::Keys if !config.private => return Err("keys need private = true".to_owned()),
        List::Allow if config.allow_file.is_none() => return Err("this list needs allow_file".to_owned()),
        _ => {}
    }
    let value = match value {
        Some(value) => value,
        None if add && list == List::Keys => {
            HEXLOWER.encode(&secret::<16>().map_err(|error| error.to_string())?)
        }
        None => return Err("value required".to_owned()),
    };
    let changed = shared.change(list, &value, add)?;
    if !changed && !add {
        return Err("it was not added over HTTP".to_owned());
    }
    // Kept before it is confirmed.
    if let Some(path) = &config.state_file {
        keep::put(path, list, &value, add).map_err(|error| error.to_string())?;
    }
    tracing::info!(list = list.name(), add, "a list was changed");
    Ok(json!({ "value": value, "kept": config.state_file.is_some() }))
}
