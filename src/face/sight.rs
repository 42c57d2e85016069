//! From what a frame showed to a [`Sighting`]: the face beside those who are expected here, and
//! beside those whom the terminal has let in today. The last place where there is an embedding.

use super::{Gallery, Look, Recent};
use crate::domain::{FacePlace, Landmarks, PersonId, SeenFace, Sighting};

/// Compares what a frame showed with the people of the gallery and the faces of today.
///
/// `claim` is the person that the trainee says to be; `roster` the people who may check in here
/// now. Whether the face served somebody else today is asked for the claimed person, without a
/// claim for the most similar one.
pub fn sight(
    look: &Look,
    gallery: &Gallery,
    recent: &Recent,
    claim: Option<PersonId>,
    roster: &[PersonId],
) -> Sighting {
    let face = look.face.as_ref().map(|face| {
        let compared = gallery.compare(&face.embedding, claim, roster);
        let subject = claim.or(compared.best.map(|best| best.person));
        SeenFace {
            place: FacePlace {
                x: face.rect.x,
                y: face.rect.y,
                width: face.rect.w,
                height: face.rect.h,
                frame: look.frame,
            },
            landmarks: Landmarks(face.points),
            fingerprint: face.fingerprint,
            quality: face.quality,
            liveness: face.liveness,
            claimed: compared.claimed,
            best: compared.best,
            second: compared.second,
            same_face: subject
                .and_then(|person| recent.same_face(&face.embedding, person, gallery)),
        }
    });
    Sighting { faces: look.in_front, face }
}
