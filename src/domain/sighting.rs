//! What the face stage tells the decision: numbers and identities, no picture, no embedding.

use super::{PersonId, SameFace, Score};

/// One look at the space before the kiosk.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// How many faces stand at the kiosk; people further back in the queue are not counted.
    pub faces: usize,
    /// The face in front (large, and near the middle), if it could be measured.
    pub face: Option<SeenFace>,
}

/// The face in front, measured and compared.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenFace {
    /// Where it is in the frame.
    pub place: FacePlace,
    /// Eyes, nose and mouth: where they are, not what they look like.
    pub landmarks: Landmarks,
    /// Differs between any two pictures that a camera takes, be it only by their noise; the same
    /// value again means the same picture again. Says nothing about the face.
    pub fingerprint: u64,
    /// Counts the people who came before the camera one after the other: it changes with the person.
    pub visit: u64,
    /// On how many good pictures of this visit the scores below rest; 0: on this one, which is poor.
    pub pictures: u32,
    /// Whether this picture is good enough to decide on.
    pub quality: Quality,
    /// Passive liveness, 0…1; `None` when the model pack has no such net.
    pub liveness: Option<Score>,
    /// Score against the person that the trainee claims to be; `None` without a claim or when
    /// the claimed person has no template here.
    pub claimed: Option<Score>,
    /// The most similar person on the gallery.
    pub best: Option<Candidate>,
    /// The second most similar *other* person.
    pub second: Option<Candidate>,
    /// The most similar face among those accepted under other names today, if confidently the same.
    pub same_face: Option<SameFace>,
}

/// A rectangle in a frame, in pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FacePlace {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
    /// Width and height of the whole frame.
    pub frame: [f32; 2],
}

/// Five points of a face, in pixels of the frame from the top left, `[x, y]` each, in the order
/// that face detectors give them: the eye on the left of the picture, the eye on its right, the tip
/// of the nose, the left and the right corner of the mouth as seen in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landmarks(pub [[f32; 2]; 5]);

/// A person of the gallery and how similar the face is to her template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// Cosine of the embeddings.
    pub score: Score,
}

/// Measures of a face picture that a decision may rest on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Distance between the eyes, in pixels of the frame.
    pub eye_distance_px: f32,
    /// Detector's confidence, 0…1.
    pub detection: Score,
    /// Variance of the Laplacian on the aligned face, 8-bit grey levels squared; low means blurred.
    pub sharpness: f32,
    /// Mean grey level of the aligned face, 0…255.
    pub brightness: f32,
    /// How far the face is turned to the side: how far the nose lies from the middle of the eyes,
    /// along their line, over their distance. 0 in front, near 1 in profile; positive to the right
    /// of the picture.
    pub turn: f32,
    /// How far it is lifted or lowered: how far down the nose lies between eyes and mouth, 0…1.
    /// About 0.6 in front, less when it looks up.
    pub nod: f32,
    /// How far the head leans to a shoulder, in degrees, 0…180.
    pub lean_deg: f32,
    /// Contrast around the mouth over that around the eyes; a mask has hardly any.
    pub mouth_detail: f32,
}
