//! The public log (docs/spec/log-v1.md): the checkpoint and the tiles, as they lie in their folder.
//! Only names of tiles lead to files, each in one way of writing, so no other file can be asked for.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::api::blocking;
use super::{Error, Shared};
use crate::ledger::tiles::{TILE_BYTES_MAX, Tile};
use crate::record::note::NOTE_BYTES_MAX;

pub(super) async fn checkpoint(State(shared): State<Shared>) -> Result<Response, Error> {
    let bytes = file(&shared, "checkpoint", NOTE_BYTES_MAX).await?;
    // It changes: no cache keeps it longer than a few seconds.
    Ok(answer(bytes, "text/plain; charset=utf-8", "max-age=2"))
}

pub(super) async fn tile(
    State(shared): State<Shared>,
    Path(rest): Path<String>,
) -> Result<Response, Error> {
    let tile: Tile = format!("tile/{rest}").parse().map_err(|_| none())?;
    let bytes = file(&shared, &tile.to_string(), TILE_BYTES_MAX).await?;
    Ok(answer(bytes, "application/octet-stream", "max-age=31536000, immutable"))
}

fn none() -> Error {
    Error::not_found("日志中没有这个文件。", "the log has no such file")
}

fn answer(bytes: Vec<u8>, media: &'static str, cache: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, cache)];
    let mut response = (headers, bytes).into_response();
    // The log is for everybody, a page of another origin included.
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

async fn file(shared: &Shared, name: &str, bytes_max: usize) -> Result<Vec<u8>, Error> {
    let path: PathBuf = shared.site.log.as_ref().ok_or_else(none)?.join(name);
    blocking(move || {
        let read = || {
            let mut bytes = Vec::new();
            File::open(&path)?.take(bytes_max as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: std::io::Error| {
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
                none()
            } else {
                Error::internal(error)
            }
        })
    })
    .await
}
