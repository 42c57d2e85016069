//! A screen that prints lines.

use std::io::Write;

use super::{Kind, Message, Screen};
use crate::platform::qr;

/// Prints each message with the terminal's name before it.
#[derive(Debug, Clone)]
pub struct Console {
    name: String,
    shown: Option<Message>,
    slips: bool,
}

impl Console {
    /// `name` stands before each line.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), shown: None, slips: false }
    }

    /// Prints slips as well, as a QR code and as text.
    #[must_use]
    pub fn with_slips(self, slips: bool) -> Self {
        Self { slips, ..self }
    }
}

impl Screen for Console {
    fn show(&mut self, message: &Message, _at_ms: u64) {
        // A screen that shows the same still shows it; a log need not say it again.
        if self.shown.as_ref() == Some(message) {
            return;
        }
        self.shown = Some(message.clone());
        // Between instruction and answer the terminal looks: a screen shows it, a log need not.
        if message.kind == Kind::Look {
            return;
        }
        let (sign, line) = (message.light.sign(), message.line());
        let (zh, en) = (&line.zh, &line.en);
        // Who reads these lines may go away; the terminal must not.
        writeln!(std::io::stdout(), "{} {sign} {zh} {en}", self.name).ok();
        if let Some(slip) = message.slip.as_ref().filter(|_| self.slips) {
            let drawn = qr::on_console(&slip.to_string()).unwrap_or_default();
            writeln!(
                std::io::stdout(),
                "{drawn}\n{} 凭条（尚未确认）slip, not yet confirmed: {slip}",
                self.name
            )
            .ok();
        }
    }
}
