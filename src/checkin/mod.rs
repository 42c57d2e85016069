//! Sightings over time to at most one decision each.
