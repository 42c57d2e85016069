//! The desk on HTTP: `POST /enrol/v1` with a request, answered with an answer or with a refusal in
//! JSON. Plain HTTP is enough: every byte that matters is signed in both directions, and none is
//! secret (docs/decisions/0015).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::desk::{Desk, DeskError};
use crate::platform::telemetry::Chain;

/// The path of requests.
const PATH: &str = "/enrol/v1";

/// Largest request: a sealed statement.
const REQUEST_BYTES_MAX: usize = crate::record::SEALED_BYTES_MAX;

/// How often wishes to revoke are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// The desk could not take its address, or could not go on.
#[derive(Debug, thiserror::Error)]
#[error("could not take requests for enrolment at {address}")]
pub struct ServeError {
    /// Where.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub io: std::io::Error,
}

/// An address that is taken, not yet served.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// Where.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes the address.
    pub async fn bind(wanted: SocketAddr) -> Result<Self, ServeError> {
        let failed = |io| ServeError { address: wanted, io };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

/// Serves for ever where there is an address, and carries out what was wished.
pub async fn serve(desk: Arc<Desk>, listening: Option<Listening>) -> Result<(), ServeError> {
    let sweeping = async {
        let mut pace = tokio::time::interval(SWEEP);
        loop {
            pace.tick().await;
            let desk = Arc::clone(&desk);
            match spawn_blocking(move || desk.sweep().map(drop)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!("Could not revoke: {}.", Chain(&error)),
                // The program is about to end.
                Err(_) => std::future::pending().await,
            }
        }
    };
    let Some(Listening { listener, address }) = listening else { return sweeping.await };
    let router = Router::new()
        .route(PATH, post(answer))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(Arc::clone(&desk));
    tokio::select! {
        served = axum::serve(listener, router).into_future() => {
            served.map_err(|io| ServeError { address, io })
        }
        swept = sweeping => swept,
    }
}

async fn answer(State(desk): State<Arc<Desk>>, request: Bytes) -> Response {
    let answered = spawn_blocking(move || desk.answer(&request)).await;
    match answered {
        Ok(Ok(answer)) => ([(header::CONTENT_TYPE, "application/cbor")], answer).into_response(),
        Ok(Err(DeskError::Denied(denied))) => {
            tracing::info!(code = denied.code(), "A request for enrolment was not granted.");
            refused(StatusCode::FORBIDDEN, denied.code(), &denied.to_string(), denied.hint())
        }
        Ok(Err(error)) => {
            // What went wrong inside is told to the centre's own people.
            tracing::error!("Could not enrol: {}.", Chain(&error));
            internal()
        }
        Err(_) => internal(),
    }
}

fn internal() -> Response {
    let because = "something at the centre went wrong; its log says what";
    let hint = "try again later: the same request is answered as if it were the first";
    refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", because, hint)
}

fn refused(status: StatusCode, code: &str, because: &str, hint: &str) -> Response {
    let body = json!({ "code": code, "because": because, "hint": hint }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
