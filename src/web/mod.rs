//! The regulator's live page and its API (docs/spec/feed-v1.md).
//!
//! Promise: nothing is shown that was not announced by the feed or read from the ledger, nothing
//! can be changed from here, and nothing is fetched from any other place. It relies on the roots
//! for access control: by itself it listens on loopback only.
//!
//! - [`router`]: the routes over a [`Site`] (what the server knows).
//! - [`Listening`] (`tcp.rs`): takes an address, another one when that is taken, and serves.
//! - [`Entries`] and [`Cases`]: the little that the pages read from the ledger, and of the cases.

mod api;
mod assets;
mod cases;
mod error;
mod events;
mod evidence;
mod log;
mod stated;
mod tcp;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::feed::Feed;
use crate::ledger::Entry;
use crate::platform::clock::Clock;

pub use cases::{
    CaseLine, CaseView, Cases, FoundView, LivedView, PartView, RiskView, STATES, StepView,
    SubjectView, VerdictView, WordView, by_urgency, is_wanted,
};
pub use error::{Error, Public};
pub use evidence::{EntryView, FactView};
pub use tcp::{BindError, DEFAULT_ADDRESS, Listening, ServeError, WhenTaken};

/// Readers of the stream at once. Each holds a socket and a task; a supervision office has tens.
pub const READERS_MAX: usize = 200;

/// What reading the ledger may fail with; told to the log, never to the reader.
pub type EntriesError = Box<dyn std::error::Error + Send + Sync>;

/// What the page reads from the ledger. Calls may block for a short read.
pub trait Entries: Send + Sync {
    /// The entry at `index`; `None` when there is none.
    fn entry(&self, index: u64) -> Result<Option<Entry>, EntriesError>;
    /// How many entries there are.
    fn count(&self) -> Result<u64, EntriesError>;
}

/// What the page says about the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// Whether the people are invented: the page says so in a banner.
    pub demo: bool,
    /// Name of the ledger, as its checkpoints carry it.
    pub origin: String,
    /// Policy profile in force.
    pub policy: String,
    /// The command that checks an exported bundle, ready to be copied; `None` shows the pattern.
    pub verify: Option<String>,
}

/// What the server knows.
#[derive(Clone)]
pub struct Site {
    /// What the page says about it.
    pub about: Arc<About>,
    /// The events.
    pub feed: Arc<Feed>,
    /// The ledger.
    pub entries: Arc<dyn Entries>,
    /// The cases.
    pub cases: Arc<dyn Cases>,
    /// Folder of the public log, where one is published.
    pub log: Option<PathBuf>,
    /// Says which day is today.
    pub clock: Arc<dyn Clock>,
}

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    site: Site,
    readers: Arc<Semaphore>,
}

/// The page and its API.
pub fn router(site: Site) -> Router {
    let readers = Arc::new(Semaphore::new(READERS_MAX));
    Router::new()
        .route("/", get(assets::page))
        .route("/cases", get(assets::cases))
        .route("/assets/{name}", get(assets::file))
        .route("/api/v1/about", get(api::about))
        .route("/api/v1/figures", get(api::figures))
        .route("/api/v1/anomalies", get(api::anomalies))
        .route("/api/v1/entries/{index}", get(api::entry))
        .route("/api/v1/cases", get(cases::list))
        .route("/api/v1/cases/{id}", get(cases::one))
        .route("/api/v1/precision", get(cases::precision))
        .route("/api/v1/events", get(events::stream))
        .route("/checkpoint", get(log::checkpoint))
        .route("/tile/{*rest}", get(log::tile))
        .route("/healthz", get(api::healthz))
        .fallback(|| async {
            Error::not_found("没有这个地址。", "there is nothing at this address")
        })
        .method_not_allowed_fallback(|| async { Error::method_not_allowed() })
        .with_state(Shared { site, readers })
        .layer(middleware::map_response(guarded))
}

/// Puts the headers on every answer that keep a browser from doing anything but what we mean.
async fn guarded(mut response: Response) -> Response {
    const GUARDS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in GUARDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Names of people: never in a cache, be it the browser's or a proxy's. The log has none, and says
    // for itself how long it may be kept.
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response
}
