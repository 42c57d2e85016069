//! Which of two changes of one person's template counts. The later one; of two at the same moment a
//! deletion; of two alike the one whose terminal's name stands later. So every terminal comes to the same,
//! in whatever order and however often things arrive.

use minicbor::{Decode, Encode};

use crate::domain::{TerminalId, Timestamp};
use crate::record::share::Have;

/// How far behind all that is known a change is put, where the clock is not. Ties move a change on by a
/// millisecond each: they must not reach one that was made in knowledge of it.
const STEP_MS: i64 = 1_000;

/// The place of a change among all of the same person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// When.
    pub changed: Timestamp,
    /// Whether there is no template any more.
    pub deleted: bool,
    /// Where.
    pub origin: TerminalId,
}

/// What came of the newest change that this terminal knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum What {
    /// The template is here.
    #[n(1)]
    Held,
    /// There is none any more, anywhere.
    #[n(2)]
    Deleted,
    /// It is being taken; what a crash has cut off begins anew when it comes again.
    #[n(3)]
    Taking,
    /// It was not taken: the face is somebody else's here.
    #[n(4)]
    Refused,
    /// It was made in another institution, stays here and goes nowhere.
    #[n(5)]
    Local,
}

/// The newest change of a person's template that this terminal knows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Newest {
    /// When.
    #[n(1)]
    pub changed: Timestamp,
    /// Where.
    #[n(2)]
    pub origin: TerminalId,
    /// What came of it.
    #[n(3)]
    pub what: What,
    /// Whether the centre must still be told: it has not come back from there.
    #[n(4)]
    pub unsaid: bool,
}

/// Where a terminal stands with the centre's shares.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// Under which institution key.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub key: [u8; 8],
    /// For which embedding model.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub model: [u8; 32],
    /// What it has.
    #[n(3)]
    pub have: Have,
}

/// What a change that arrives is to this terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Newer than what it knows.
    Newer,
    /// What it knows: the centre has it.
    Same,
    /// Older, and to be answered with what is known here instead: the centre lacks that.
    Older(Newest),
    /// Older, and nothing follows from it.
    Nothing,
}

impl Newest {
    /// A change that is made here and now. It counts before all that is known of her, whatever the clocks
    /// say.
    pub fn change(before: Option<&Self>, now: Timestamp, here: &TerminalId, what: What) -> Self {
        let after = before.map_or(now, |known| known.changed.plus_ms(STEP_MS));
        Self { changed: now.max(after), origin: here.clone(), what, unsaid: true }
    }

    /// Its place.
    pub fn rank(&self) -> Rank {
        let deleted = self.what == What::Deleted;
        Rank { changed: self.changed, deleted, origin: self.origin.clone() }
    }

    /// What arrived with this place.
    pub(super) fn came(rank: Rank, what: What) -> Self {
        let Rank { changed, origin, .. } = rank;
        Self { changed, origin, what, unsaid: false }
    }
}

/// Weighs what arrives against what is known. `here`: whether a template of hers is here.
pub fn judge(known: Option<&Newest>, here: bool, came: &Rank) -> Verdict {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let Some(known) = known else { return Verdict::Newer };
    let says = match known.what {
        What::Held => here,
        What::Deleted => true,
        What::Taking | What::Refused | What::Local => false,
    };
    match came.cmp(&known.rank()) {
        Greater => Verdict::Newer,
        // What a crash has cut off, or what was lost here since, is taken anew.
        Equal if known.what == What::Taking || (known.what == What::Held && !here) => {
            Verdict::Newer
        }
        Equal => Verdict::Same,
        Less if !says => Verdict::Nothing,
        // The centre keeps the first of two at one moment: a moment later this one counts there too.
        Less if came.changed == known.changed => {
            let changed = known.changed.plus_ms(1);
            Verdict::Older(Newest { changed, unsaid: true, ..known.clone() })
        }
        Less => Verdict::Older(Newest { unsaid: true, ..known.clone() }),
    }
}
