//! Opens an evidence picture for whoever has the regulator's key. That it is opened stands in the ledger
//! before a byte of it is decrypted: a fact may say too much, never too little.

use super::sheet::flaw_of;
use super::{Home, StateError};
use crate::domain::{Fact, NoticeKind, TerminalId, Timestamp};
use crate::ledger::{Body, Entry, Ledger, ReadError};
use crate::record::picture::{PictureError, SealedPicture};
use crate::record::{ReadingKey, SealedHash};

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// Who opens a picture, and why: public for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    by: String,
    reason: String,
}

/// A picture is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenPictureError {
    /// What is to be stated cannot be.
    #[error("could not state who opens it and why: {field}: {what}")]
    Wish {
        /// `by` or `reason`.
        field: &'static str,
        /// What is wrong with it.
        what: String,
        /// What to write instead.
        hint: String,
    },
    /// It is none, or not for this key, or was changed.
    #[error("could not open the picture")]
    Picture(#[from] PictureError),
    /// The ledger cannot be read.
    #[error("could not look the picture up in the ledger")]
    Read(#[from] ReadError),
    /// Nobody knows where it came from.
    #[error(
        "could not open the picture: the ledger has no notice of terminal {terminal} that it keeps this file"
    )]
    Unknown {
        /// Whose it should be.
        terminal: TerminalId,
    },
    /// It names another record than the one that stands in the ledger.
    #[error(
        "could not open the picture: record {seq} of terminal {terminal} is another one in the ledger"
    )]
    OtherRecord {
        /// Whose.
        terminal: TerminalId,
        /// Which.
        seq: u64,
    },
    /// That it is opened could not be stated.
    #[error("could not state that the picture is opened")]
    State(#[from] StateError),
}

impl Wish {
    /// Checks both texts.
    pub fn new(by: &str, reason: &str) -> Result<Self, OpenPictureError> {
        let text = |field, text: &str| {
            let text = text.trim();
            let empty = || ("it is empty".to_owned(), "say it in some words".to_owned());
            match flaw_of(text).or_else(|| text.is_empty().then(empty)) {
                None => Ok(text.to_owned()),
                Some((what, hint)) => Err(OpenPictureError::Wish { field, what, hint }),
            }
        };
        Ok(Self { by: text("by", by)?, reason: text("reason", reason)? })
    }
}

/// What the ledger says of a picture.
#[derive(Debug, Default)]
struct Known {
    kept: bool,
    record: Option<SealedHash>,
}

impl Known {
    fn take(&mut self, entry: &Entry, sealed: &SealedPicture, digest: [u8; 32]) {
        let Body::Record { record, hash, .. } = &entry.body else { return };
        if record.terminal != sealed.cover().terminal {
            return;
        }
        if record.seq == sealed.cover().seq {
            self.record = Some(*hash);
        }
        self.kept |= record.notice.is_some_and(|notice| {
            notice.kind == NoticeKind::PictureKept && notice.digest == Some(digest)
        });
    }
}

/// Opens a picture whose terminal has put on record that it keeps it, for this reason. Works while no
/// collector runs: [`Home`] keeps it out.
pub fn open(
    home: &mut Home,
    sealed: &SealedPicture,
    key: &ReadingKey,
    wish: Wish,
    now: Timestamp,
) -> Result<Vec<u8>, OpenPictureError> {
    // Whoever has another key opens nothing, and nothing is stated.
    sealed.is_for(key)?;
    look_up(&*home.ledger, sealed)?;
    stated_then_opened(sealed, key, wish, |fact| home.state(vec![fact], now).map(drop))
}

fn look_up(ledger: &dyn Ledger, sealed: &SealedPicture) -> Result<(), OpenPictureError> {
    let (mut known, digest) = (Known::default(), sealed.digest());
    let mut next = 0;
    loop {
        let entries = ledger.entries_since(next, READ_ENTRIES)?;
        let Some(last) = entries.last() else { break };
        next = last.index + 1;
        entries.iter().for_each(|entry| known.take(entry, sealed, digest));
    }
    let (terminal, seq) = (sealed.cover().terminal.clone(), sealed.cover().seq);
    if !known.kept {
        return Err(OpenPictureError::Unknown { terminal });
    }
    if known.record.is_some_and(|hash| hash != sealed.cover().record) {
        return Err(OpenPictureError::OtherRecord { terminal, seq });
    }
    Ok(())
}

fn stated_then_opened(
    sealed: &SealedPicture,
    key: &ReadingKey,
    Wish { by, reason }: Wish,
    state: impl FnOnce(Fact) -> Result<(), StateError>,
) -> Result<Vec<u8>, OpenPictureError> {
    let (terminal, seq) = (sealed.cover().terminal.clone(), sealed.cover().seq);
    // A crash after this line leaves a statement about a picture that nobody saw.
    state(Fact::PictureOpened { digest: sealed.digest(), terminal, seq, by, reason })?;
    Ok(sealed.open(key)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::picture::Cover;

    fn sealed(key: &ReadingKey) -> SealedPicture {
        let cover = Cover {
            terminal: "t-1".parse().unwrap(),
            seq: 7,
            record: SealedHash([1; 32]),
            taken: Timestamp::from_ms(1),
            expires: None,
            reader: key.public().0,
        };
        SealedPicture::seal(cover, b"a picture", [2; 32]).unwrap()
    }

    /// Its last byte is changed: whoever decrypted it would get another error.
    #[test]
    fn nothing_is_decrypted_where_the_opening_cannot_be_stated() {
        let key = ReadingKey::from_secret(&[3; 32]);
        let mut bytes = sealed(&key).bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let changed = SealedPicture::parse(bytes).unwrap();
        let wish = || Wish::new("the regulator", "case 7").unwrap();
        let opened = stated_then_opened(&changed, &key, wish(), |_| Err(StateError::Ended));
        assert!(matches!(opened, Err(OpenPictureError::State(StateError::Ended))), "{opened:?}");
        let opened = stated_then_opened(&changed, &key, wish(), |_| Ok(()));
        let unreadable = OpenPictureError::Picture(PictureError::Unreadable);
        assert_eq!(format!("{:?}", opened.unwrap_err()), format!("{unreadable:?}"));
    }

    #[test]
    fn what_is_stated_names_the_picture_who_and_why() {
        let key = ReadingKey::from_secret(&[3; 32]);
        let (picture, mut stated) = (sealed(&key), None);
        let wish = Wish::new(" the regulator ", "case 7").unwrap();
        let opened = stated_then_opened(&picture, &key, wish, |fact| {
            stated = Some(fact);
            Ok(())
        });
        assert_eq!(opened.unwrap(), b"a picture");
        let fact = Fact::PictureOpened {
            digest: picture.digest(),
            terminal: "t-1".parse().unwrap(),
            seq: 7,
            by: "the regulator".into(),
            reason: "case 7".into(),
        };
        assert_eq!(stated, Some(fact));
    }

    #[test]
    fn a_reason_is_needed_and_names_nobody_by_an_identity_number() {
        for (by, reason, what) in [
            ("", "case 7", "it is empty"),
            ("the regulator", " ", "it is empty"),
            ("the regulator", "of 11010519491231002X", "an identity number stands in it"),
            ("one\ntwo", "case 7", "control character"),
            ("the regulator", &"x".repeat(2_000), "too long"),
        ] {
            let error = Wish::new(by, reason).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}
