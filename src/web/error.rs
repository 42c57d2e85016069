//! What a request is answered when it fails: one half for the public, one for the log. There is
//! deliberately no `Display`, so that the second half cannot be shown by accident.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::domain::Bilingual;
use crate::platform::telemetry::Chain;

/// A failed request.
#[derive(Debug)]
pub struct Error {
    /// What the reader may know.
    pub public: Public,
    /// What only the operator may know; logged once, when the answer is made.
    pub internal: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the reader may know of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The status line.
    pub status: StatusCode,
    /// A stable word.
    pub code: &'static str,
    /// A sentence: what was wrong and what to do.
    pub says: Bilingual,
}

impl Error {
    /// The request cannot be understood.
    pub fn bad_request(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::told(StatusCode::BAD_REQUEST, "bad_request", Bilingual::new(zh, en))
    }

    /// There is no such thing.
    pub fn not_found(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::told(StatusCode::NOT_FOUND, "not_found", Bilingual::new(zh, en))
    }

    /// The path takes another method.
    pub fn method_not_allowed() -> Self {
        let says = Bilingual::new("此地址只能读取（GET）。", "this address can only be read (GET)");
        Self::told(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", says)
    }

    /// Too many readers at once.
    pub fn busy() -> Self {
        let says = Bilingual::new(
            "实时连接数已满，请稍后重试。",
            "as many readers as this server takes are connected: try again later",
        );
        Self::told(StatusCode::SERVICE_UNAVAILABLE, "busy", says)
    }

    /// Something of ours failed; the reader learns no more than that.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let says = Bilingual::new(
            "服务器暂时无法回答，原因已记入日志。",
            "the server cannot answer now; its log says why",
        );
        let public = Public { status: StatusCode::INTERNAL_SERVER_ERROR, code: "internal", says };
        Self { public, internal: Some(cause.into()) }
    }

    fn told(status: StatusCode, code: &'static str, says: Bilingual) -> Self {
        Self { public: Public { status, code, says }, internal: None }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Public { status, code, says } = self.public;
        if let Some(internal) = self.internal {
            tracing::error!(http.status = status.as_u16(), error = %Chain(&*internal), "A request could not be answered.");
        }
        (status, Json(json!({ "error": { "code": code, "zh": says.zh, "en": says.en } })))
            .into_response()
    }
}
