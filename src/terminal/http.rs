//! Sends a request to the centre's desk with ureq. What comes back is not believed here.

use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

use crate::platform::https;
use crate::record::enrolment::ANSWER_BYTES_MAX;

/// The centre commits to its ledger before it answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest text of a refusal that is shown.
const TEXT_CHARS_MAX: usize = 300;

/// No answer to use.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// No answer at all.
    #[error("could not reach the centre at {url}")]
    Reach {
        /// Where.
        url: String,
        /// Why not.
        #[source]
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The centre does not grant it.
    #[error("could not be taken in by the centre at {url}: {because}")]
    Refused {
        /// Where.
        url: String,
        /// Why, in the centre's words.
        because: String,
        /// What to do, in the centre's words.
        hint: String,
        /// Whether the same request may be granted later.
        later: bool,
    },
}

#[derive(Deserialize)]
struct Refusal {
    because: String,
    hint: String,
}

/// Posts a request to the desk at `url`, the beginning of its address.
pub fn post(url: &str, request: &[u8]) -> Result<Vec<u8>, PostError> {
    let agent: Agent = Agent::config_builder()
        .tls_config(https::tls())
        .https_only(url.starts_with("https://"))
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .build()
        .into();
    let reach = |why: Box<dyn std::error::Error + Send + Sync>| PostError::Reach {
        url: url.to_owned(),
        why,
    };
    let address = format!("{}/enrol/v1", url.trim_end_matches('/'));
    let mut answer = agent.post(&address).send(request).map_err(|error| reach(error.into()))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let mut body = answer.body_mut().as_reader().take(limit);
    body.read_to_end(&mut bytes).map_err(|error| reach(error.into()))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(bytes);
    }
    let Refusal { because, hint } = serde_json::from_slice(&bytes).unwrap_or_else(|_| Refusal {
        because: format!("it answers {status}, as no centre does"),
        hint: "look whether the address leads to the centre's desk".into(),
    });
    // Words of others: what could move a terminal's cursor is left out.
    let shown = |text: String| -> String {
        text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
    };
    Err(PostError::Refused {
        url: url.to_owned(),
        because: shown(because),
        hint: shown(hint),
        later: status.is_server_error(),
    })
}
