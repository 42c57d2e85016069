//! Serves `POST /add-checkpoint`. One request after the other: judging and remembering are one step.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use super::{CosignError, Home, REQUEST_BYTES_MAX, Refusal, Request};
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;

/// Serving ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("could not go on serving add-checkpoint")]
pub struct ServeError(#[source] std::io::Error);

#[derive(Clone)]
struct Shared {
    home: Arc<Mutex<Home>>,
    clock: Arc<dyn Clock>,
}

/// Answers until `end` is ready.
pub async fn serve(
    listener: TcpListener,
    home: Home,
    clock: Arc<dyn Clock>,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let shared = Shared { home: Arc::new(Mutex::new(home)), clock };
    let router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(shared);
    axum::serve(listener, router).with_graceful_shutdown(end).await.map_err(ServeError)
}

async fn add_checkpoint(State(shared): State<Shared>, body: Bytes) -> Response {
    // It waits for the disk: on a thread that may.
    let worked = tokio::task::spawn_blocking(move || {
        let request = Request::parse(&body)?;
        // A panic elsewhere has changed nothing: what is remembered is inserted after it is stored.
        let mut home = shared.home.lock().unwrap_or_else(PoisonError::into_inner);
        home.cosign(&request, shared.clock.now())
    });
    match worked.await {
        Ok(Ok(line)) => (StatusCode::OK, line.to_string()).into_response(),
        Ok(Err(CosignError::Refused(refusal))) => refused(&refusal),
        Ok(Err(error @ CosignError::Remember(_))) => {
            tracing::error!("A checkpoint was not cosigned: {}.", Chain(&error));
            (StatusCode::INTERNAL_SERVER_ERROR, "it could not be remembered\n").into_response()
        }
        Err(panicked) => {
            tracing::error!("A checkpoint was not cosigned: {panicked}.");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    tracing::warn!("A checkpoint was refused: {refusal}.");
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    match refusal {
        Refusal::OtherSize { known } => {
            (status, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{known}\n"))
                .into_response()
        }
        Refusal::Malformed(_)
        | Refusal::UnknownLog { .. }
        | Refusal::Unsigned { .. }
        | Refusal::Backwards { .. }
        | Refusal::OtherRoot
        | Refusal::Inconsistent => (status, format!("{refusal}\n")).into_response(),
    }
}
