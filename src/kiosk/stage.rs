//! Which message stands how long. A fold: messages, outlines and notices go in, the scene that the
//! screen shows comes out.

use serde::Serialize;

use super::{Dialog, Kind, Message, Notice};
use crate::domain::{Bilingual, FacePlace};

/// An answer stands at least so long while nobody else comes, in milliseconds: to be read by
/// somebody who is walking away already. The next person's answer replaces it at once.
const ANSWER_MS_MIN: u64 = 2_500;

/// Where the face is, in thousandths of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Outline {
    /// Of a face in its frame; what lies outside of the frame is cut off.
    pub fn of(place: &FacePlace) -> Self {
        let [frame_width, frame_height] = place.frame;
        let share = |part: f32, whole: f32| {
            let thousandths = (part / whole * 1_000.0).clamp(0.0, 1_000.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0…1000")]
            let share = thousandths as u16;
            share
        };
        let (x, y) = (share(place.x, frame_width), share(place.y, frame_height));
        let (right, bottom) = (
            share(place.x + place.width, frame_width),
            share(place.y + place.height, frame_height),
        );
        Self { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
    }
}

/// All that the screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scene {
    /// Counts the answers, so that the screen sounds once for each.
    pub answers: u64,
    /// The message.
    pub message: Message,
    /// The question that lies over it.
    pub dialog: Option<Dialog>,
    /// Where the face is.
    pub outline: Option<Outline>,
    /// The strip, the weightiest first.
    pub notices: Vec<Notice>,
    /// The lesson that is under way or about to begin, with its times.
    pub lesson: Option<Bilingual>,
    /// The terminal's clock, as on a wall: `08:25`.
    pub time: String,
}

/// Keeps the scene.
#[derive(Debug)]
pub struct Stage {
    scene: Scene,
    answered_ms: Option<u64>,
}

impl Stage {
    /// Nobody is there, and nothing is known of the terminal yet.
    pub fn new() -> Self {
        let welcome =
            Message::idle(Bilingual::new("请站到镜头前", "Please stand before the camera"));
        let scene = Scene {
            answers: 0,
            message: welcome,
            dialog: None,
            outline: None,
            notices: Vec::new(),
            lesson: None,
            time: String::new(),
        };
        Self { scene, answered_ms: None }
    }

    /// What to show.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// A new message, unless the last answer is still to be read.
    pub fn show(&mut self, message: &Message, at_ms: u64) {
        let answered = self.answered_ms.is_some_and(|at| at_ms.saturating_sub(at) < ANSWER_MS_MIN);
        match message.kind {
            Kind::Idle | Kind::Look if answered => return,
            Kind::Answer | Kind::Broken => {
                let again = self.answered_ms.is_some() && self.scene.message == *message;
                self.answered_ms = Some(at_ms);
                if !again {
                    self.scene.answers += 1;
                }
            }
            Kind::Idle | Kind::Look | Kind::Advice | Kind::Ask => self.answered_ms = None,
        }
        if self.scene.message != *message {
            self.scene.message = message.clone();
        }
    }

    /// Which question lies over it now.
    pub fn dialog(&mut self, dialog: Option<Dialog>) {
        self.scene.dialog = dialog;
    }

    /// Where the face is now.
    pub fn outline(&mut self, outline: Option<Outline>) {
        self.scene.outline = outline;
    }

    /// What is true of the terminal now.
    pub fn surroundings(&mut self, notices: Vec<Notice>, lesson: Option<Bilingual>, time: String) {
        (self.scene.notices, self.scene.lesson, self.scene.time) = (notices, lesson, time);
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}
