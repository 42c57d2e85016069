//! Reports over HTTP: `POST /platform/v1/<id>/reports` with a sealed report, answered with a sealed answer once it is
//! committed, or with a problem in JSON (RFC 9457). It translates: what is taken the core decides, what is said stands
//! in `words.rs`.
//!
//! - A body is read to its end before anything is answered: an answer that overtakes what is still under way is lost
//!   with the connection. Of one that is too long nothing is kept.
//! - Reports go to the core one after the other, by a thread that may wait for it: neither the core nor the requests
//!   of others ever do.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::judge::{Heard, Reason};
use super::tcp::{Bounds, Gate, Listening};
use super::words::{Problem, Refusal};
use crate::collector::Postbox;
use crate::domain::PlatformId;
use crate::platform::clock::Clock;
use crate::record::report::REPORT_BYTES_MAX;

/// The path of reports.
const PATH: &str = "/platform/v1/{id}/reports";

/// What reports and answers are (RFC 9052, section 2): the parameter may be left out where the bytes carry their tag.
const COSE: &str = "application/cose";

/// Most of a body that is read, to tell whoever sends too much so. Who goes on after that is hung up on.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// How long open answers may take to end once the collector has.
const FAREWELL: Duration = Duration::from_secs(3);

/// A report on its way to the core.
struct Letter {
    platform: PlatformId,
    sealed: Vec<u8>,
    reply: oneshot::Sender<Heard>,
}

/// What the handlers share.
#[derive(Clone)]
struct Desk {
    letters: mpsc::Sender<Letter>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
}

/// Serves until it is stopped.
#[derive(Debug)]
pub struct Serving {
    end: oneshot::Sender<()>,
    threads: [JoinHandle<()>; 2],
}

impl Serving {
    /// Lets open answers finish for a moment, and ends. After the collector: until then its answers have their way.
    pub fn stop(self) {
        // Fails only when serving has ended.
        self.end.send(()).ok();
        for thread in self.threads {
            // It has nothing to tell.
            drop(thread.join());
        }
    }
}

impl Listening {
    /// Serves, on threads of its own.
    pub fn serve(
        self,
        postbox: Postbox,
        clock: Arc<dyn Clock>,
        bounds: Bounds,
    ) -> io::Result<Serving> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let gate = {
            let _inside = runtime.enter();
            self.open(bounds)?
        };
        // No more than there are connections, and those whose senders have given up.
        let (letters, mut waiting) = mpsc::channel::<Letter>(bounds.connections);
        let porter = move || {
            while let Some(Letter { platform, sealed, reply }) = waiting.blocking_recv() {
                if postbox.post(platform, sealed, reply).is_err() {
                    break;
                }
            }
        };
        let porter = thread::Builder::new().name("platforms-post".into()).spawn(porter)?;
        let (end, ended) = oneshot::channel();
        let desk = Desk { letters, clock, bounds };
        let server = move || runtime.block_on(serve(gate, desk, ended));
        let server = thread::Builder::new().name("platforms-http".into()).spawn(server)?;
        Ok(Serving { end, threads: [server, porter] })
    }
}

async fn serve(gate: Gate, desk: Desk, ended: oneshot::Receiver<()>) {
    let router = Router::new()
        .route(PATH, post(take))
        .fallback(|State(desk): State<Desk>| async move { desk.refuse(Refusal::NoSuchPath) })
        .method_not_allowed_fallback(|State(desk): State<Desk>| async move {
            ([(header::ALLOW, "POST")], desk.refuse(Refusal::Method))
        })
        // `whole` has its own.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(desk.clone(), whole))
        .layer(middleware::map_response(once))
        .with_state(desk);
    let (ending, farewell) = oneshot::channel::<()>();
    let serving = axum::serve(gate, router).with_graceful_shutdown(async move {
        // An error means that nobody can end it any more.
        drop(ended.await);
        ending.send(()).ok();
    });
    let farewell = async {
        drop(farewell.await);
        sleep(FAREWELL).await;
    };
    tokio::select! {
        // It has no way to fail.
        served = serving.into_future() => drop(served),
        () = farewell => {}
    }
}

/// Reads the body to its end, within its bounds.
async fn whole(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match timeout(desk.bounds.body, read(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(refusal)) => desk.refuse(refusal),
        Err(_) => desk.refuse(Refusal::TooSlow),
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::CutOff)?;
        length += chunk.len();
        if length <= REPORT_BYTES_MAX {
            kept.extend_from_slice(&chunk);
        } else if length > READ_BYTES_MAX {
            break;
        }
    }
    if length <= REPORT_BYTES_MAX { Ok(kept) } else { Err(Refusal::TooLong) }
}

/// One request for each connection, so that its time is the request's; and nothing is kept on the way.
async fn once(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (header::CONNECTION, "close"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn take(
    State(desk): State<Desk>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    sealed: Bytes,
) -> Response {
    if !is_cose(&headers) {
        return desk.refuse(Refusal::MediaType);
    }
    let platform = id.ok().and_then(|Path(id)| id.parse().ok());
    let Some(platform) = platform else {
        return desk.refuse(Refusal::Report(Reason::Unknown));
    };
    match desk.post(platform, sealed.into()).await {
        Ok(Heard::Taken(sealed)) => answer(StatusCode::OK, sealed),
        Ok(Heard::Missing(sealed)) => answer(StatusCode::CONFLICT, sealed),
        Ok(Heard::Refused(reason)) => desk.refuse(Refusal::Report(reason)),
        Err(refusal) => desk.refuse(refusal),
    }
}

fn is_cose(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next());
    named.is_some_and(|value| value.trim().eq_ignore_ascii_case(COSE))
}

fn answer(status: StatusCode, sealed: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, COSE)], sealed).into_response()
}

impl Desk {
    /// Hands a report over and waits for what becomes of it.
    async fn post(&self, platform: PlatformId, sealed: Vec<u8>) -> Result<Heard, Refusal> {
        let told = async {
            let (reply, heard) = oneshot::channel();
            let letter = Letter { platform, sealed, reply };
            self.letters.send(letter).await.map_err(|_| Refusal::Ending)?;
            heard.await.map_err(|_| Refusal::Ending)
        };
        timeout(self.bounds.answer, told).await.unwrap_or(Err(Refusal::Busy))
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let Problem { status, code, zh, en, retry_after_s } =
            Problem::of(refusal, self.clock.now());
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": code,
            "detail": format!("{zh} {en}"),
        });
        let media = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, media, body.to_string()).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
