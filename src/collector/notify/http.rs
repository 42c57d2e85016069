//! Sends messages as signed webhooks over HTTP with ureq. Nothing of an answer is believed but its status.

use std::time::Duration;

use ureq::Agent;

use super::channel::{Channel, answered};
use super::message::Message;
use super::outbox::Ended;
use super::signature::Secret;
use crate::domain::Timestamp;
use crate::platform::https;
use crate::platform::telemetry::Chain;

/// A receiver that takes longer is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A receiver behind an address.
pub struct Webhook {
    url: String,
    secret: Secret,
    agent: Agent,
}

impl Webhook {
    /// The one at this address.
    pub fn new(url: &str, secret: Secret) -> Self {
        let agent = Agent::config_builder()
            .tls_config(https::tls())
            .https_only(url.starts_with("https://"))
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build()
            .into();
        Self { url: url.to_owned(), secret, agent }
    }
}

impl Channel for Webhook {
    fn send(&self, message: &Message, now: Timestamp) -> Ended {
        let body = message.bytes();
        let mut request = self.agent.post(&self.url);
        request = request.header("content-type", "application/cloudevents+json; charset=utf-8");
        for (name, value) in self.secret.headers(&message.id, now, &body) {
            request = request.header(name, value);
        }
        match request.send(&body[..]) {
            Ok(answer) => answered(answer.status().as_u16()),
            Err(error) => Ended::Later(Chain(&error).to_string()),
        }
    }
}
