//! Who is it? Claimed (1:1) or searched (1:N), by scores alone.

use super::Numbers;
use crate::domain::{Candidate, OtherPerson, Outcome, PersonId, Score, Scores, SeenFace, Way};

/// What the scores say, before timetable and roster are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The person claimed or found.
    pub(super) person: Option<PersonId>,
    pub(super) way: Option<Way>,
    pub(super) scores: Scores,
    /// `Accepted` when the face is hers.
    pub(super) outcome: Outcome,
    pub(super) other: Option<OtherPerson>,
}

pub(super) fn identify(face: &SeenFace, claim: Option<PersonId>, numbers: &Numbers) -> Identity {
    let mut identity = match claim {
        Some(person) => verify_claim(face, person, numbers),
        None => search(face, numbers),
    };
    let shown = face.liveness.zip(numbers.live_threshold);
    if shown.is_some_and(|(live, least)| live < least) && identity.outcome == Outcome::Accepted {
        identity.outcome = Outcome::NotLive;
    }
    identity
}

fn verify_claim(face: &SeenFace, person: PersonId, numbers: &Numbers) -> Identity {
    let other = [face.best, face.second].into_iter().flatten().find(|c| c.person != person);
    let contradicts = |other: &Candidate| {
        let lead = other.score.as_e4() - face.claimed.unwrap_or_default().as_e4();
        other.score >= numbers.confident_threshold && lead >= numbers.margin.as_e4()
    };
    let (outcome, contradiction) = match (face.claimed, other) {
        (Some(score), _) if score >= numbers.match_threshold => (Outcome::Accepted, None),
        (_, Some(other)) if contradicts(&other) => (Outcome::LooksLikeOther, Some(other)),
        (Some(_) | None, Some(_) | None) => (Outcome::NotRecognised, None),
    };
    Identity {
        person: Some(person),
        way: Some(Way::Claimed),
        scores: scores(face, face.claimed, other, numbers.match_threshold),
        outcome,
        other: contradiction.map(|c| OtherPerson { person: c.person, score: c.score }),
    }
}

fn search(face: &SeenFace, numbers: &Numbers) -> Identity {
    let best = face.best.filter(|best| best.score >= numbers.search_threshold);
    let rival = |best: &Candidate| {
        face.second.is_some_and(|s| best.score.as_e4() - s.score.as_e4() < numbers.margin.as_e4())
    };
    let (person, outcome) = match best {
        Some(best) if rival(&best) => (None, Outcome::Ambiguous),
        Some(best) => (Some(best.person), Outcome::Accepted),
        None => (None, Outcome::NotRecognised),
    };
    Identity {
        person,
        way: person.map(|_| Way::Open),
        scores: scores(face, face.best.map(|b| b.score), face.second, numbers.search_threshold),
        outcome,
        other: None,
    }
}

fn scores(
    face: &SeenFace,
    match_score: Option<Score>,
    second: Option<Candidate>,
    threshold: Score,
) -> Scores {
    Scores {
        match_score,
        second_score: second.map(|c| c.score),
        threshold,
        detection: face.quality.detection,
        liveness: face.liveness,
        pictures: (face.pictures > 1).then_some(face.pictures),
        challenge: None,
    }
}
