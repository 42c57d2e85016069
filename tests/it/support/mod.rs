//! What several modules of tests need.

pub(crate) mod broker;
pub(crate) mod caller;
pub(crate) mod day;
pub(crate) mod pen;
pub(crate) mod records;
