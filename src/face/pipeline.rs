//! The stages of `face` joined: a pack of models, opened once, looks at frames.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::align::align;
use super::detect::{Detector, Found, Points, Rect, front};
use super::embed::{Embedder, Embedding};
use super::liveness::{LivenessNet, liveness};
use super::local_manifest::{self, LocalError};
use super::manifest::{Manifest, ManifestError, Model, Pack, Role, Thresholds};
use super::model_files::{self, ModelFileError};
use super::onnx::{Engine, Net, NetError, Runtime, RuntimeChoice, RuntimeError};
use super::quality;
use super::transform::Transform;
use crate::camera::Frame;
use crate::domain::{FacePlace, Quality, Score};
use crate::platform::clock::Stopwatch;
use crate::platform::telemetry::Class;

/// How a pipeline is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which models there are.
    pub manifest: Manifest,
    /// Where their files are looked for: [`model_files::search_folders`].
    pub folders: Vec<PathBuf>,
    /// Which pack; the manifest's first if `None`.
    pub pack: Option<String>,
    /// Which runtime.
    pub runtime: RuntimeChoice,
    /// Threads for one net; nets run one after the other. At least 1.
    pub threads: usize,
}

impl Settings {
    /// What this machine has: the shipped manifest and the local one, its pack in use, the best
    /// runtime, two threads. `models` is the folder of the configuration or the command line,
    /// `data` the value of `ROLLCALL_DATA`. Every root begins here.
    pub fn installed(models: Option<&Path>, data: Option<&Path>) -> Result<Self, OpenError> {
        let mut settings = Self::with_folders(model_files::search_folders(models, data));
        if let Some(folder) = model_files::installed_folder(models) {
            settings.manifest = local_manifest::merged(&settings.manifest, &folder)?;
        }
        Ok(settings)
    }

    /// The shipped manifest, its first pack, the best runtime, two threads.
    pub fn with_folders(folders: Vec<PathBuf>) -> Self {
        Self {
            manifest: Manifest::shipped(),
            folders,
            pack: None,
            runtime: RuntimeChoice::Auto,
            threads: 2,
        }
    }
}

/// A pipeline cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No such pack.
    #[error("could not choose the models")]
    Manifest(#[from] ManifestError),
    /// The local manifest is wrong.
    #[error("could not choose the models")]
    Local(#[from] LocalError),
    /// Missing, unreadable or another file.
    #[error("could not use the models")]
    File(#[from] ModelFileError),
    /// ONNX Runtime was demanded.
    #[error("could not start the runtime that was asked for")]
    Runtime(#[from] RuntimeError),
    /// The right file, and the runtime cannot run it as the manifest says.
    #[error("could not load the model {model}")]
    Model {
        /// Its name in the manifest.
        model: String,
        /// Why.
        #[source]
        why: NetError,
    },
}

impl OpenError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Manifest(why) => why.hint(),
            Self::Local(why) => why.hint(),
            Self::File(why) => why.hint(),
            Self::Runtime(_) => {
                "let ORT_DYLIB_PATH name libonnxruntime.so (1.24 or newer), or choose the runtime \
                 auto or rust"
            }
            Self::Model { .. } => {
                "choose another runtime or another pack: `rollcall models verify`"
            }
        }
    }

    /// Stable name, for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Manifest(_) => "models_unknown",
            Self::Local(why) => why.code(),
            Self::File(_) => "model_file",
            Self::Runtime(_) => "runtime_missing",
            Self::Model { .. } => "model_unusable",
        }
    }

    /// Files and runtimes belong to the machine, and may be there at the next start; a wrong choice
    /// of models stays wrong.
    pub fn class(&self) -> Class {
        match self {
            Self::Manifest(_) => Class::Permanent,
            Self::Local(why) => why.class(),
            Self::File(_) | Self::Runtime(_) | Self::Model { .. } => Class::Transient,
        }
    }
}

/// A frame could not be measured: a net failed, which a frame cannot cause.
#[derive(Debug, thiserror::Error)]
#[error("could not {verb} the face")]
pub struct LookError {
    /// Which stage: detect, align, embed.
    pub verb: &'static str,
    /// What the runtime said.
    #[source]
    pub why: NetError,
}

impl LookError {
    /// Stable name, for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        "look_failed"
    }

    /// The next frame may work; if it goes on, the models or the machine's memory are to blame.
    pub fn class(&self) -> Class {
        Class::Transient
    }
}

/// The face in front, measured. Stays in the terminal.
#[derive(Clone)]
pub struct FrontFace {
    /// Where it is in the frame.
    pub rect: Rect,
    /// Eyes, nose, mouth.
    pub points: Points,
    /// Differs between any two pictures that a camera takes.
    pub fingerprint: u64,
    /// Whether the picture is good enough to decide on.
    pub quality: Quality,
    /// Passive liveness; `None` when the pack has no such net.
    pub liveness: Option<Score>,
    /// What is compared.
    pub embedding: Embedding,
}

impl FrontFace {
    /// Where it is in a frame of these sides.
    pub fn place(&self, frame: [f32; 2]) -> FacePlace {
        let Rect { x, y, w: width, h: height } = self.rect;
        FacePlace { x, y, width, height, frame }
    }
}

impl fmt::Debug for FrontFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrontFace(<hidden>)")
    }
}

/// What one frame showed.
#[derive(Debug, Clone)]
pub struct Look {
    /// Width and height of the frame, in pixels.
    pub frame: [f32; 2],
    /// How many faces the detector found.
    pub faces: usize,
    /// How many of them stand at the kiosk: those at least half as wide as the one in front.
    /// Whoever waits further back in the queue is not counted.
    pub in_front: usize,
    /// The one in front, if it could be measured.
    pub face: Option<FrontFace>,
    /// How long it took.
    pub timings: Timings,
}

/// How long each stage took; a stage that did not run took nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Finding faces.
    pub detect: Duration,
    /// Aligning, and measuring the quality.
    pub align: Duration,
    /// Asking the liveness nets.
    pub liveness: Duration,
    /// Making the embedding.
    pub embed: Duration,
}

/// A pack of models, ready. Each thread that looks has one of its own.
pub struct Pipeline {
    pack: Pack,
    runtime: (Runtime, String),
    detector: Detector,
    embedder: Embedder,
    liveness: Vec<LivenessNet>,
    aligned: Frame,
    transform: Option<Transform>,
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({} on {})", self.pack.name, self.runtime.0.as_str())
    }
}

impl Pipeline {
    /// Loads the pack, checks it, and looks once at nothing.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let pack = settings.manifest.pack(settings.pack.as_deref())?.clone();
        let engine = Engine::choose(settings.runtime)?;
        let threads = settings.threads.max(1);
        let load = |model: &Model| {
            let bytes = model_files::read(model, &settings.folders)?;
            let why = |why| OpenError::Model { model: model.name.clone(), why };
            engine.load(bytes, threads).map_err(why)
        };
        let detector = Detector::new(load(&pack.detector)?, &pack);
        let (embedder, side_px) = embedder(load(&pack.embedding)?, &pack.embedding)?;
        let mut liveness = Vec::with_capacity(pack.liveness.len());
        for model in &pack.liveness {
            liveness.push(liveness_net(load(model)?, model)?);
        }
        let runtime = (engine.runtime(), engine.why().to_owned());
        let aligned = Frame::black(side_px, side_px);
        let mut pipeline =
            Self { pack, runtime, detector, embedder, liveness, aligned, transform: None };
        pipeline.time_each_net(&Frame::black(64, 64))?;
        Ok(pipeline)
    }

    /// Runs each net once, whether the frame shows a face or not: the detector on the frame, the
    /// embedding on an empty face, the liveness nets on a corner of the frame. A net that does
    /// not fit its entry shows it on the first run.
    pub fn time_each_net(&mut self, frame: &Frame) -> Result<Timings, OpenError> {
        let named = |model: &Model, why| OpenError::Model { model: model.name.clone(), why };
        let mut timings = Timings::default();
        let watch = Stopwatch::start();
        self.detector.detect(frame).map_err(|why| named(&self.pack.detector, why))?;
        timings.detect = watch.elapsed();
        let watch = Stopwatch::start();
        self.embedder.embed(&self.aligned).map_err(|why| named(&self.pack.embedding, why))?;
        timings.embed = watch.elapsed();
        let corner = Rect { x: 0.0, y: 0.0, w: 32.0, h: 32.0 };
        let watch = Stopwatch::start();
        for (net, model) in self.liveness.iter_mut().zip(&self.pack.liveness) {
            liveness(std::slice::from_mut(net), frame, &corner).map_err(|why| named(model, why))?;
        }
        timings.liveness = watch.elapsed();
        Ok(timings)
    }

    /// The thresholds of the pack, by which alone people may be judged.
    pub fn thresholds(&self) -> Result<&Thresholds, OpenError> {
        Ok(self.pack.calibrated()?)
    }

    /// The pack in use.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// Digest of the pack, for records.
    pub fn pack_digest(&self) -> [u8; 32] {
        self.pack.digest()
    }

    /// Digest of the embedding model, which galleries are bound to.
    pub fn embedding_digest(&self) -> [u8; 32] {
        self.pack.embedding.digest()
    }

    /// The runtime in use.
    pub fn runtime(&self) -> Runtime {
        self.runtime.0
    }

    /// Why that one, for people.
    pub fn runtime_why(&self) -> &str {
        &self.runtime.1
    }

    /// Whether this machine can give that runtime.
    pub fn runtime_is_there(choice: RuntimeChoice) -> bool {
        Engine::choose(choice).is_ok()
    }

    /// Lets every face pass the rotation of this key from now on ([`Gallery::transform`]).
    ///
    /// [`Gallery::transform`]: super::Gallery::transform
    pub fn rotate(&mut self, key: [u8; 32]) {
        self.transform = Some(Transform::new(key, self.embedder.floats()));
    }

    /// How many numbers an embedding has.
    pub fn floats(&self) -> usize {
        self.embedder.floats()
    }

    /// Finds the faces of a frame and measures the one in front (large, and near the middle).
    pub fn look(&mut self, frame: &Frame) -> Result<Look, LookError> {
        let mut timings = Timings::default();
        let watch = Stopwatch::start();
        let found = self.detector.detect(frame).map_err(|why| LookError { verb: "detect", why })?;
        timings.detect = watch.elapsed();
        let (faces, front) = (found.len(), front(&found, frame));
        let in_front = front.map_or(0, |front| beside(&front, &found));
        let face = match front {
            Some(front) => self.measure(frame, &front, &mut timings)?,
            None => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "sides of a picture are small")]
        let frame = [frame.width() as f32, frame.height() as f32];
        Ok(Look { frame, faces, in_front, face, timings })
    }

    /// Measures the largest faces of a frame, at most so many, the largest first.
    pub fn look_at_all(
        &mut self,
        frame: &Frame,
        faces_max: usize,
    ) -> Result<Vec<FrontFace>, LookError> {
        let found = self.detector.detect(frame);
        let mut found = found.map_err(|why| LookError { verb: "detect", why })?;
        found.sort_by(|a, b| b.rect.w.total_cmp(&a.rect.w));
        let mut faces = Vec::new();
        for one in found.iter().take(faces_max) {
            faces.extend(self.measure(frame, one, &mut Timings::default())?);
        }
        Ok(faces)
    }

    /// Only finds faces, from this confidence on (0…1), the most certain first.
    pub fn find(&mut self, frame: &Frame, confidence_min: f32) -> Result<Vec<Found>, LookError> {
        let found = self.detector.detect_from(frame, confidence_min);
        found.map_err(|why| LookError { verb: "detect", why })
    }

    /// `None` when the points make no face or the net saw nothing in it.
    fn measure(
        &mut self,
        frame: &Frame,
        front: &Found,
        timings: &mut Timings,
    ) -> Result<Option<FrontFace>, LookError> {
        let watch = Stopwatch::start();
        if !align(frame, &front.points, &mut self.aligned) {
            return Ok(None);
        }
        let quality = quality::measure(front, &self.aligned);
        timings.align = watch.elapsed();

        let watch = Stopwatch::start();
        let alive = liveness(&mut self.liveness, frame, &front.rect)
            .map_err(|why| LookError { verb: "judge the liveness of", why })?;
        timings.liveness = watch.elapsed();

        let watch = Stopwatch::start();
        let embedding =
            self.embedder.embed(&self.aligned).map_err(|why| LookError { verb: "embed", why })?;
        let embedding = match &self.transform {
            Some(transform) => embedding.map(|face| transform.apply(&face)),
            None => embedding,
        };
        timings.embed = watch.elapsed();

        Ok(embedding.map(|embedding| FrontFace {
            rect: front.rect,
            points: front.points,
            fingerprint: quality::fingerprint(&self.aligned),
            quality,
            liveness: alive.map(Score::from_f32),
            embedding,
        }))
    }
}

/// How many faces are at least half as wide as the one in front, itself among them.
fn beside(front: &Found, found: &[Found]) -> usize {
    found.iter().filter(|face| face.rect.w * 2.0 >= front.rect.w).count()
}

fn embedder(net: Box<dyn Net>, model: &Model) -> Result<(Embedder, u32), OpenError> {
    match &model.role {
        Role::Embedding { side_px, output, mirror } => {
            let embedder = Embedder::new(net, &model.normalisation, output.clone(), *mirror);
            Ok((embedder, *side_px))
        }
        Role::Detector { .. } | Role::Liveness { .. } => Err(wrong_role(model)),
    }
}

fn liveness_net(net: Box<dyn Net>, model: &Model) -> Result<LivenessNet, OpenError> {
    match &model.role {
        Role::Liveness { side_px, output, class, crop } => Ok(LivenessNet::new(
            net,
            &model.normalisation,
            *side_px,
            output.clone(),
            (*class, *crop),
        )),
        Role::Detector { .. } | Role::Embedding { .. } => Err(wrong_role(model)),
    }
}

fn wrong_role(model: &Model) -> OpenError {
    let why = NetError::Shape(format!("it is a {}", model.role.as_str()));
    OpenError::Model { model: model.name.clone(), why }
}
