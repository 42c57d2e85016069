//! What reaches the centre, and when: facts from its own desk, messages from the network.

use crate::domain::{Fact, TerminalId, Timestamp};
use crate::record::Parcel;

/// Something that reaches the centre.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    /// When.
    pub(super) at: Timestamp,
    pub(super) what: What,
}

/// See [`Coming`].
#[derive(Debug, Clone)]
pub(super) enum What {
    /// The centre states facts.
    Facts(Vec<Fact>),
    /// A message under a terminal's name.
    Parcels {
        topic: TerminalId,
        parcels: Vec<Parcel>,
        /// Sent once the network was back.
        dark: bool,
        /// The terminal's own, for the first time: what stands in its journal.
        genuine: bool,
    },
}
