//! The settings file: read with the line of every mistake, written with a comment on every key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::keys::{KEYS, Key, TABLES};
use super::{StoreError, atomic};
use crate::api::{Settings, SettingsError};

/// Bytes of a settings file; ours have a few thousand.
const LONGEST: u64 = 1024 * 1024;

/// Where the settings of a state folder are.
pub fn settings_path(state: &Path) -> PathBuf {
    state.join("settings.toml")
}

/// Reads the settings; where there is no file, every one has its default.
///
/// # Errors
/// Where the file cannot be read, or has a mistake; the line and the nearest right key are named.
pub fn read_settings(path: &Path) -> Result<Settings, StoreError> {
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(StoreError::file(path, &error)),
    };
    if length > LONGEST {
        return Err(StoreError::file(path, &"a settings file is never this long"));
    }
    let text = fs::read_to_string(path).map_err(|error| StoreError::file(path, &error))?;
    parse(&text).map_err(|(line, why)| StoreError::Settings { path: path.to_path_buf(), line, why })
}

/// Writes the settings with a comment on every key. The file that was there before is kept beside it as
/// `settings.previous.toml`; where nothing changes, nothing is written.
///
/// # Errors
/// Where the system does not let us; the old file is then untouched.
pub fn write_settings(path: &Path, settings: &Settings) -> Result<(), StoreError> {
    let failed = |why: &dyn std::fmt::Display| StoreError::file(path, why);
    settings.check().map_err(|error| failed(&error))?;
    let text = toml::to_string(settings).map_err(|error| failed(&error))?;
    let text = text.parse().map(|table| render(&table)).map_err(|error| failed(&error))?;
    match fs::read(path) {
        Ok(before) if before == text.as_bytes() => return Ok(()),
        Ok(before) => {
            let kept = path.with_extension("previous.toml");
            atomic::write_atomically(&kept, &before).map_err(|error| StoreError::file(&kept, &error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder.map_or(Ok(()), atomic::make_folder).map_err(|error| failed(&error))?;
        }
        Err(error) => return Err(failed(&error)),
    }
    atomic::write_atomically(path, text.as_bytes()).map_err(|error| failed(&error))
}

/// The settings of a text, or the line of the mistake and what it is.
fn parse(text: &str) -> Result<Settings, (Option<usize>, String)> {
    // Some editors begin every file with this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let settings: Settings = toml::from_str(text).map_err(|error| {
        let start = error.span().map(|span| span.start.min(text.len()));
        let line = start.map(|start| text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count());
        (line.map(|line| line + 1), explain(error.message(), line.and_then(|line| text.lines().nth(line))))
    })?;
    match settings.check() {
        Ok(()) => Ok(settings),
        Err(error) => Err((line_of(text, &error), error.to_string())),
    }
}

/// What is wrong, in words of this program where the parser's are for programmers.
fn explain(message: &str, line: Option<&str>) -> String {
    let message = message.lines().next().unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let nearest = names.min_by_key(|known| distance(unknown, known));
        return match nearest {
            Some(known) => format!("there is no key `{unknown}`; the nearest is `{known}`"),
            None => format!("there is no key `{unknown}`"),
        };
    }
    let key = line.and_then(|line| line.split_once('=')).map(|(key, _)| key.trim()).unwrap_or_default();
    if key.is_empty() || key.starts_with('#') { message.to_owned() } else { format!("`{key}`: {message}") }
}

/// The first line with the key that is out of range.
fn line_of(text: &str, error: &SettingsError) -> Option<usize> {
    let SettingsError::Range { key, .. } = error else { return None };
    let begins = |line: &str| line.trim_start().trim_start_matches('[').starts_with(key);
    text.lines().position(begins).map(|line| line + 1)
}

/// How many letters have to be put in, left out or changed to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(100).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The file: keys in the order of [`KEYS`] with their comments, then those that nobody wrote a comment for.
fn render(settings: &toml::Table) -> String {
    let mut out = String::from(
        "# The settings of Fyris. A line that begins with # is a comment; a key that is left out has its default.\n\
         # The window rewrites this file when settings are changed there, and keeps the file before that as\n\
         # settings.previous.toml.\n",
    );
    let plain = |key: &Key| !key.name.contains('.');
    for key in KEYS.iter().filter(|key| plain(key)) {
        entry(&mut out, key, key.name, settings.get(key.name));
    }
    for (name, value) in settings {
        if !value.is_table() && !KEYS.iter().any(|key| key.name == name) {
            out += &format!("\n{name} = {value}\n");
        }
    }
    for (table, about) in TABLES {
        out += &format!("\n# {about}\n[{table}]\n");
        let values = settings.get(*table).and_then(toml::Value::as_table);
        for key in KEYS {
            if let Some(name) = key.name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) {
                entry(&mut out, key, name, values.and_then(|values| values.get(name)));
            }
        }
    }
    for (name, value) in settings {
        if let Some(table) = value.as_table().filter(|_| !TABLES.iter().any(|(table, _)| table == name)) {
            out += &format!("\n[{name}]\n{table}");
        }
    }
    out
}

fn entry(out: &mut String, key: &Key, name: &str, value: Option<&toml::Value>) {
    out.push('\n');
    for line in key.about {
        *out += &format!("# {line}\n");
    }
    *out += &match value {
        Some(value) => format!("{name} = {value}\n"),
        None => format!("# {name} = {}\n", key.example),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Alternative, Day, Goals, Label, Limits, Queue, Theme, Watch};

    fn expected(text: &str) -> Vec<String> {
        let error = toml::from_str::<Settings>(text).expect_err("an unknown key").message().to_owned();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_key_has_a_comment_and_every_comment_a_key() {
        let mut known = Vec::new();
        for name in expected("no_such_key = 1") {
            match TABLES.iter().find(|(table, _)| *table == name) {
                Some((table, _)) => {
                    known.extend(
                        expected(&format!("[{table}]\nno_such_key = 1"))
                            .iter()
                            .map(|key| format!("{table}.{key}")),
                    );
                }
                None => known.push(name),
            }
        }
        let mut documented: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        known.sort();
        documented.sort_unstable();
        assert_eq!(known, documented, "src/store/keys.rs has a comment for each key of the settings");
    }

    #[test]
    fn every_example_is_one() {
        let example = |key: &Key| match key.name.split_once('.') {
            Some((table, name)) => format!("[{table}]\n{name} = {}", key.example),
            None => format!("{} = {}", key.name, key.example),
        };
        for key in KEYS {
            assert_eq!(parse(&example(key)).map(|_| ()), Ok(()), "{}", key.name);
        }
    }

    #[test]
    fn settings_survive_their_file_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = settings_path(&folder.path().join("state"));
        assert_eq!(read_settings(&path), Ok(Settings::default()));
        write_settings(&path, &Settings::default()).expect("written");
        let first = fs::read_to_string(&path).expect("there");
        assert!(KEYS.iter().all(|key| key.about.iter().all(|line| first.contains(line))));
        assert_eq!(read_settings(&path), Ok(Settings::default()));
        let changed = Settings {
            download_folder: "C:\\mina \"filer\"".into(),
            bind: Some([127, 0, 0, 1].into()),
            limits: Limits { down: Some(1), up: None },
            theme: Theme::Dark,
            zoom: 1.1,
            alternative: Alternative {
                on: true,
                up: Some(7),
                from: Some(0),
                until: Some(1_439),
                down: None,
                days: vec![Day::Sunday],
            },
            queue: Queue { downloads: Some(0), seeds: None },
            goals: Goals { ratio: Some(1.1), seed_secs: None, idle_secs: Some(u64::from(u32::MAX)) },
            labels: vec![
                Label {
                    name: "\"räksmörgås\"\n".into(),
                    down: Some(1),
                    up: None,
                    goals: Goals { ratio: Some(0.3), ..Goals::default() },
                    done_folder: Some("/done".into()),
                },
                Label { name: "other".into(), ..Label::default() },
            ],
            watch: vec![
                Watch {
                    folder: "/new".into(),
                    paused: true,
                    move_to: Some("/old".into()),
                    ..Watch::default()
                },
                Watch {
                    folder: "/a b".into(),
                    label: "other".into(),
                    removal_stops: true,
                    ..Watch::default()
                },
            ],
            done_folder: Some("/done".into()),
            run_when_done: vec!["a".into(), String::new(), "{path}".into(), "'\"\\".into()],
            notify: false,
            ..Settings::default()
        };
        write_settings(&path, &changed).expect("written");
        assert_eq!(read_settings(&path), Ok(changed.clone()));
        let text = fs::read_to_string(&path).expect("there");
        assert!(text.contains("zoom = 1.1\n") && text.contains("# up = "), "{text}");
        let previous = path.with_file_name("settings.previous.toml");
        assert_eq!(fs::read_to_string(&previous).expect("kept"), first);
        write_settings(&path, &changed).expect("nothing to do");
        assert_eq!(fs::read_to_string(&previous).expect("kept"), first);
        assert!(write_settings(&path, &Settings { zoom: 0.0, ..changed.clone() }).is_err());
        assert_eq!(read_settings(&path), Ok(changed));
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_the_nearest_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.toml");
        let complaint = |text: &str| {
            fs::write(&path, text).expect("written");
            let text = read_settings(&path).expect_err("a mistake").to_string();
            text.strip_prefix(&path.display().to_string()).expect("the path").to_owned()
        };
        assert_eq!(
            complaint("# mine\nportt = 5"),
            ", line 2: there is no key `portt`; the nearest is `port`"
        );
        assert_eq!(complaint("[limits]\ndwn = 5"), ", line 2: there is no key `dwn`; the nearest is `down`");
        assert_eq!(complaint("\nzoom = 9"), ", line 2: zoom must lie between 0.5 and 3");
        assert!(complaint("port = \"x\"").starts_with(", line 1: `port`: invalid type: string \"x\""));
        assert!(complaint("port = 70000").starts_with(", line 1: `port`: "));
        assert!(complaint("port = ").starts_with(", line 1"));
        assert!(complaint("theme = \"pink\"").contains("pink"));
        assert!(complaint("port = 1\nport = 2").starts_with(", line 2"));
        fs::write(&path, [0xff, 0xfe, 0]).expect("written");
        assert!(matches!(read_settings(&path), Err(StoreError::File { .. })));
        fs::write(&path, "\u{feff}port = 7\r\n").expect("written");
        assert_eq!(read_settings(&path).map(|settings| settings.port), Ok(7));
    }

    #[test]
    fn keys_without_a_comment_are_written_all_the_same() {
        let table = "port = 1\nnew = [1]\n[limits]\nup = 2\n[other]\na = 1\n".parse().expect("a table");
        let text = render(&table);
        let mut back: toml::Table = text.parse().expect("a table");
        assert_eq!(back.remove("new"), table.get("new").cloned());
        assert_eq!(back.remove("other"), table.get("other").cloned());
    }
}
