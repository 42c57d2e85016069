//! `rollcall models verify`: every file against the manifest, every pack once on each runtime.

use std::process::ExitCode;

use crate::face::{Pipeline, RuntimeChoice, Settings, model_files};
use crate::platform::telemetry::Chain;

pub(super) fn verify(settings: &Settings) -> ExitCode {
    let mut wrong = 0_u32;
    for model in settings.manifest.models() {
        match model_files::read(model, &settings.folders) {
            Ok(_) => println!("ok     {} has the SHA-256 of the manifest", model.file),
            Err(error) => {
                wrong += 1;
                println!("WRONG  {}\n       {}", Chain(&error), error.hint());
            }
        }
    }
    for runtime in [RuntimeChoice::OnnxRuntime, RuntimeChoice::Rust] {
        if !Pipeline::runtime_is_there(runtime) {
            println!("--     ONNX Runtime is not on this machine: not tried");
            continue;
        }
        for pack in settings.manifest.packs() {
            let mut settings = settings.clone();
            settings.pack = Some(pack.name.clone());
            settings.runtime = runtime;
            match Pipeline::open(&settings) {
                Ok(opened) => println!(
                    "ok     pack {} runs on {} ({})",
                    pack.name,
                    opened.runtime().as_str(),
                    opened.runtime_why()
                ),
                Err(error) => {
                    wrong += 1;
                    println!(
                        "WRONG  pack {}: {}\n       {}",
                        pack.name,
                        Chain(&error),
                        error.hint()
                    );
                }
            }
        }
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
