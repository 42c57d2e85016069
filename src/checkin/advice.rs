//! What to change before a decision is possible: one instruction at a time, the most helpful first.

use super::Numbers;
use crate::domain::{Bilingual, Quality, SeenFace, Sighting};

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
    /// The face is turned away, lifted, lowered or leaning.
    FaceFront,
    /// Mouth and nose are covered.
    TakeOffMask,
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
            Advice::FaceFront => Bilingual::new("请正对镜头", "Please face the camera"),
            Advice::TakeOffMask => Bilingual::new("请摘下口罩", "Please take off the mask"),
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
    match advise_picture(&face.quality, numbers) {
        Some(advice) => Err(advice),
        None => Ok(face),
    }
}

/// What to change before a picture of this quality is good enough to decide on, if anything.
pub fn advise_picture(quality: &Quality, numbers: &Numbers) -> Option<Advice> {
    let (dark, bright) = numbers.brightness_range;
    let (lifted, lowered) = numbers.nod_range;
    // A measure that is no number is not enough either.
    let enough = |measure: f32, least: f32| measure >= least;
    let front = enough(numbers.turn_max, quality.turn.abs())
        && enough(quality.nod, lifted)
        && enough(lowered, quality.nod)
        && enough(numbers.lean_deg_max, quality.lean_deg);
    if !enough(quality.eye_distance_px, numbers.eye_distance_px_min) {
        Some(Advice::ComeCloser)
    } else if !enough(quality.brightness, dark) {
        Some(Advice::MoreLight)
    } else if quality.brightness > bright {
        Some(Advice::LessLight)
    } else if !front {
        Some(Advice::FaceFront)
    } else if !enough(quality.sharpness, numbers.sharpness_min) {
        Some(Advice::HoldStill)
    } else if !enough(quality.mouth_detail, numbers.mouth_detail_min) {
        Some(Advice::TakeOffMask)
    } else {
        None
    }
}
