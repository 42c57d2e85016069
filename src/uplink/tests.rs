//! What the link and the clock decide.
