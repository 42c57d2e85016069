//! What a receiver is to the rest: somebody to whom a message can be sent, and who has it then or has not.

use super::message::Message;
use super::outbox::Ended;
use crate::collector::Herald;
use crate::domain::Timestamp;

/// A receiver. Sending may block for some seconds.
pub trait Channel: Send {
    /// Sends a message, and says how it ended.
    fn send(&self, message: &Message, now: Timestamp) -> Ended;
}

/// The broker, with a topic for each region and severity. Handed over is told: MQTT is for those who
/// listen now; whoever must not miss anything follows the feed or has a webhook.
pub struct Topics(pub Herald);

impl Channel for Topics {
    fn send(&self, message: &Message, _now: Timestamp) -> Ended {
        if self.0.offer(message.topic(), message.bytes()) {
            Ended::Delivered
        } else {
            Ended::Later("the broker is away 代理不可达".into())
        }
    }
}

/// What an answer means: whoever says that it is our mistake is not asked again.
pub fn answered(status: u16) -> Ended {
    match status {
        200..=299 => Ended::Delivered,
        408 | 425 | 429 | 500.. => Ended::Later(format!("it answered {status}")),
        0..=199 | 300..=499 => Ended::Never(format!("it answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_or_later_or_never() {
        for status in [200, 202, 204] {
            assert_eq!(answered(status), Ended::Delivered);
        }
        for status in [408, 429, 500, 503] {
            assert!(matches!(answered(status), Ended::Later(_)), "{status}");
        }
        for status in [301, 302, 400, 401, 404, 410] {
            assert!(matches!(answered(status), Ended::Never(_)), "{status}");
        }
    }
}
