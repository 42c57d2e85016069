//! `rollcall models install PACK`: brings the files of a pack into the folder of installed models,
//! from a folder, from a single file, or from where their authors publish them. A file bears its
//! name there only when its SHA-256 is the one of the manifest.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::download::download;
use super::{Failure, exit_of};
use crate::cli::report::Report;
use crate::face::manifest::{Model, Source};
use crate::face::model_files::{self, ModelFileError};
use crate::face::{OpenError, Pack, Settings};
use crate::platform::durable::{self, Access};
use crate::platform::telemetry::Class;

#[derive(Debug, Args)]
pub(super) struct Install {
    /// Which pack: `rollcall models list` names them.
    #[arg(value_name = "PACK")]
    wanted: String,
    /// Take the files from this folder, or this one file, which is recognised by its hash.
    #[arg(long, value_name = "DIR|FILE")]
    from: Option<PathBuf>,
}

impl Install {
    /// Into `folder`, which stands first in the folders of the settings.
    pub(super) fn run(self, settings: &Settings, folder: &Path) -> Result<ExitCode, Failure> {
        let pack = settings.manifest.pack(Some(&self.wanted)).map_err(OpenError::from)?;
        let lacking = lacking(pack, settings)?;
        if lacking.is_empty() {
            say!("pack {}: every file is here already", pack.name);
            return Ok(ExitCode::SUCCESS);
        }
        match &self.from {
            Some(path) if path.is_file() => from_file(path, pack, folder)?,
            Some(path) => from_folder(path, &lacking, folder)?,
            None => from_source(&lacking, folder)?,
        }
        let lacking = self::lacking(pack, settings)?;
        let name = &pack.name;
        match (names(&lacking), self.from) {
            (None, _) => {
                say!("pack {name}: complete; `rollcall models use {name}` takes it into use");
                Ok(ExitCode::SUCCESS)
            }
            (Some(missing), Some(path)) if path.is_file() => {
                say!("pack {name}: still missing: {missing}");
                Ok(ExitCode::SUCCESS)
            }
            (Some(missing), Some(path)) => {
                let because = format!("{} has no {missing}", path.display());
                let hint = "name the folder that holds the files, or one file after the other";
                Err(incomplete(pack, because, hint))
            }
            (Some(missing), None) => {
                let because = format!(
                    "nobody publishes {missing} in this form: {}",
                    lacking.first().map_or("", |model| model.provenance.as_str())
                );
                let hint = "get the files from whoever made them, then name them with --from DIR or \
                            --from FILE; their hashes tell whether they are the right ones";
                Err(incomplete(pack, because, hint))
            }
        }
    }
}

fn incomplete(pack: &Pack, because: String, hint: &str) -> Failure {
    let what = format!("could not complete the pack {}", pack.name);
    Failure { exit: 3, what, because, hint: hint.to_owned() }
}

fn names(models: &[&Model]) -> Option<String> {
    let names: Vec<_> = models.iter().map(|model| model.file.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The models whose file is nowhere, or is another one.
fn lacking<'p>(pack: &'p Pack, settings: &Settings) -> Result<Vec<&'p Model>, Failure> {
    let mut lacking = Vec::new();
    for model in pack.models() {
        match model_files::read(model, &settings.folders) {
            Ok(_) => {}
            Err(ModelFileError::Missing { .. } | ModelFileError::Hash { .. }) => {
                lacking.push(model);
            }
            Err(error @ ModelFileError::Read { .. }) => return Err(OpenError::from(error).into()),
        }
    }
    Ok(lacking)
}

fn from_file(path: &Path, pack: &Pack, folder: &Path) -> Result<(), Failure> {
    let mut found = None;
    for model in pack.models() {
        match model_files::read_file(model, path.to_owned()) {
            Ok(bytes) => return store(model, &bytes, path, folder),
            Err(ModelFileError::Hash { found: hash, .. }) => found = Some(hash),
            Err(error @ (ModelFileError::Missing { .. } | ModelFileError::Read { .. })) => {
                return Err(OpenError::from(error).into());
            }
        }
    }
    Err(Failure {
        exit: 2,
        what: format!("could not install {}", path.display()),
        because: format!(
            "its SHA-256 is {}, and no model of the pack {} has that one",
            found.unwrap_or_default(),
            pack.name
        ),
        hint:
            "`rollcall models list` shows the hashes; copy the file again, or name the right pack"
                .to_owned(),
    })
}

/// What the folder lacks stays lacking, and is told at the end.
fn from_folder(from: &Path, lacking: &[&Model], folder: &Path) -> Result<(), Failure> {
    for model in lacking {
        let path = from.join(&model.file);
        if !path.is_file() {
            continue;
        }
        let bytes = model_files::read_file(model, path.clone()).map_err(|error| {
            let exit = 2;
            let what = format!("could not install {}", path.display());
            Failure { exit, what, because: error.to_string(), hint: error.hint().to_owned() }
        })?;
        store(model, &bytes, &path, folder)?;
    }
    Ok(())
}

fn store(model: &Model, bytes: &[u8], from: &Path, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(&model.file);
    let failed = |error: &dyn std::error::Error| {
        let hint = "look at the free space of the disk and who may write there, or name another \
                    folder with --models";
        let Report { because, hint, .. } = Report::of(error, hint);
        let what = format!("could not install {}", path.display());
        Failure { exit: exit_of(Class::Transient), what, because, hint }
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    durable::write(&path, bytes, Access::Everyone).map_err(|error| failed(&error))?;
    say!("installed {} from {}", path.display(), from.display());
    Ok(())
}

/// What nobody publishes stays lacking, and is told at the end.
fn from_source(lacking: &[&Model], folder: &Path) -> Result<(), Failure> {
    for model in lacking {
        let Some(source) = &model.source else { continue };
        let bar = progress(source);
        let downloaded = download(model, source, folder, |have| bar.set_position(have));
        bar.finish_and_clear();
        let path = downloaded.map_err(|error| {
            let Report { what, because, hint } = Report::of(&error, error.hint());
            Failure { exit: exit_of(Class::Transient), what, because, hint }
        })?;
        say!("installed {} from {}", path.display(), source.url);
    }
    Ok(())
}

fn progress(source: &Source) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left  {msg}",
    );
    ProgressBar::new(source.size_bytes)
        .with_style(style.expect("the template is sound"))
        .with_message(source.url.clone())
}
