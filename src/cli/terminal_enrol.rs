//! `rollcall terminal enrol` and `enrol-photos`: templates from pictures instead of at the kiosk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::report::{Exit, Report, secret_failed};
use super::terminal::{
    ConfigArg, Told, config_failed, exit_of, gallery_failed, load, look_failed, open_pipeline,
    thresholds_of,
};
use crate::camera;
use crate::domain::PersonId;
use crate::face::gallery_file::{self, GalleryFileError};
use crate::face::{Embedding, Gallery, Pipeline, Thresholds};
use crate::platform::telemetry::Chain;
use crate::platform::{chance, secret};
use crate::terminal::{Cabinet, Config, SitePlan};
use crate::uplink::Trust;

/// Most pictures of one folder: a large site's whole year.
const PICTURES_MAX: usize = 50_000;

/// What enrolling needs.
struct Studio {
    config: Config,
    secret: [u8; 32],
    pipeline: Pipeline,
    thresholds: Thresholds,
    gallery: Gallery,
    enrolled: Vec<PersonId>,
    /// A running terminal would undo what is done here.
    cabinet: Cabinet,
}

impl Studio {
    fn open(arg: &ConfigArg) -> Told<Self> {
        let config = load(arg)?;
        let secret =
            secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
        let path = &config.face.gallery_file;
        let cabinet = Cabinet::open(config.face.register(), path.clone(), secret)
            .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
        let mut pipeline = open_pipeline(&config.face)?;
        let model = pipeline.embedding_digest();
        let gallery = match gallery_file::load(path, &secret, &model) {
            Ok(gallery) => gallery,
            Err(GalleryFileError::Read { .. }) if !path.exists() => {
                Gallery::new(model).with_transform(chance::random_bytes())
            }
            Err(error) => return Err(gallery_failed(&error)),
        };
        pipeline.rotate(gallery.transform());
        let thresholds = thresholds_of(&pipeline)?.clone();
        let enrolled = Vec::new();
        Ok(Self { config, secret, pipeline, thresholds, gallery, enrolled, cabinet })
    }

    /// The one face of a picture.
    fn face(&mut self, picture: &Path) -> Told<Embedding> {
        let what = format!("could not use the picture {}", picture.display());
        let frame = camera::read(picture).map_err(|why| {
            (Exit::Usage, Report::new(&what, Chain(&why).to_string(), why.hint()))
        })?;
        let look = self.pipeline.look(&frame).map_err(|error| look_failed(&error))?;
        match look.face {
            Some(face) if look.in_front == 1 => Ok(face.embedding),
            Some(_) => {
                let because = format!("{} people stand in front", look.in_front);
                let hint = "take a picture of this person alone";
                Err((Exit::Usage, Report::new(what, because, hint)))
            }
            None => {
                let hint = "take a picture with the face in front, well lit";
                Err((Exit::Usage, Report::new(what, "no face was found in it", hint)))
            }
        }
    }

    /// Makes her template, unless the face is somebody else's.
    fn enrol(&mut self, person: PersonId, pictures: &[PathBuf]) -> Told {
        let mut faces = Vec::new();
        for picture in pictures {
            faces.push(self.face(picture)?);
        }
        let before = self.gallery.clone();
        let enrolled = self.gallery.enrol(person, &faces, self.thresholds.matching.cosine);
        enrolled.map_err(|error| {
            (Exit::Usage, Report::of(&error, "use pictures of this one person, face in front"))
        })?;
        let fpir_max = self.config.checkin.fpir_max;
        if let Some(other) = self.gallery.somebody_else(&person, &self.thresholds, fpir_max) {
            self.gallery = before;
            let because = format!("this face is enrolled as {}", other.person);
            let hint = "look whose pictures these are; twins are confirmed by card and PIN";
            return Err((Exit::Found, Report::new("could not enrol the person", because, hint)));
        }
        self.enrolled.push(person);
        Ok(())
    }

    fn keep(&mut self) -> Told {
        // First: a template of somebody whose earlier one is known to be deleted would be deleted as well.
        // The next start dates it and puts it on record.
        let enrolled = &self.enrolled;
        let kept = self.cabinet.change(|register| {
            for person in enrolled {
                if let Some(trainee) = register.trainees.get_mut(person) {
                    (trainee.template_made, trainee.share) = (None, None);
                }
            }
        });
        kept.map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the disk and who may write there"))
        })?;
        gallery_file::store(&self.gallery, &self.config.face.gallery_file, &self.secret)
            .map_err(|error| gallery_failed(&error))
    }
}

/// One person from her pictures.
pub(super) fn enrol(arg: &ConfigArg, person: PersonId, pictures: &[PathBuf]) -> Told {
    let mut studio = Studio::open(arg)?;
    studio.enrol(person, pictures)?;
    studio.keep()?;
    let (count, people) = (pictures.len(), studio.gallery.len());
    say!("enrolled from {count} pictures; {people} people in the gallery");
    Ok(())
}

/// Everybody of the plan who has pictures in a folder, named by her number: `20260001.jpg`, or several:
/// `20260001_1.jpg`, `20260001_2.jpg`. Each who can be enrolled is; the others are told one by one.
pub(super) fn enrol_photos(arg: &ConfigArg, folder: &Path) -> Told {
    let mut studio = Studio::open(arg)?;
    let site = plan(&studio.config)?;
    let what = format!("could not read the folder {}", folder.display());
    let failed =
        |io: std::io::Error| (Exit::Usage, Report::new(&what, io.to_string(), "look at its path"));
    let mut pictures: BTreeMap<PersonId, Vec<PathBuf>> = BTreeMap::new();
    let mut troubles = 0_usize;
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)?.take(PICTURES_MAX) {
        names.push(entry.map_err(failed)?.path());
    }
    names.sort();
    for path in names {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let holder = site.holder(stem).or_else(|| site.holder(stem.rsplit_once('_')?.0));
        match holder {
            Some(person) => pictures.entry(person).or_default().push(path),
            None => {
                troubles += 1;
                let name = path.display();
                eprintln!("rollcall terminal: {name}: nobody of the plan has this number");
            }
        }
    }
    let mut enrolled = 0_usize;
    for (person, pictures) in &pictures {
        match studio.enrol(*person, pictures) {
            Ok(()) => enrolled += 1,
            Err((_, report)) => {
                troubles += 1;
                eprintln!("rollcall terminal: {report}");
            }
        }
    }
    studio.keep()?;
    say!("enrolled {enrolled} people; {} people in the gallery", studio.gallery.len());
    if troubles == 0 {
        return Ok(());
    }
    let because = format!("{troubles} pictures or people could not be used; each is told above");
    let hint = "take new pictures of them, or enrol them at the kiosk";
    Err((Exit::Found, Report::new("could not enrol everybody", because, hint)))
}

/// The people of the site: from the newest dispatch, else from the file.
fn plan(config: &Config) -> Told<SitePlan> {
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the file's rights")))?;
    let dispatched = super::terminal_take::open(config, &trust)?.and_then(|(_, plan)| plan);
    match dispatched {
        Some(plan) => Ok(plan),
        None => config.site_plan().map_err(|error| config_failed(&error)),
    }
}
