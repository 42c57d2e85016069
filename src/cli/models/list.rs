//! `rollcall models list`: packs and models, their licences, and which files are here.

use std::process::ExitCode;

use super::Failure;
use crate::face::manifest::Model;
use crate::face::{OpenError, Settings, model_files};

pub(super) fn list(settings: &Settings) -> Result<ExitCode, Failure> {
    let chosen = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    for pack in settings.manifest.packs() {
        let mark = if pack.name == chosen.name { "*" } else { " " };
        match &pack.thresholds {
            Some(both) => {
                println!(
                    "{mark} pack {}: match from {} (FAR {:e}), confident from {} (FAR {:e})",
                    pack.name,
                    both.matching.cosine,
                    both.matching.far,
                    both.confident.cosine,
                    both.confident.far
                );
                println!("    calibrated on: {}", both.matching.data);
            }
            None => println!("{mark} pack {}: not calibrated", pack.name),
        }
        for model in pack.models() {
            println!("    {:<9} {:<22} {}", model.role.as_str(), model.name, model.licence);
        }
    }
    println!();
    for model in settings.manifest.models() {
        println!("{:<22} {}", model.name, whereabouts(model, settings));
        println!("{:<22} {}", "", model.provenance);
    }
    Ok(ExitCode::SUCCESS)
}

fn whereabouts(model: &Model, settings: &Settings) -> String {
    match model_files::find(model, &settings.folders) {
        Ok(path) => path.display().to_string(),
        Err(error) => error.to_string(),
    }
}
