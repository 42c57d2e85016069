//! The page's files, built into the program: nothing to install, nothing fetched from elsewhere.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Error;

/// The live page.
const PAGE: &str = include_str!("assets/page.html");
/// The page of cases.
const CASES: &str = include_str!("assets/cases.html");

/// Name, media type and content of what the page needs.
const FILES: [(&str, &str, &str); 8] = [
    ("page.css", "text/css; charset=utf-8", include_str!("assets/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
    ("cases.css", "text/css; charset=utf-8", include_str!("assets/cases.css")),
    ("cases.js", "text/javascript; charset=utf-8", include_str!("assets/cases.js")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("assets/live.js")),
    ("draw.js", "text/javascript; charset=utf-8", include_str!("assets/draw.js")),
    ("words.js", "text/javascript; charset=utf-8", include_str!("assets/words.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

pub(super) async fn page() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
}

pub(super) async fn cases() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], CASES).into_response()
}

pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Error> {
    FILES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, media_type, text)| ([(header::CONTENT_TYPE, *media_type)], *text).into_response())
        .ok_or_else(|| Error::not_found("没有这个文件。", "there is no such file"))
}
