//! The numbers of a decision that depend on the site, not on the policy or the models.

use serde::{Deserialize, Serialize};

/// When the person is asked for movements that show that she is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Never: only where somebody watches the kiosk.
    Never,
    /// Where there is a reason: a claim, a thin match, no passive liveness, or chance.
    Risk,
    /// Always.
    Always,
}

/// Section `[checkin]` of the terminal's configuration. The defaults suit a kiosk at arm's length
/// with an ordinary webcam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Smallest distance between the eyes, in pixels; below it "come closer".
    pub eye_distance_px_min: f32,
    /// Smallest variance of the Laplacian on the aligned face; below it "hold still".
    pub sharpness_min: f32,
    /// Darkest mean grey level of the aligned face, 0 to 255; below it "more light".
    pub brightness_min: f32,
    /// Brightest mean grey level of the aligned face, 0 to 255; above it "less light".
    pub brightness_max: f32,
    /// How far a face may be turned to the side before "face the camera": how far the nose lies from
    /// the middle of the eyes, over their distance. 0 in front, near 1 in profile.
    pub turn_max: f32,
    /// Contrast around the mouth, as a share of that around the eyes; below it "take off the mask".
    pub mouth_detail_min: f32,
    /// Good pictures that an answer needs. 1 only where the camera is a folder of single pictures.
    pub pictures_min: u32,
    /// How long the terminal looks on for a better answer before it says no, in milliseconds.
    pub patience_ms: u32,
    /// How long after a no the same person is looked at anew, in milliseconds.
    pub again_ms: u32,
    /// When movements are asked for that show a living person: `never`, `risk`, `always`.
    pub challenge: When,
    /// Passive liveness from which a face counts as live, 0 to 1. Without it the score goes on
    /// record and refuses nobody: the nets known so far also fail many honest faces
    /// (docs/decisions/0010-passive-liveness-on-record.md).
    pub live_min: Option<f32>,
    /// How often a stranger who says no name may be taken for somebody of the roster: the wanted
    /// false-positive identification rate of a search (FPIR, ISO/IEC 19795-1), between 0 and 1.
    /// The larger the roster, the stricter the search; the default is the false accept rate of
    /// 0.1 % that GB/T 38671 asks for, here of the whole search instead of one comparison.
    pub fpir_max: f64,
    /// How long before a lesson a person is told "too early" rather than "no lesson".
    pub early_minutes_max: u32,
    /// How long after a lesson's end an open check-in still takes its check-out.
    pub open_stay_minutes_max: u32,
}

impl Settings {
    /// These settings, if somebody can check in with them; else what is wrong.
    pub fn checked(self) -> Result<Self, String> {
        let measures = [self.eye_distance_px_min, self.sharpness_min];
        if !measures.iter().all(|measure| (0.0..=10_000.0).contains(measure)) {
            return Err("eye_distance_px_min and sharpness_min must be 0 to 10000".into());
        }
        let (dark, bright) = (self.brightness_min, self.brightness_max);
        if !(0.0..=255.0).contains(&dark) || !(0.0..=255.0).contains(&bright) || dark >= bright {
            return Err("brightness_min must be below brightness_max, both 0 to 255".into());
        }
        if self.live_min.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            return Err("live_min must be 0 to 1".into());
        }
        if !(self.fpir_max > 0.0 && self.fpir_max < 1.0) {
            return Err("fpir_max must lie between 0 and 1".into());
        }
        if !(0.05..=1.0).contains(&self.turn_max) || !(0.0..=1.0).contains(&self.mouth_detail_min) {
            return Err("turn_max must be 0.05 to 1, mouth_detail_min 0 to 1".into());
        }
        if !(1..=8).contains(&self.pictures_min) {
            return Err("pictures_min must be 1 to 8".into());
        }
        if self.patience_ms > 10_000 || !(1_000..=60_000).contains(&self.again_ms) {
            return Err("patience_ms must be at most 10000, again_ms 1000 to 60000".into());
        }
        Ok(self)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            eye_distance_px_min: 24.0,
            sharpness_min: 10.0,
            brightness_min: 25.0,
            brightness_max: 240.0,
            turn_max: 0.375,
            mouth_detail_min: 0.375,
            pictures_min: 3,
            patience_ms: 1_500,
            again_ms: 4_000,
            challenge: When::Risk,
            live_min: None,
            fpir_max: 1e-3,
            early_minutes_max: 180,
            open_stay_minutes_max: 720,
        }
    }
}
