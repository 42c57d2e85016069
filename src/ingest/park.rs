//! Records that came too early wait here, per terminal and bounded, until the gap before them is
//! filled. None of them has a receipt: whatever is dropped here is offered again.

use std::collections::BTreeMap;

use super::admit::{Head, Offer, continues};
use crate::record::SealedHash;

/// What waits of one terminal, by sequence number.
#[derive(Debug, Default)]
pub(super) struct Park(BTreeMap<u64, Offer>);

impl Park {
    /// Lets an offer wait. Of two with one number the first stays; beyond `max` the farthest goes.
    pub(super) fn put(&mut self, offer: Offer, max: usize) {
        self.0.entry(offer.seq()).or_insert(offer);
        if self.0.len() > max {
            self.0.pop_last();
        }
    }

    /// Takes what can be judged now that the chain ends at `head`.
    pub(super) fn take_next(&mut self, head: Head) -> Option<Offer> {
        let seq = self.0.iter().find_map(|(&seq, offer)| {
            let ready =
                seq <= head.seq || offer.claims().is_some_and(|record| continues(record, head));
            ready.then_some(seq)
        })?;
        self.0.remove(&seq)
    }

    /// Takes what follows these refused bytes: it need not wait any longer.
    pub(super) fn take_after(&mut self, refused: SealedHash) -> Option<Offer> {
        let follows = |offer: &Offer| offer.claims().is_some_and(|record| record.prev == refused);
        let seq = self.0.iter().find_map(|(&seq, offer)| follows(offer).then_some(seq))?;
        self.0.remove(&seq)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
