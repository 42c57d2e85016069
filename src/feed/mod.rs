//! Numbered live events.
