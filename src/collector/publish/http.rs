//! Sends a checkpoint to a witness over HTTP with ureq. What comes back is not believed here.

use std::time::Duration;

use ureq::Agent;

use crate::platform::https;

/// A witness that takes longer is asked again with the next checkpoint.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A few signature lines, or a number, or a sentence.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("could not reach {url}")]
pub(super) struct PostError {
    url: String,
    #[source]
    why: Box<ureq::Error>,
}

/// Posts `body`; status and text of the answer.
pub(super) fn post(url: &str, body: &str) -> Result<(u16, String), PostError> {
    let agent: Agent = Agent::config_builder()
        .tls_config(https::tls())
        .https_only(url.starts_with("https://"))
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .build()
        .into();
    let failed = |why: ureq::Error| PostError { url: url.to_owned(), why: why.into() };
    let mut answer = agent.post(url).send(body).map_err(failed)?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    Ok((status, text.map_err(failed)?))
}
