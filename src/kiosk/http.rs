//! The screen as a page on loopback, for a browser in kiosk mode.
//!
//! ```text
//! GET  /            the page             GET /events    scenes, as server-sent events
//! GET  /assets/…    its files            GET /picture   the live picture, JPEG after JPEG
//! GET  /people      names to choose from GET /slip.svg  the slip of the answer on the screen
//! POST /say         who somebody says to be
//! ```
//!
//! Other pages in the same browser must not use it: each request must name this machine as its
//! host (against DNS rebinding), and `POST` must come from this page.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};

use super::{Dialog, Message, Notice, Outline, Scene, Screen, Stage};
use crate::domain::Bilingual;
use crate::platform::qr;

const PAGE: &str = include_str!("assets/kiosk.html");
const FILES: [(&str, &str, &str); 3] = [
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ("kiosk.css", "text/css; charset=utf-8", include_str!("assets/kiosk.css")),
    ("kiosk.js", "text/javascript; charset=utf-8", include_str!("assets/kiosk.js")),
];

/// The page calls itself cut off after three beats without a word: a dead terminal must not go on
/// showing green.
const BEAT: Duration = Duration::from_secs(1);

/// Streams at once: one browser has two, and reloads before the old ones are gone.
const STREAMS_MAX: usize = 8;

/// Words that wait to be heard: more than one person says at once.
const SAID_MAX: usize = 4;

/// The longest body of a request, in bytes: a number.
const BODY_BYTES_MAX: usize = 256;

/// Between two pictures in one stream.
const BOUNDARY: &str = "rollcall-picture";

/// What somebody said at the screen.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// Her number, typed or read from a card.
    Number(String),
    /// Her place in the list ([`Listed::key`]).
    Listed(u32),
    /// The answer to a question of the terminal ([`super::Dialog::input`]).
    Typed(String),
    /// The choice of that key ([`super::Choice::key`]).
    Chose(u32),
    /// That the next number shall be taken with a PIN instead of a face.
    WithoutFace,
    /// That somebody of the staff wants to do something.
    Staff,
    /// That she does not want to say it after all.
    Nothing,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is typed may be a PIN.
        f.write_str(match self {
            Self::Number(_) => "Number(<hidden>)",
            Self::Listed(_) => "Listed",
            Self::Typed(_) => "Typed(<hidden>)",
            Self::Chose(_) => "Chose",
            Self::WithoutFace => "WithoutFace",
            Self::Staff => "Staff",
            Self::Nothing => "Nothing",
        })
    }
}

/// Somebody to choose from the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// To be said.
    pub key: u32,
    /// Her name, masked.
    pub name: String,
}

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("could not serve the screen at {address}")]
pub struct PageError {
    /// Where.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub io: io::Error,
}

impl PageError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        if self.io.kind() == io::ErrorKind::AddrInUse {
            "another program has that port, perhaps another terminal: change [kiosk] listen"
        } else {
            "change [kiosk] listen; an empty text serves no screen"
        }
    }
}

/// The screen, as those who show something see it. Clones show on the same screen.
#[derive(Clone)]
pub struct Page(Arc<Inner>);

struct Inner {
    stage: Mutex<Stage>,
    scene: watch::Sender<Scene>,
    picture: watch::Sender<Bytes>,
    people: Mutex<Vec<Listed>>,
    said: mpsc::Sender<Said>,
    streams: Arc<Semaphore>,
}

impl Page {
    /// A screen that nobody sees yet, and the ear for what is said at it.
    pub fn new() -> (Self, mpsc::Receiver<Said>) {
        let stage = Stage::new();
        let (scene, _) = watch::channel(stage.scene().clone());
        let (picture, _) = watch::channel(Bytes::new());
        let (said, ear) = mpsc::channel(SAID_MAX);
        let page = Self(Arc::new(Inner {
            stage: Mutex::new(stage),
            scene,
            picture,
            people: Mutex::default(),
            said,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        }));
        (page, ear)
    }

    /// What is true of the terminal now, the lesson, and the time on its clock.
    pub fn surroundings(&self, notices: Vec<Notice>, lesson: Option<Bilingual>, time: String) {
        self.change(|stage| stage.surroundings(notices, lesson, time));
    }

    /// Which question lies over the screen now.
    pub fn dialog(&self, dialog: Option<Dialog>) {
        self.change(|stage| stage.dialog(dialog));
    }

    /// Whom one can choose from the list now.
    pub fn people(&self, people: Vec<Listed>) {
        *lock(&self.0.people) = people;
    }

    fn change(&self, change: impl FnOnce(&mut Stage)) {
        let mut stage = lock(&self.0.stage);
        change(&mut stage);
        self.0.scene.send_if_modified(|shown| {
            let modified = shown != stage.scene();
            if modified {
                *shown = stage.scene().clone();
            }
            modified
        });
    }
}

impl Screen for Page {
    fn show(&mut self, message: &Message, at_ms: u64) {
        self.change(|stage| stage.show(message, at_ms));
    }

    fn outline(&mut self, outline: Option<Outline>) {
        self.change(|stage| stage.outline(outline));
    }

    fn wants_picture(&self) -> bool {
        self.0.picture.receiver_count() > 0
    }

    fn picture(&mut self, jpeg: Vec<u8>) {
        self.0.picture.send_replace(jpeg.into());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A taken address, not yet served.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// Where the page will be.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes the address ([`super::Section::address`] has seen that it is loopback).
    pub async fn bind(address: SocketAddr) -> Result<Self, PageError> {
        let failed = |io| PageError { address, io };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Serves until the future is dropped.
    pub async fn serve(self, page: Page) -> Result<(), PageError> {
        let address = self.address;
        let served = axum::serve(self.listener, router(page, address)).await;
        served.map_err(|io| PageError { address, io })
    }
}

fn router(page: Page, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(|| async { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE) }))
        .route("/assets/{name}", get(file))
        .route("/events", get(events))
        .route("/picture", get(picture))
        .route("/slip.svg", get(slip))
        .route("/people", get(people))
        .route("/say", post(say))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(page)
        .layer(middleware::from_fn(move |request, next| guarded(address, request, next)))
}

/// Answers this machine's own page only, and tells the browser to do nothing but what we mean.
async fn guarded(address: SocketAddr, request: Request, next: Next) -> Response {
    let mut response = match refused(address, request.method().as_str(), request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
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
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in GUARDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered, if it is not.
fn refused(address: SocketAddr, method: &str, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let port = address.port();
    let own = [address.to_string(), format!("localhost:{port}")];
    let is_own = |host: &str| own.iter().any(|own| own == host);
    if !text(header::HOST).is_some_and(is_own) {
        return Some("this screen is for the browser of this machine alone");
    }
    let from = text(header::ORIGIN).map(|origin| origin.strip_prefix("http://").unwrap_or("?"));
    let from_here = from.is_some_and(is_own);
    (method == "POST" && !from_here).then_some("only the screen's own page may say something")
}

async fn file(Path(name): Path<String>) -> Response {
    let known = FILES.iter().find(|(known, _, _)| *known == name);
    match known {
        Some((_, media, text)) => ([(header::CONTENT_TYPE, *media)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn events(State(page): State<Page>) -> Response {
    let Ok(permit) = Arc::clone(&page.0.streams).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let scenes = WatchStream::new(page.0.scene.subscribe()).map(move |scene| {
        // The place among the streams is held as long as this one lives.
        let _held = &permit;
        sse::Event::default().event("scene").json_data(scene)
    });
    let beat =
        KeepAlive::new().interval(BEAT).event(sse::Event::default().event("beat").data("{}"));
    Sse::new(scenes).keep_alive(beat).into_response()
}

async fn picture(State(page): State<Page>) -> Response {
    let Ok(permit) = Arc::clone(&page.0.streams).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let pictures = parts(WatchStream::new(page.0.picture.subscribe())).map(move |part| {
        let _held = &permit;
        part
    });
    let media = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    ([(header::CONTENT_TYPE, media)], Body::from_stream(pictures)).into_response()
}

/// Each picture as a part. A browser shows a part when it sees the boundary behind it, so that
/// boundary comes at once and not before the next picture.
fn parts(
    pictures: impl Stream<Item = Bytes> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static {
    let first = tokio_stream::once(Ok(Bytes::from(format!("--{BOUNDARY}\r\n"))));
    first.chain(pictures.filter(|jpeg| !jpeg.is_empty()).map(|jpeg| {
        let length = jpeg.len();
        let mut part =
            format!("Content-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        part.extend_from_slice(&jpeg);
        part.extend_from_slice(format!("\r\n--{BOUNDARY}\r\n").as_bytes());
        Ok(part.into())
    }))
}

async fn slip(State(page): State<Page>) -> Response {
    let slip = lock(&page.0.stage).scene().message.slip.clone();
    match slip.as_deref().and_then(qr::as_svg) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn people(State(page): State<Page>) -> Json<Vec<Listed>> {
    Json(lock(&page.0.people).clone())
}

async fn say(State(page): State<Page>, Json(said): Json<Said>) -> StatusCode {
    match page.0.said.try_send(said) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
