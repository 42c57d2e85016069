//! `rollcall models verify`: every file against the manifest, every pack that is here once on each
//! runtime. A file that is not here is no fault unless the pack in use needs it; a file that is
//! another one always is.

use std::process::ExitCode;

use super::Failure;
use crate::face::model_files::{self, ModelFileError, Place};
use crate::face::{OpenError, Pack, Pipeline, RuntimeChoice, Settings};
use crate::platform::telemetry::Chain;

pub(super) fn verify(settings: &Settings) -> Result<ExitCode, Failure> {
    let manifest = &settings.manifest;
    let chosen = manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    let mut wrong = files(settings, chosen);
    let is_here = |pack: &&Pack| {
        pack.models().all(|model| model_files::find(model, &settings.folders).is_ok())
    };
    for runtime in [RuntimeChoice::OnnxRuntime, RuntimeChoice::Rust] {
        if !Pipeline::runtime_is_there(runtime) {
            say!("--     ONNX Runtime is not on this machine: not tried");
            continue;
        }
        for pack in manifest.packs().iter().filter(is_here) {
            let settings = Settings { pack: Some(pack.name.clone()), runtime, ..settings.clone() };
            match Pipeline::open(&settings) {
                Ok(opened) => say!(
                    "ok     pack {} runs on {} ({})",
                    pack.name,
                    opened.runtime().as_str(),
                    opened.runtime_why()
                ),
                Err(error) => {
                    wrong += 1;
                    let why = Chain(&error);
                    say!("WRONG  pack {}: {why}\n       {}", pack.name, error.hint());
                }
            }
        }
    }
    for pack in manifest.packs().iter().filter(|pack| pack.thresholds.is_none()) {
        say!("--     pack {} is not calibrated: it judges nobody", pack.name);
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// How many files are wrong.
fn files(settings: &Settings, chosen: &Pack) -> u32 {
    let mut wrong = 0;
    for model in settings.manifest.models() {
        let in_use = chosen.models().any(|one| one.name == model.name);
        match model_files::read(model, &settings.folders) {
            Ok(_) => {
                let found = model_files::find(model, &settings.folders);
                let place = match found {
                    Ok(Place::Program) => ", in this program",
                    Ok(Place::File(_)) | Err(_) => "",
                };
                say!("ok     {} has the SHA-256 of the manifest{place}", model.file);
            }
            Err(ModelFileError::Missing { .. }) if !in_use => {
                say!(
                    "--     {} is not installed, and the pack in use does not need it",
                    model.file
                );
            }
            Err(
                error @ (ModelFileError::Missing { .. }
                | ModelFileError::Read { .. }
                | ModelFileError::Hash { .. }),
            ) => {
                wrong += 1;
                say!("WRONG  {}\n       {}", Chain(&error), error.hint());
            }
        }
    }
    wrong
}
