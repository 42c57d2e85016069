//! `rollcall models explain`: how to use ONNX files of one's own.

use std::path::Path;
use std::process::ExitCode;

use crate::face::local_manifest::FILE_NAME;

/// An entry that works as it stands; a test reads it.
const EXAMPLE: &str = include_str!("../../../models/models.local.example.toml");

pub(super) fn explain(folder: Option<&Path>) -> ExitCode {
    let path = match folder {
        Some(folder) => folder.join(FILE_NAME).display().to_string(),
        None => format!("{FILE_NAME} in the folder that --models names"),
    };
    say!(
        "Models of your own, in four steps:\n\
         1. Copy the ONNX files into the folder of installed models, where the next file lies.\n\
         2. Describe them in {path}, as in the example below.\n\
         3. `rollcall models verify` says whether files and entries fit together, and runs them.\n\
         4. `rollcall models calibrate` measures the thresholds of the pack on pictures of people\n   \
            whom the models never saw; then `rollcall models use PACK`, and enrol everybody anew.\n\
         \n{EXAMPLE}"
    );
    ExitCode::SUCCESS
}
