//! What runs already, from the command line: its torrents listed field by field, and everything that can be done with them.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::api::{AddOptions, Command, Field, Goals, Limits, RequestId, Settings, TorrentRow, Turn};
use crate::app::cli::{Peers, peer};
use crate::app::instance::{self, Asked, Listed, Outcome};
use crate::app::{paths, say};
use crate::base::InfoHash;
use crate::store::Lock;

/// Listing torrents.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Which torrents, by name or info-hash [default: all of them]
    #[arg(value_name = "TORRENT")]
    torrents: Vec<String>,
    /// What to tell of each, separated by commas; `all` tells everything
    #[arg(
        long,
        value_name = "FIELD,...",
        default_value = "name,state,progress,down_rate,up_rate,ratio,label"
    )]
    fields: String,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// The folder in which the session keeps its state
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Doing something with torrents.
#[derive(Args, Debug)]
pub(super) struct ControlArgs {
    #[command(subcommand)]
    what: What,
    /// The folder in which the session keeps its state
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    /// Wait so long until it is done; 0 only hands it over
    #[arg(long, value_name = "SECONDS", global = true, default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: u64,
}

/// Torrents, by name or info-hash; `all` means every one.
#[derive(Args, Debug)]
struct Which {
    /// By name or info-hash; `all` means every one
    #[arg(value_name = "TORRENT", required = true)]
    torrents: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a torrent
    Add {
        /// The .torrent file or magnet link
        #[arg(value_name = "FILE.torrent|MAGNET")]
        source: OsString,
        /// The folder to save into [default: that of all downloads]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// Its label
        #[arg(long, default_value = "")]
        label: String,
        /// A peer to connect to, as HOST:PORT; may be given again
        #[arg(long = "peer", value_name = "ADDR", value_parser = peer)]
        peers: Vec<Peers>,
        /// Let it wait for `resume`
        #[arg(long)]
        paused: bool,
        /// Fetch its pieces in order
        #[arg(long)]
        sequential: bool,
    },
    /// Stop all transfer
    Pause(Which),
    /// Take transfer up again
    Resume(Which),
    /// Stop all transfer, tell the trackers, and write down all that is known
    Stop(Which),
    /// Hash everything on the disk again
    Recheck(Which),
    /// Ask the trackers for peers now
    Announce(Which),
    /// Take off the list
    Remove {
        #[command(flatten)]
        which: Which,
        /// Delete the files of the torrents, too
        #[arg(long)]
        delete_data: bool,
    },
    /// Move the files of a torrent to another folder
    Move {
        /// By name or info-hash
        torrent: String,
        /// Where to
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Call a torrent something else in the list; an empty name takes that back
    Rename {
        /// By name or info-hash
        torrent: String,
        /// What it is called
        name: String,
    },
    /// Give torrents a label; an empty one takes it away
    Label {
        /// The label
        label: String,
        #[command(flatten)]
        which: Which,
    },
    /// Limit torrents by themselves; what is left out has no limit
    Limit {
        #[command(flatten)]
        which: Which,
        /// Receive at most so much
        #[arg(long, value_name = "BYTES_PER_S", value_parser = clap::value_parser!(u64).range(1..))]
        down: Option<u64>,
        /// Send at most so much
        #[arg(long, value_name = "BYTES_PER_S", value_parser = clap::value_parser!(u64).range(1..))]
        up: Option<u64>,
    },
    /// Say when torrents have given enough and are paused; what is left out is as their labels or the settings say
    Goals {
        #[command(flatten)]
        which: Which,
        /// Bytes sent for each byte received
        #[arg(long)]
        ratio: Option<f32>,
        /// Time of seeding
        #[arg(long, value_name = "MINUTES")]
        seed: Option<u32>,
        /// Time of seeding without anybody who takes
        #[arg(long, value_name = "MINUTES")]
        idle: Option<u32>,
    },
    /// Move a torrent in the queue
    Queue {
        /// By name or info-hash
        torrent: String,
        /// Where to
        to: Place,
    },
    /// Keep to the other limits now, or to the usual ones
    OtherLimits {
        /// Whether
        on: Switch,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Place {
    First,
    Sooner,
    Later,
    Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Prints what is known of torrents.
pub(super) fn list(args: &ListArgs) -> Result<()> {
    let fields: Vec<Field> = match args.fields.as_str() {
        "all" => Field::ALL.into(),
        some => some.split(',').map(field).collect::<Result<_>>()?,
    };
    let listed = listed(&running(args.state.as_ref())?)?;
    let which = match args.torrents.is_empty() {
        true => listed.torrents.iter().map(|row| row.info_hash).collect(),
        false => which(&listed, &args.torrents)?,
    };
    for row in which.iter().filter_map(|torrent| listed.torrents.iter().find(|row| row.info_hash == *torrent))
    {
        let stats = row.stats(&fields, listed.unix_secs);
        if args.json {
            say::out(serde_json::to_string(&stats)?);
        } else {
            // A name is kept to its line and its column.
            let cells = stats.0.iter().map(|(_, value)| value.to_string().replace(['\t', '\n', '\r'], " "));
            say::out(cells.collect::<Vec<_>>().join("\t"));
        }
    }
    Ok(())
}

/// Asks for something to be done, and says what became of it.
pub(super) fn run(args: ControlArgs) -> Result<()> {
    let text = running(args.state.as_ref())?;
    let listed = listed(&text)?;
    let commands = commands(args.what, &listed)?;
    let answer = instance::ask(&text, &Asked::Do { commands, wait_secs: args.wait })?;
    let outcome: Outcome =
        serde_json::from_str(&answer).context("the session that runs is of another version")?;
    outcome.said.iter().for_each(say::out);
    match outcome.fault {
        Some(fault) => bail!("{}", fault.trim_end_matches('.')),
        None => Ok(()),
    }
}

/// The text that the running session left for others.
fn running(state: Option<&PathBuf>) -> Result<String> {
    let state = match state {
        Some(state) => state.clone(),
        None => paths::state()?,
    };
    if !state.is_dir() {
        bail!("no Fyris runs on {}; start one, or fyris daemon", state.display());
    }
    match Lock::take(&state) {
        Ok(_) => bail!("no Fyris runs on {}; start one, or fyris daemon", state.display()),
        Err(held) if held.fault.is_some() || held.text.is_empty() => Err(held.into()),
        Err(held) => Ok(held.text),
    }
}

fn listed(text: &str) -> Result<Listed> {
    let answer = instance::ask(text, &Asked::List)?;
    serde_json::from_str(&answer).context("the session that runs is of another version")
}

fn field(name: &str) -> Result<Field> {
    let names = || Field::ALL.map(Field::name).join(", ");
    Field::named(name.trim()).with_context(|| format!("there is no field {name}; there are {}", names()))
}

/// The torrents that were named.
fn which(listed: &Listed, names: &[String]) -> Result<Vec<InfoHash>> {
    if names == ["all"] {
        return Ok(listed.torrents.iter().map(|row| row.info_hash).collect());
    }
    names.iter().map(|name| one(listed, name)).collect()
}

fn one(listed: &Listed, name: &str) -> Result<InfoHash> {
    let hash = name.parse::<InfoHash>().ok();
    let is_meant = |row: &&TorrentRow| row.name == name || Some(row.info_hash) == hash;
    let mut meant = listed.torrents.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(row), None) => Ok(row.info_hash),
        (Some(_), Some(_)) => bail!("several torrents are called {name}; name one by its info-hash"),
        (None, _) => bail!("no torrent is called {name}; fyris list names them"),
    }
}

fn commands(what: What, listed: &Listed) -> Result<Vec<Command>> {
    // The session gives it a number of its own.
    let request = RequestId(0);
    let each = |which_ones: &Which, command: &dyn Fn(InfoHash) -> Command| -> Result<Vec<Command>> {
        Ok(which(listed, &which_ones.torrents)?.into_iter().map(command).collect())
    };
    match what {
        What::Add { source, dir, label, peers, paused, sequential } => {
            let folder = dir.map(std::path::absolute).transpose()?;
            if let Some(folder) = &folder {
                std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            let peers = peers.into_iter().flat_map(|peers| peers.0).collect();
            let options = AddOptions { peers, folder, label, paused, sequential, ..AddOptions::default() };
            Ok(vec![Command::Add { request, source: instance::source(&source)?, options }])
        }
        What::Pause(which) => each(&which, &Command::Pause),
        What::Resume(which) => each(&which, &Command::Resume),
        What::Stop(which) => {
            each(&which, &|torrent| Command::StopAndSerialize { request, torrent: Some(torrent) })
        }
        What::Recheck(which) => each(&which, &Command::Recheck),
        What::Announce(which) => each(&which, &Command::Announce),
        What::Remove { which, delete_data } => {
            each(&which, &|torrent| Command::Remove { torrent, delete_data })
        }
        What::Move { torrent, folder } => {
            let folder = std::path::absolute(folder)?;
            Ok(vec![Command::Move { request, torrent: one(listed, &torrent)?, folder }])
        }
        What::Rename { torrent, name } => Ok(vec![Command::Rename { torrent: one(listed, &torrent)?, name }]),
        What::Label { label, which } => {
            each(&which, &|torrent| Command::Label { torrent, label: label.clone() })
        }
        What::Limit { which, down, up } => {
            each(&which, &|torrent| Command::Limit { torrent, limits: Limits { down, up } })
        }
        What::Goals { which, ratio, seed, idle } => {
            if ratio.is_some_and(|ratio| !ratio.is_finite() || ratio < 0.0) {
                bail!("a ratio is a number that is not below 0");
            }
            let secs = |minutes: Option<u32>| minutes.map(|minutes| u64::from(minutes) * 60);
            let goals = Goals { ratio, seed_secs: secs(seed), idle_secs: secs(idle) };
            each(&which, &|torrent| Command::Goals { torrent, goals })
        }
        What::Queue { torrent, to } => {
            let turn = match to {
                Place::First => Turn::First,
                Place::Sooner => Turn::Sooner,
                Place::Later => Turn::Later,
                Place::Last => Turn::Last,
            };
            Ok(vec![Command::Queue { torrent: one(listed, &torrent)?, turn }])
        }
        What::OtherLimits { on } => {
            let mut settings = Settings::clone(&listed.settings);
            settings.alternative.on = on == Switch::On;
            Ok(vec![Command::Settings(Box::new(settings))])
        }
    }
}
