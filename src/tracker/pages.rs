//! The statistics as JSON and HTML, by etracker's names.

use std::io::Write as _;

use crate::tracker::history::{History, SERIES};
use crate::wire::tracker_http::{Parameters, decode_component};

/// Figures by their names.
pub(crate) type Figures = Vec<(&'static str, u64)>;

/// The figures whose names stand as `id` in the query, all where there is none.
///
/// # Errors
/// The first name that there is none of.
pub(crate) fn choose(figures: &Figures, query: &[u8]) -> Result<Figures, String> {
    let mut chosen = Vec::new();
    for (_, value) in Parameters::new(query).filter(|(name, _)| *name == b"id").take(64) {
        let name = decode_component(value);
        match figures.iter().find(|(known, _)| known.as_bytes() == &*name) {
            Some(figure) if !chosen.contains(figure) => chosen.push(*figure),
            Some(_) => {}
            None => return Err(String::from_utf8_lossy(&name).chars().take(64).collect()),
        }
    }
    Ok(if chosen.is_empty() { figures.clone() } else { chosen })
}

/// `{"value": {name: value, …}}`, or `{"error": …}`.
pub(crate) fn json(chosen: &Result<Figures, String>, out: &mut Vec<u8>) {
    match chosen {
        Ok(figures) => {
            out.extend_from_slice(b"{\"value\":{");
            for (at, (name, value)) in figures.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                _ = write!(out, "{comma}\"{name}\":{value}");
            }
            out.extend_from_slice(b"}}\n");
        }
        Err(name) => {
            _ = writeln!(out, "{}", serde_json::json!({ "error": { "invalid_key": name } }));
        }
    }
}

/// A list for people.
pub(crate) fn html(chosen: &Result<Figures, String>, out: &mut Vec<u8>) {
    page("Statistics", out, |out| match chosen {
        Ok(figures) => {
            _ = write!(out, "<h1>Statistics</h1>\n<table>\n");
            for (name, value) in figures {
                _ = writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
            }
            _ = writeln!(out, "</table>");
        }
        Err(name) => {
            _ = writeln!(out, "<h1>Error - there is no figure named {}</h1>", escape(name));
        }
    });
}

/// The front page: what is there, and the last hour plotted. It renews itself.
pub(crate) fn front(figures: &Figures, history: &History, out: &mut Vec<u8>) {
    page("Tracker", out, |out| {
        _ = write!(
            out,
            "<h1>BitTorrent tracker</h1>\n<p>Torrents announce to <code>/announce</code>. \
             <a href=\"/stats\">All statistics</a></p>\n<table>\n"
        );
        for (name, value) in figures.iter().take(4) {
            _ = writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
        }
        _ = writeln!(out, "</table>");
        for (which, name) in SERIES.iter().enumerate() {
            let title =
                if which < 2 { format!("{name}, last hour") } else { format!("{name} a second, last hour") };
            plot(&title, &history.series(which), out);
        }
    });
}

/// A line over the hour; its height is that of the largest value.
fn plot(title: &str, values: &[u32], out: &mut Vec<u8>) {
    const WIDE: usize = 720;
    const HIGH: u64 = 100;
    let most = values.iter().copied().max().unwrap_or(0);
    let now = values.last().copied().unwrap_or(0);
    _ = write!(
        out,
        "<figure><figcaption>{title}: {now}, at most {most}</figcaption>\n\
         <svg viewBox=\"0 -2 {WIDE} {}\" role=\"img\" aria-label=\"{title}: {now}, at most {most}\"><polyline points=\"",
        HIGH + 4
    );
    // Two units a point, the newest at the right edge.
    let left = WIDE.saturating_sub(values.len() * 2);
    for (at, value) in values.iter().enumerate() {
        let y = HIGH - u64::from(*value) * HIGH / u64::from(most.max(1));
        _ = write!(out, "{},{y} ", left + at * 2);
    }
    _ = writeln!(out, "\"/></svg></figure>");
}

/// The figures in the text form of Prometheus.
pub(crate) fn metrics(figures: &Figures, out: &mut Vec<u8>) {
    for (at, (name, value)) in figures.iter().enumerate() {
        let (kind, end) = if at < 4 { ("gauge", "") } else { ("counter", "_total") };
        _ = writeln!(out, "# TYPE fyris_tracker_{name}{end} {kind}\nfyris_tracker_{name}{end} {value}");
    }
}

/// The page where there is none.
pub(crate) fn not_found(out: &mut Vec<u8>) {
    page("404", out, |out| _ = writeln!(out, "<h1>404</h1>\n<p>There is no such page here.</p>"));
}

fn page(title: &str, out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"10\"><title>{title}</title>\n<style>{STYLE}</style></head>\n<body>\n"
    );
    content(out);
    out.extend_from_slice(b"</body>\n</html>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "body{font:16px system-ui,sans-serif;margin:2em auto;max-width:46em;padding:0 1em;color-scheme:light dark}\
svg{width:100%;border:1px solid #8888}polyline{fill:none;stroke:#38c;stroke-width:2}figure{margin:1em 0}\
th{text-align:left;font-weight:normal;padding-right:2em}td{text-align:right;font-variant-numeric:tabular-nums}";
