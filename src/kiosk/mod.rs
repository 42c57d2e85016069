//! What the trainee sees.
//!
//! - [`Message`]: one at a time, in words and a sign. A message of success exists only for a record
//!   that is already durable: [`Message::stored`] takes the number that the journal gave it.
//! - [`Notice`]: what is true of the terminal meanwhile: offline, nearly full, clock doubtful.
//! - [`Dialog`]: a question to somebody who types or chooses.
//! - [`Stage`]: which message stands how long; pure.
//! - [`Console`] prints messages, for a demo and a log; [`Page`] (`http.rs`) serves the screen itself
//!   on loopback, for a browser in kiosk mode. Nothing is fetched from elsewhere, and no picture
//!   leaves the machine.

mod config;
mod console;
mod dialog;
mod http;
mod message;
mod notice;
mod stage;
#[cfg(test)]
mod tests;

pub use config::Section;
pub use console::Console;
pub use dialog::{Choice, Dialog, Input};
pub use http::{Listed, Listening, Page, PageError, Said};
pub use message::{Kind, Light, Message};
pub use notice::{Facts, Notice, Unkept, Weight, notices};
pub use stage::{Outline, Scene, Stage};

/// Something that can show a message.
pub trait Screen: Send {
    /// Shows it in place of the last one. `at_ms` is monotonic time.
    fn show(&mut self, message: &Message, at_ms: u64);

    /// Shows where the face is that the terminal looks at.
    fn outline(&mut self, _outline: Option<Outline>) {}

    /// Whether somebody would see a live picture now.
    fn wants_picture(&self) -> bool {
        false
    }

    /// Shows the newest picture of the camera, as JPEG.
    fn picture(&mut self, _jpeg: Vec<u8>) {}
}

/// Several screens that show the same.
pub struct Screens(pub Vec<Box<dyn Screen>>);

impl Screen for Screens {
    fn show(&mut self, message: &Message, at_ms: u64) {
        self.0.iter_mut().for_each(|screen| screen.show(message, at_ms));
    }

    fn outline(&mut self, outline: Option<Outline>) {
        self.0.iter_mut().for_each(|screen| screen.outline(outline));
    }

    fn wants_picture(&self) -> bool {
        self.0.iter().any(|screen| screen.wants_picture())
    }

    fn picture(&mut self, jpeg: Vec<u8>) {
        for screen in self.0.iter_mut().filter(|screen| screen.wants_picture()) {
            screen.picture(jpeg.clone());
        }
    }
}
