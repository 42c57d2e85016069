//! Sends a checkpoint to a witness over HTTP: ureq, as for models, with TLS by rustls and the
//! machine's own certificates. What comes back is not believed here.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

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
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
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
