//! Frame to sighting: detect, align, embed, match.
