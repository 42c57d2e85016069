//! Anomalies, stored once.
