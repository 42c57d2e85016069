//! How a webhook is signed, as by Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 under a secret that
//! both sides have, over id, time and body. Whoever gets it can tell that it is ours, whole, and not old.

use data_encoding::BASE64;

use crate::domain::Timestamp;
use crate::platform::mac::hmac;

/// What a secret's file begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a secret, fewest and most.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What both sides have.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one of random bytes.
    pub fn new(random: &[u8; 32]) -> Self {
        Self(random.to_vec())
    }

    /// From its line, `whsec_…`; `None` for anything else.
    pub fn read(line: &str) -> Option<Self> {
        let bytes = BASE64.decode(line.trim().strip_prefix(PREFIX)?.as_bytes()).ok()?;
        BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Its line.
    pub fn line(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// The headers that go with a message.
    pub fn headers(&self, id: &str, at: Timestamp, body: &[u8]) -> [(&'static str, String); 3] {
        let seconds = (at.as_ms() / 1_000).to_string();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
        let signature = format!("v1,{}", BASE64.encode(&hmac(&self.0, &parts)));
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds),
            ("webhook-signature", signature),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_known_signature_comes_out() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_ms(1_614_265_330_000);
        let headers = secret.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b"{\"test\": 2432232314}");
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_one_form_and_enough_bytes() {
        let secret = Secret::new(&[7; 32]);
        assert_eq!(Secret::read(&format!("{}\n", secret.line())), Some(secret));
        for wrong in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!"] {
            assert_eq!(Secret::read(wrong), None, "{wrong}");
        }
    }
}
