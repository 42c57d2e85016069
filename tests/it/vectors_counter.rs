//! Vectors of what is done at a kiosk by hand: part of the generator `vectors`.

use rollcall::domain::{Notice, NoticeKind, Score, Way};
use rollcall::record::{Other, Record, Sealed};

use crate::vectors::{check_in, key, notice, opening};

/// Who came without a face: a member of the staff confirmed her.
pub(crate) fn confirmed() -> Record {
    Record {
        seq: 7,
        prev: Sealed::seal(&notice(), &key("terminal")).hash(),
        way: Some(Way::Staff),
        scores: None,
        pack: None,
        staff: Some(opening(0x53, 0xa3).commitment()),
        ..check_in()
    }
}

/// The terminal made no template, because the face is somebody else's.
pub(crate) fn refused_template() -> Record {
    let other = Other { person: opening(0x52, 0xa2).commitment(), score: Score::from_e4(7_001) };
    Record {
        seq: 8,
        prev: Sealed::seal(&confirmed(), &key("terminal")).hash(),
        other: Some(other),
        notice: Some(Notice { kind: NoticeKind::TemplateRefused, digest: None }),
        ..notice()
    }
}

/// The terminal asked everybody in the lesson to show her face.
pub(crate) fn roll_call() -> Record {
    Record {
        seq: 9,
        prev: Sealed::seal(&refused_template(), &key("terminal")).hash(),
        person: None,
        lesson: check_in().lesson,
        notice: Some(Notice { kind: NoticeKind::RollCalled, digest: None }),
        ..notice()
    }
}
