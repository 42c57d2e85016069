//! `rollcall models list`: packs, their models and licences, which of them are here, which pack is
//! in use and why, and what each is still lacking.

use std::path::Path;
use std::process::ExitCode;

use data_encoding::HEXLOWER;

use super::Failure;
use crate::face::local_manifest::FILE_NAME;
use crate::face::manifest::Model;
use crate::face::model_files::{self, ModelFileError, Place};
use crate::face::{Manifest, OpenError, Pack, Settings};

pub(super) fn list(settings: &Settings, folder: Option<&Path>) -> Result<ExitCode, Failure> {
    let manifest = &settings.manifest;
    let chosen = manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    for pack in manifest.packs() {
        let in_use = pack.name == chosen.name;
        let why =
            if in_use { format!(", in use: {}", why(settings, folder)) } else { String::new() };
        say!("{} pack {}{why}", if in_use { "*" } else { " " }, pack.name);
        thresholds(pack);
        for model in pack.models() {
            tell(model, Some(pack), settings);
        }
        say!("");
    }
    let in_a_pack = |model: &Model| {
        manifest.packs().iter().any(|pack| pack.models().any(|one| one.name == model.name))
    };
    for model in manifest.models().iter().filter(|model| !in_a_pack(model)) {
        tell(model, None, settings);
    }
    Ok(ExitCode::SUCCESS)
}

fn why(settings: &Settings, folder: Option<&Path>) -> String {
    match (&settings.pack, settings.manifest.used(), folder) {
        (Some(_), _, _) => "named by --pack".to_owned(),
        (None, Some(_), Some(folder)) if settings.manifest != Manifest::shipped() => {
            format!("`use` in {}", folder.join(FILE_NAME).display())
        }
        (None, Some(_), _) => "`use` in the manifest".to_owned(),
        (None, None, _) => "the first of the manifest".to_owned(),
    }
}

fn thresholds(pack: &Pack) {
    match &pack.thresholds {
        Some(both) => say!(
            "    calibrated: match from {} (FAR {:e}), confident from {} (FAR {:e}),\n    \
             on {}",
            both.matching.cosine,
            both.matching.far,
            both.confident.cosine,
            both.confident.far,
            both.matching.data
        ),
        None => say!("    not calibrated, judges nobody until `rollcall models calibrate`"),
    }
}

fn tell(model: &Model, pack: Option<&Pack>, settings: &Settings) {
    say!("    {:<9} {}, {}", model.role.as_str(), model.name, model.licence);
    say!("              {}", model.provenance);
    say!("              SHA-256 {}", HEXLOWER.encode(&model.sha256));
    say!("              {}", state(model, pack, settings));
}

fn state(model: &Model, pack: Option<&Pack>, settings: &Settings) -> String {
    let read = model_files::read(model, &settings.folders);
    match (read, model_files::find(model, &settings.folders)) {
        (Ok(_), Ok(Place::Program)) => "shipped: part of this program".to_owned(),
        (Ok(_), Ok(Place::File(path))) => format!("installed at {}", path.display()),
        (Err(ModelFileError::Missing { .. }), _) | (Ok(_), Err(_)) => match pack {
            Some(pack) => format!("missing: `rollcall models install {}`", pack.name),
            None => format!("missing: copy {} into the folder of installed models", model.file),
        },
        (Err(ModelFileError::Hash { path, found, .. }), _) => {
            format!("WRONG HASH: {} has SHA-256 {found}", path.display())
        }
        (Err(ModelFileError::Read { path, io }), _) => {
            format!("unreadable: {}: {io}", path.display())
        }
    }
}
