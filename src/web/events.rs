//! The stream of server-sent events (docs/spec/feed-v1.md, "Stream").

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{self, KeepAlive, Sse};
use serde_json::json;
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio_stream::{Stream, StreamExt};

use super::api::{Query, number};
use super::{Error, Shared};
use crate::feed::{ReadError, Start, Subscription};
use crate::platform::telemetry::Chain;

/// After this silence a beat is sent, so that both sides notice a dead line. Proxies commonly
/// give up after 60 seconds.
const BEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects anew.
const RETRY: Duration = Duration::from_secs(2);

pub(super) async fn stream(
    State(shared): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Error> {
    let after = seen(&headers, query.as_deref())?;
    let permit = Arc::clone(&shared.readers).try_acquire_owned().map_err(|_| Error::busy())?;
    let (start, subscription) = shared.site.feed.subscribe(after).await.map_err(Error::internal)?;
    let first = opening(&start).map_err(Error::internal)?;
    let beat = sse::Event::default().event("beat").data("{}");
    let events = events(Reader { first: VecDeque::from([first]), subscription, _permit: permit });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT).event(beat));
    // nginx holds a stream back until its buffer is full unless it is told not to.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], sse))
}

/// The last number that the reader saw. The header wins: a browser that connects anew repeats the
/// address of its first connection, and with it an older number.
fn seen(headers: &HeaderMap, query: Option<&str>) -> Result<Option<u64>, Error> {
    match headers.get("last-event-id") {
        Some(value) => {
            // Bytes outside ASCII are no number either.
            number("Last-Event-ID", value.to_str().unwrap_or("?")).map(Some)
        }
        None => Query::of(query).number("after"),
    }
}

fn opening(start: &Start) -> Result<sse::Event, axum::Error> {
    let event = sse::Event::default().retry(RETRY);
    match start {
        Start::Resumed(log) => event.event("resume").json_data(json!({ "log": log })),
        Start::Fresh(snapshot) => {
            event.id(snapshot.cursor.to_string()).event("snapshot").json_data(snapshot)
        }
    }
}

/// One connection.
struct Reader {
    first: VecDeque<sse::Event>,
    subscription: Subscription,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<sse::Event, axum::Error>> {
        if let Some(first) = self.first.pop_front() {
            return Some(Ok(first));
        }
        let event = match self.subscription.next().await {
            Ok(event) => event?,
            Err(ReadError::Ending) => return None,
            Err(error) => {
                // The browser comes back and resumes; meanwhile its page says that it waits.
                tracing::error!(error = %Chain(&error), "A reader of the live feed was cut off.");
                return None;
            }
        };
        let frame = sse::Event::default().id(event.id.to_string()).event(event.body.kind());
        Some(frame.json_data(&event))
    }
}

/// The reader as a stream. The lock is never waited for: one stream, one poll at a time.
fn events(reader: Reader) -> impl Stream<Item = Result<sse::Event, axum::Error>> {
    let reader = Arc::new(Mutex::new(reader));
    tokio_stream::iter(iter::repeat(reader))
        .then(|reader| async move { reader.lock().await.next().await })
        .map_while(|next| next)
}
