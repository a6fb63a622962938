//! The files of the page, which are part of the program: no path leads to a file of the disk.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// One of them.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: &'static str,
    kind: &'static str,
    pub(super) content: &'static [u8],
}

/// All of them.
pub(super) static FILES: &[File] = &[
    File { path: "/", kind: "text/html; charset=utf-8", content: include_bytes!("page/index.html") },
    File { path: "/page.css", kind: "text/css; charset=utf-8", content: include_bytes!("page/page.css") },
    File {
        path: "/page.js",
        kind: "text/javascript; charset=utf-8",
        content: include_bytes!("page/page.js"),
    },
    File { path: "/add.js", kind: "text/javascript; charset=utf-8", content: include_bytes!("page/add.js") },
    File {
        path: "/detail.js",
        kind: "text/javascript; charset=utf-8",
        content: include_bytes!("page/detail.js"),
    },
    File {
        path: "/table.js",
        kind: "text/javascript; charset=utf-8",
        content: include_bytes!("page/table.js"),
    },
    File {
        path: "/session.js",
        kind: "text/javascript; charset=utf-8",
        content: include_bytes!("page/session.js"),
    },
    File { path: "/icon.svg", kind: "image/svg+xml", content: include_bytes!("../../assets/icon.svg") },
];

/// The answer with one of them.
pub(super) fn answer(file: &File) -> Response {
    ([(header::CONTENT_TYPE, file.kind)], file.content).into_response()
}
