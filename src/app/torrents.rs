//! Making, showing and verifying .torrent files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, bail};

use crate::app::bar::{Bar, rate};
use crate::app::cli::{CreateArgs, ShowArgs, VerifyArgs};
use crate::app::{clock, say};
use crate::base::limits;
use crate::disk::create::{CreateOptions, create as make};
use crate::disk::verify as check;
use crate::metainfo::Torrent;
use crate::metainfo::create::Details;

/// Makes a .torrent file and prints `created OUT`.
pub(super) fn create(args: CreateArgs) -> Result<()> {
    let output = match args.output {
        Some(output) => output,
        None => {
            // A path such as `.` gets its name from the folder it stands for.
            let path = args.path.canonicalize().with_context(|| args.path.display().to_string())?;
            let mut name = path.file_name().context("a file or folder with a name is needed")?.to_owned();
            name.push(".torrent");
            let output = PathBuf::from(name);
            if output.exists() {
                bail!("{} is there already; remove it, or name another with -o", output.display());
            }
            output
        }
    };
    let details = Details {
        trackers: args.trackers.into_iter().map(|url| vec![url]).collect(),
        web_seeds: args.web_seeds,
        private: args.private,
        comment: args.comment,
        created_by: Some(concat!("Fyris ", env!("CARGO_PKG_VERSION")).to_owned()),
        creation_date: Some(clock::unix_secs()),
        source: None,
    };
    let options = CreateOptions { piece_length: args.piece_length, details };
    let torrent = with_bar(|progress| make(&args.path, &options, progress, &AtomicBool::new(false)))?;
    std::fs::write(&output, torrent).with_context(|| output.display().to_string())?;
    say::out(format_args!("created {}", output.display()));
    Ok(())
}

/// Prints what a .torrent file says.
pub(super) fn show(args: &ShowArgs) -> Result<()> {
    let shown = read_torrent(&args.file)?.1.shown();
    if args.json {
        say::out(serde_json::to_string_pretty(&shown)?);
    } else {
        say::out(shown.to_string().trim_end());
    }
    Ok(())
}

/// Hashes a folder against a .torrent file and prints `complete NAME` where all of it is there.
pub(super) fn verify(args: &VerifyArgs) -> Result<()> {
    let torrent = read_torrent(&args.file)?.1;
    let good = with_bar(|progress| check(&torrent, &args.dir, progress, &AtomicBool::new(false)))?;
    let (right, all) = (good.count() as u64, u64::from(torrent.layout.piece_count()));
    if right < all {
        let wrong = all - right;
        bail!("{}: {wrong} of {all} pieces are missing or damaged in {}", torrent.name, args.dir.display());
    }
    say::out(format_args!("complete {}", torrent.name));
    Ok(())
}

/// Reads a .torrent file: its bytes, and what they say.
pub(super) fn read_torrent(path: &Path) -> Result<(Vec<u8>, Torrent)> {
    let context = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(context)?;
    file.take(limits::TORRENT_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(context)?;
    if bytes.len() as u64 > limits::TORRENT_FILE_BYTES {
        bail!("{}: this is too large to be a .torrent file", path.display());
    }
    let torrent = Torrent::parse(&bytes).with_context(context)?;
    Ok((bytes, torrent))
}

/// Works with a progress bar.
fn with_bar<T>(work: impl FnOnce(&(dyn Fn(u64, u64) + Sync)) -> T) -> T {
    let (bar, began) = (Bar::new(), clock::now());
    work(&|done, total| {
        bar.show(done, total, || rate((done as f64 / began.elapsed().as_secs_f64().max(0.001)) as u64));
    })
}
