//! From what a frame showed to a [`Sighting`]: the face beside those who are expected here, and
//! beside those whom the terminal has let in today. The last place where there is an embedding.

use super::{FrontFace, Gallery, Look, Recent, Track};
use crate::domain::{Landmarks, PersonId, SeenFace, Sighting};

/// Compares the person before the camera with the people of the gallery and the faces of today.
///
/// `look` is the newest frame, and `track` has followed it: identity and liveness rest on all good
/// pictures of the visit, quality and place on the newest. `claim` is the person that the trainee
/// says to be; `roster` the people who may check in here now. Whether the face served somebody
/// else today is asked for the claimed person, without a claim for the most similar one.
pub fn sight(
    look: &Look,
    track: &Track,
    gallery: &Gallery,
    recent: &Recent,
    claim: Option<PersonId>,
    roster: &[PersonId],
) -> Sighting {
    let face = look.face.as_ref().map(|face| {
        let over_all = track.face();
        let embedding = over_all.as_ref().unwrap_or(&face.embedding);
        let compared = gallery.compare(embedding, claim, roster);
        let subject = claim.or(compared.best.map(|best| best.person));
        SeenFace {
            place: face.place(look.frame),
            landmarks: Landmarks(face.points),
            fingerprint: face.fingerprint,
            visit: track.visit(),
            pictures: track.pictures(),
            quality: face.quality,
            liveness: track.liveness().or(face.liveness),
            claimed: compared.claimed,
            best: compared.best,
            second: compared.second,
            same_face: subject.and_then(|person| recent.same_face(embedding, person, gallery)),
        }
    });
    Sighting { faces: look.in_front, face }
}

/// One face of a picture with many, by this picture alone: compared with the people of the roster.
pub fn sight_one(
    face: &FrontFace,
    frame: [f32; 2],
    gallery: &Gallery,
    roster: &[PersonId],
) -> SeenFace {
    let compared = gallery.compare(&face.embedding, None, roster);
    SeenFace {
        place: face.place(frame),
        landmarks: Landmarks(face.points),
        fingerprint: face.fingerprint,
        visit: 0,
        pictures: 1,
        quality: face.quality,
        liveness: face.liveness,
        claimed: None,
        best: compared.best,
        second: compared.second,
        same_face: None,
    }
}
