//! What a terminal states about itself, in a record of its own.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{LessonId, OtherPerson, PersonId};

/// The event `notice` of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    /// What it is about.
    #[n(1)]
    pub kind: NoticeKind,
    /// SHA-256 of what it is about, where that is a thing: the camera's identity, the text of a
    /// consent, the sealed file of an evidence picture. Says nothing about a person.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: Option<[u8; 32]>,
}

/// A notice with whom and what it concerns, before it is sealed. Holds readable person ids, so it never
/// leaves the terminal as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The notice.
    pub notice: Notice,
    /// Whom it concerns ([`NoticeKind::concerns_somebody`]).
    pub person: Option<PersonId>,
    /// Whose face it is instead ([`NoticeKind::names_another`]).
    pub other: Option<OtherPerson>,
    /// In which lesson ([`NoticeKind::is_of_a_lesson`]).
    pub lesson: Option<LessonId>,
}

impl Note {
    /// About the terminal itself.
    pub fn new(kind: NoticeKind, digest: Option<[u8; 32]>) -> Self {
        Self { notice: Notice { kind, digest }, person: None, other: None, lesson: None }
    }

    /// About a person.
    pub fn about(person: PersonId, kind: NoticeKind, digest: Option<[u8; 32]>) -> Self {
        Self { person: Some(person), ..Self::new(kind, digest) }
    }
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum NoticeKind {
    /// The camera is another one than the one that was pinned; the digest is that of the new one.
    #[n(1)]
    CameraChanged,
    /// A person agreed that her face is compared; the digest is that of the text she read.
    #[n(2)]
    ConsentGiven,
    /// She takes it back.
    #[n(3)]
    ConsentWithdrawn,
    /// A template of her face was made.
    #[n(4)]
    TemplateMade,
    /// It was deleted.
    #[n(5)]
    TemplateDeleted,
    /// No template was made: the face is confidently that of somebody else who has one here.
    #[n(6)]
    TemplateRefused,
    /// Everybody in the lesson was asked to show her face: a spot check begins.
    #[n(7)]
    RollCalled,
    /// Another terminal's template of her was taken.
    #[n(8)]
    TemplateShared,
    /// An evidence picture is kept, encrypted; the digest is that of its sealed file.
    #[n(9)]
    PictureKept,
    /// A copy of it, still encrypted, is handed over.
    #[n(10)]
    PictureHandedOver,
    /// It was deleted.
    #[n(11)]
    PictureDeleted,
}

impl NoticeKind {
    /// Its stable word, and what people call it in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CameraChanged => ("camera_changed", "摄像头更换", "camera changed"),
            Self::ConsentGiven => ("consent_given", "同意人脸核验", "consent given"),
            Self::ConsentWithdrawn => ("consent_withdrawn", "撤回同意", "consent withdrawn"),
            Self::TemplateMade => ("template_made", "建立人脸模板", "template made"),
            Self::TemplateDeleted => ("template_deleted", "删除人脸模板", "template deleted"),
            Self::TemplateRefused => {
                ("template_refused", "人脸已属他人", "the face is somebody else's")
            }
            Self::RollCalled => ("roll_called", "课中点名", "roll call"),
            Self::TemplateShared => {
                ("template_shared", "他机人脸模板", "another terminal's template")
            }
            Self::PictureKept => ("picture_kept", "存证照片", "evidence picture kept"),
            Self::PictureHandedOver => {
                ("picture_handed_over", "交出存证照片", "evidence picture handed over")
            }
            Self::PictureDeleted => ("picture_deleted", "删除存证照片", "evidence picture deleted"),
        }
    }

    /// Whether it concerns a person, who is then named by the record.
    pub fn concerns_somebody(self) -> bool {
        match self {
            Self::CameraChanged
            | Self::RollCalled
            | Self::PictureKept
            | Self::PictureHandedOver
            | Self::PictureDeleted => false,
            Self::ConsentGiven
            | Self::ConsentWithdrawn
            | Self::TemplateMade
            | Self::TemplateDeleted
            | Self::TemplateRefused
            | Self::TemplateShared => true,
        }
    }

    /// Whether it names a second person, whose face it is.
    pub fn names_another(self) -> bool {
        self == Self::TemplateRefused
    }

    /// Whether it belongs to a lesson.
    pub fn is_of_a_lesson(self) -> bool {
        self == Self::RollCalled
    }
}
