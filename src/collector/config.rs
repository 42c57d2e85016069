//! x
use std::path::PathBuf;
/// t
#[derive(Debug)]
pub struct Config {
    /// f
    pub data_dir: PathBuf,
}
/// e
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ConfigError;
