//! `rollcall models use PACK`: makes a pack the one in use on this machine, after it was seen to
//! run and to be calibrated. Templates do not go along: they are bound to the model that made them.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::face::{Manifest, OpenError, Pipeline, Settings, local_manifest};

#[derive(Debug, Args)]
pub(super) struct Choose {
    /// Which pack: `rollcall models list` names them.
    #[arg(value_name = "PACK")]
    wanted: String,
}

impl Choose {
    pub(super) fn run(self, settings: &Settings, folder: &Path) -> Result<ExitCode, Failure> {
        let manifest = &settings.manifest;
        let before = manifest.pack(None).map_err(OpenError::from)?;
        let pack = manifest.pack(Some(&self.wanted)).map_err(OpenError::from)?;
        let name = &pack.name;
        let failed = |error: OpenError| Failure {
            what: format!("could not take the pack {name} into use"),
            ..Failure::from(error)
        };
        pack.calibrated().map_err(|error| failed(error.into()))?;
        let tried = Settings { pack: Some(name.clone()), ..settings.clone() };
        let pipeline = Pipeline::open(&tried).map_err(failed)?;
        if manifest.used() == Some(name) {
            say!("pack {name} is in use already");
            return Ok(ExitCode::SUCCESS);
        }
        let path = local_manifest::set_use(&Manifest::shipped(), folder, name)?;
        say!(
            "pack {name} is in use from the next start on (runs here on {}); {} says so",
            pipeline.runtime().as_str(),
            path.display()
        );
        say!("A terminal whose configuration names a [face] pack or models_dir follows that.");
        if before.embedding.digest() != pack.embedding.digest() {
            say!(
                "\nEverybody must be enrolled anew. Templates carry the digest of the model that\n\
                 made them, and those of pack {} mean nothing to this one: a terminal refuses them.\n\
                 At each terminal, move its gallery file away, then for each person:\n  \
                 rollcall terminal enrol --config terminal.toml --person ID PICTURE…",
                before.name
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
