//! What to change before a decision is possible: one instruction at a time, the most helpful first.

use super::Numbers;
use crate::domain::{Bilingual, SeenFace, Sighting};

/// Why there is no decision yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Nobody is there.
    NobodyThere,
    /// More than one person stands before the camera.
    OneAtATime,
    /// The face is too small.
    ComeCloser,
    /// Too dark to decide.
    MoreLight,
    /// Too bright to decide.
    LessLight,
    /// Blurred.
    HoldStill,
}

impl Advice {
    /// The instruction as the screen shows it.
    pub fn text(self) -> Bilingual {
        match self {
            Advice::NobodyThere => Bilingual::new("请站到镜头前", "Please stand before the camera"),
            Advice::OneAtATime => Bilingual::new("请一次一人", "One person at a time, please"),
            Advice::ComeCloser => Bilingual::new("请靠近一些", "Please come closer"),
            Advice::MoreLight => {
                Bilingual::new("光线太暗，请面向光源", "Too dark: please face the light")
            }
            Advice::LessLight => {
                Bilingual::new("光线太亮，请避开强光", "Too bright: please avoid the glare")
            }
            Advice::HoldStill => Bilingual::new("请保持不动", "Please hold still"),
        }
    }
}

/// The measured face, if it is good enough to decide on; else what to change.
pub fn advise<'s>(sighting: &'s Sighting, numbers: &Numbers) -> Result<&'s SeenFace, Advice> {
    let Some(face) = &sighting.face else {
        return Err(Advice::NobodyThere);
    };
    if sighting.faces > 1 {
        return Err(Advice::OneAtATime);
    }
    let quality = &face.quality;
    let (dark, bright) = numbers.brightness_range;
    // A measure that is no number is not enough either.
    let enough = |measure: f32, least: f32| measure >= least;
    if !enough(quality.eye_distance_px, numbers.eye_distance_px_min) {
        Err(Advice::ComeCloser)
    } else if !enough(quality.brightness, dark) {
        Err(Advice::MoreLight)
    } else if quality.brightness > bright {
        Err(Advice::LessLight)
    } else if !enough(quality.sharpness, numbers.sharpness_min) {
        Err(Advice::HoldStill)
    } else {
        Ok(face)
    }
}
