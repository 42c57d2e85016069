//! Bytes to admitted records or refusals.
