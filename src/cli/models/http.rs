//! Asks a web server for a file, or for the rest of it, with ureq (docs/decisions/0011). What comes is
//! not believed here; whoever asked compares its hash.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{StatusCode, header};

use crate::platform::https;

/// Reaching the server, and its first line.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A line that is silent for so long is dead; the next attempt goes on where this one stopped.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// A file was not to be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// No answer.
    #[error("could not reach {url}")]
    Reach {
        url: String,
        #[source]
        why: Box<ureq::Error>,
    },
    /// An answer without the file.
    #[error("{url} answered {status}")]
    Answer { url: String, status: StatusCode },
    /// An answer to another question.
    #[error("{url} sent another part of the file than was asked for")]
    Part { url: String },
}

impl AskError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Reach { .. } => {
                "try again when this machine is online, or get the file on another one and name it \
                 with --from FILE"
            }
            Self::Answer { .. } | Self::Part { .. } => {
                "try again later; if it stays so, get the file from elsewhere and name it with \
                 --from FILE: its hash tells whether it is the right one"
            }
        }
    }
}

/// Bytes on their way.
pub(super) struct Answer {
    /// Where in the file they begin: a server may not be able to send a part.
    pub(super) starts_at: u64,
    pub(super) body: Box<dyn Read>,
}

/// Asks for the file at `url` from byte `from` on. The body ends with an error after more than
/// `size_bytes_max`.
pub(super) fn ask(url: &str, from: u64, size_bytes_max: u64) -> Result<Answer, AskError> {
    let agent: Agent = Agent::config_builder()
        .tls_config(https::tls())
        // What began with https does not go on without.
        .https_only(url.starts_with("https://"))
        .http_status_as_error(false)
        .accept_encoding("identity")
        .timeout_connect(Some(ANSWER_TIMEOUT))
        .timeout_recv_response(Some(ANSWER_TIMEOUT))
        .timeout_per_read(Some(SILENCE_TIMEOUT))
        .build()
        .into();
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let answered = request.call();
    let answer =
        answered.map_err(|why| AskError::Reach { url: url.to_owned(), why: why.into() })?;
    let part = || AskError::Part { url: url.to_owned() };
    let starts_at = match answer.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT => {
            let range = answer.headers().get(header::CONTENT_RANGE);
            let range = range.and_then(|range| range.to_str().ok()).ok_or_else(part)?;
            match first_byte(range) {
                Some(first) if first == from => first,
                Some(_) | None => return Err(part()),
            }
        }
        // What is here already is longer than the file there: begin anew.
        StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return ask(url, 0, size_bytes_max),
        status => return Err(AskError::Answer { url: url.to_owned(), status }),
    };
    let body = answer.into_body().into_with_config().limit(size_bytes_max).reader();
    Ok(Answer { starts_at, body: Box::new(body) })
}

/// `bytes 100-199/200` begins at 100 (RFC 9110, section 14.4).
fn first_byte(content_range: &str) -> Option<u64> {
    content_range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::first_byte;

    #[test]
    fn content_range_says_where_a_part_begins() {
        assert_eq!(first_byte("bytes 100-199/200"), Some(100));
        for other in ["", "bytes", "bytes */200", "items 1-2/3", "bytes -1-2/3"] {
            assert_eq!(first_byte(other), None, "{other}");
        }
    }
}
