//! What the link's decisions do to the journal: which bytes an offer becomes, and what the journal's
//! word on a receipt means to the link. Synchronous and without a network; the shell (`mqtt.rs`) runs
//! it where waiting for the disk is allowed, and the simulation of a voyage runs the very same.

use std::collections::BTreeSet;

use super::link::Event;
use crate::journal::{Journal, ReleaseError, ReplayError};
use crate::platform::telemetry::{Chain, Class};
use crate::record::{Batch, Receipt};

/// What a wish to offer records comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The message; `None` when the journal has none of them.
    pub message: Option<Vec<u8>>,
    /// What the link shall hear of those that the journal has not: pruned between decision and
    /// reading, or stated as lost.
    pub absent: Option<Event>,
}

/// The message that offers these records (ascending).
pub fn batch(journal: &Journal, seqs: &[u64]) -> Result<Offer, ReplayError> {
    let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else {
        return Ok(Offer::default());
    };
    let count = usize::try_from(last - first).map_or(usize::MAX, |n| n.saturating_add(1));
    let found = journal.replay(*first, count)?;
    let (there, parcels): (BTreeSet<u64>, Vec<_>) =
        found.into_iter().filter(|(seq, _)| seqs.binary_search(seq).is_ok()).unzip();
    let absent: Vec<u64> = seqs.iter().copied().filter(|seq| !there.contains(seq)).collect();
    Ok(Offer {
        message: (!parcels.is_empty()).then(|| Batch(parcels).encode()),
        absent: (!absent.is_empty()).then_some(Event::Absent { seqs: absent }),
    })
}

/// Releases in the journal what a receipt covers, and says what the link shall hear. An error means
/// that the journal can no longer be believed.
pub fn release(journal: &Journal, receipt: Receipt) -> Result<Event, ReleaseError> {
    match journal.release_durably(&receipt) {
        Ok(freed) => Ok(Event::Released { receipt, standing: freed.standing }),
        Err(error) => match error.class() {
            Class::Transient | Class::Permanent => {
                tracing::warn!(
                    code = error.code(),
                    error = %Chain(&error),
                    "a receipt does not fit this journal; nothing is released"
                );
                Ok(Event::NotReleased { receipt })
            }
            Class::FailStop => Err(error),
        },
    }
}
