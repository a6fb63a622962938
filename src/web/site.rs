//! What all requests of a page share, and the way of each from the door to its answer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::api::Handle;
use crate::network::Secret;
use crate::web::changes::Changes;
use crate::web::door::Door;
use crate::web::fault::Fault;
use crate::web::{commands, list, page};

/// Sent with every answer: nothing is run, loaded or framed but the page's own files, and nothing stays in a cache.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What all requests share.
pub(super) struct Site {
    pub(super) handle: Handle,
    pub(super) changes: Mutex<Changes>,
    door: Door,
}

/// The page of a session and the API behind it. `token` lets in, and `names` are those of this computer by which browsers
/// may ask, besides `localhost` and addresses.
pub fn router(handle: Handle, token: Secret, names: &[String]) -> Router {
    let view = handle.view();
    let began = view.unix_millis;
    let changes = Mutex::new(Changes::new(view, began));
    let site = Arc::new(Site { handle, changes, door: Door::new(token, names) });
    let mut router = Router::new()
        .route("/api/torrents", get(list::all))
        .route("/api/torrents/{torrent}", get(list::one))
        .route("/api/torrents/{torrent}/detail", get(list::detail))
        .route("/api/settings", get(list::settings))
        .route("/api/commands", post(commands::run).layer(DefaultBodyLimit::max(commands::MOST_BYTES)));
    for file in page::FILES {
        router = router.route(file.path, get(|| async { page::answer(file) }));
    }
    router
        .fallback(|| async { Fault::absent("there is nothing of that name here") })
        .method_not_allowed_fallback(|| async {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "that is asked for in another way; see docs/web.md")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

/// Lets a request through the door, and sends its answer with what keeps browsers from doing more with it.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    // The page's own files tell nothing; it asks for the rest with the token.
    let is_open = page::FILES.iter().any(|file| file.path == request.uri().path());
    let door = &site.door;
    let passed = door.is_for_us(request.headers()).and_then(|()| match is_open {
        true => Ok(()),
        false => door.lets_in(request.method(), request.headers()),
    });
    let mut answer = match passed {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
