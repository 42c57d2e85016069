//! The only file that knows an inference runtime. There are two, chosen when the program starts:
//! ONNX Runtime (several times faster; a shared library that the machine may have or not) and
//! rten, in pure Rust, which is always there. To the rest of `face` both are a [`Net`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};

use super::onnx_check;

/// Which runtime the user wants.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeChoice {
    /// ONNX Runtime if it can be loaded, else the pure-Rust one.
    #[default]
    Auto,
    /// ONNX Runtime or nothing.
    #[value(name = "onnxruntime")]
    OnnxRuntime,
    /// The pure-Rust one.
    Rust,
}

/// Which runtime is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// ONNX Runtime, a shared library.
    OnnxRuntime,
    /// rten, built in.
    Rust,
}

impl Runtime {
    /// The word for options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnnxRuntime => "onnxruntime",
            Self::Rust => "rust",
        }
    }
}

/// ONNX Runtime was demanded and cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("could not load ONNX Runtime: {tried}")]
pub struct RuntimeError {
    /// What was tried, and what came of it.
    pub tried: String,
}

/// A net could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Said by ONNX Runtime.
    #[error("ONNX Runtime refused")]
    OnnxRuntime(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Said by rten.
    #[error("the pure-Rust runtime refused")]
    Rust(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not even the outside is right.
    #[error("{0}")]
    Format(&'static str),
    /// It runs, and is not what the manifest says.
    #[error("the net does not fit its manifest entry: {0}")]
    Shape(String),
}

/// One output of a run, in the buffer of its [`Net`].
#[derive(Default)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) values: Vec<f32>,
}

/// A loaded net with one input. Each owner has one of its own; buffers are kept from run to run.
pub(super) trait Net: Send {
    /// Runs it on `input`, whose sides are `shape` (n, channels, height, width).
    fn run(&mut self, shape: [usize; 4], input: &[f32]) -> Result<&[Output], NetError>;
}

/// A runtime that is ready to load nets, and why it was taken.
pub(super) struct Engine {
    kind: Kind,
    why: String,
}

enum Kind {
    OnnxRuntime(ort::environment::Environment),
    Rust,
}

impl Engine {
    /// Takes the runtime that is wanted, or the best that is there.
    pub(super) fn choose(choice: RuntimeChoice) -> Result<Self, RuntimeError> {
        let rust = |why: &str| Self { kind: Kind::Rust, why: why.to_owned() };
        match choice {
            RuntimeChoice::Rust => Ok(rust("as asked for")),
            RuntimeChoice::OnnxRuntime | RuntimeChoice::Auto => match shared_environment() {
                Ok((environment, from)) => Ok(Self {
                    kind: Kind::OnnxRuntime(environment),
                    why: format!("loaded from {}", from.display()),
                }),
                Err(tried) if choice == RuntimeChoice::Auto => {
                    Ok(rust(&format!("ONNX Runtime is not to be had here: {tried}")))
                }
                Err(tried) => Err(RuntimeError { tried }),
            },
        }
    }

    pub(super) fn runtime(&self) -> Runtime {
        match self.kind {
            Kind::OnnxRuntime(_) => Runtime::OnnxRuntime,
            Kind::Rust => Runtime::Rust,
        }
    }

    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// Loads a net that shall run on `threads` threads.
    pub(super) fn load(&self, bytes: Vec<u8>, threads: usize) -> Result<Box<dyn Net>, NetError> {
        onnx_check::check(&bytes).map_err(NetError::Format)?;
        match &self.kind {
            Kind::OnnxRuntime(environment) => {
                Ok(Box::new(OrtNet::load(environment, &bytes, threads)?))
            }
            Kind::Rust => Ok(Box::new(RustNet::load(bytes, threads)?)),
        }
    }
}

/// Where a package manager or a Python wheel's library is commonly linked to. The loader finds
/// the plain names in its own search path.
const LIBRARIES: [&str; 5] = [
    "libonnxruntime.so",
    "libonnxruntime.so.1",
    "/usr/local/lib/libonnxruntime.so",
    "/usr/local/lib/libonnxruntime.so.1",
    "/opt/onnxruntime/lib/libonnxruntime.so",
];

/// ONNX Runtime allows one environment per process, for ever; so it is kept here, and only a
/// success is kept: a later call may find a library that an earlier one did not.
fn shared_environment() -> Result<(ort::environment::Environment, PathBuf), String> {
    static SHARED: OnceLock<(ort::environment::Environment, PathBuf)> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((environment, from)) = SHARED.get() {
        return Ok((environment.clone(), from.clone()));
    }
    // The variable, when set, is an order: no other library is taken in its place.
    let candidates: Vec<PathBuf> = match std::env::var_os("ORT_DYLIB_PATH") {
        Some(path) if !path.is_empty() => vec![PathBuf::from(path)],
        Some(_) | None => LIBRARIES.iter().map(PathBuf::from).collect(),
    };
    let mut tried = Vec::new();
    for path in candidates {
        match environment_from(&path) {
            Ok(environment) => {
                let (environment, from) = SHARED.get_or_init(|| (environment, path));
                return Ok((environment.clone(), from.clone()));
            }
            Err(why) => tried.push(why),
        }
    }
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        // Five times "no such file" helps nobody.
        return Err("no library at the usual places, and ORT_DYLIB_PATH names none".to_owned());
    }
    Err(tried.join("; "))
}

fn environment_from(path: &std::path::Path) -> Result<ort::environment::Environment, String> {
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    builder.with_telemetry(false).build().map_err(|error| error.to_string())
}

struct OrtNet {
    session: Session,
    outputs: Vec<Output>,
}

impl OrtNet {
    fn load(
        environment: &ort::environment::Environment,
        bytes: &[u8],
        threads: usize,
    ) -> Result<Self, NetError> {
        let session = Session::builder(environment)
            .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Level3)?))
            .and_then(|b| Ok(b.with_intra_threads(threads)?))
            .and_then(|b| Ok(b.with_inter_threads(1)?))
            // A kiosk waits for faces most of the day: idle threads sleep instead of spinning.
            .and_then(|b| Ok(b.with_intra_op_spinning(false)?))
            .and_then(|mut b| b.commit_from_memory(bytes))
            .map_err(refused_by_ort)?;
        one_input(session.inputs().len())?;
        let outputs = session
            .outputs()
            .iter()
            .map(|output| Output { name: output.name().to_owned(), values: Vec::new() })
            .collect();
        Ok(Self { session, outputs })
    }
}

impl Net for OrtNet {
    fn run(&mut self, shape: [usize; 4], input: &[f32]) -> Result<&[Output], NetError> {
        let tensor = TensorRef::from_array_view((shape, input)).map_err(refused_by_ort)?;
        let answers = self.session.run(ort::inputs![tensor]).map_err(refused_by_ort)?;
        for (output, answer) in self.outputs.iter_mut().zip(answers.values()) {
            let (_, values) = answer.try_extract_tensor::<f32>().map_err(refused_by_ort)?;
            output.values.clear();
            output.values.extend_from_slice(values);
        }
        drop(answers);
        Ok(&self.outputs)
    }
}

fn refused_by_ort(error: ort::Error) -> NetError {
    NetError::OnnxRuntime(Box::new(error))
}

struct RustNet {
    model: rten::Model,
    input: rten::NodeId,
    output_ids: Vec<rten::NodeId>,
    pool: Arc<rten::ThreadPool>,
    outputs: Vec<Output>,
}

impl RustNet {
    fn load(bytes: Vec<u8>, threads: usize) -> Result<Self, NetError> {
        let mut options = rten::ModelOptions::with_all_ops();
        options.prepack_weights(true);
        let model = options.load(bytes).map_err(refused_by_rust)?;
        one_input(model.input_ids().len())?;
        let input = model.input_ids()[0];
        let output_ids = model.output_ids().to_vec();
        let outputs = output_ids
            .iter()
            .map(|id| {
                let name = model.node_info(*id).and_then(|info| info.name().map(str::to_owned));
                Output { name: name.unwrap_or_default(), values: Vec::new() }
            })
            .collect();
        let pool = Arc::new(rten::ThreadPool::with_num_threads(threads));
        Ok(Self { model, input, output_ids, pool, outputs })
    }
}

impl Net for RustNet {
    fn run(&mut self, shape: [usize; 4], input: &[f32]) -> Result<&[Output], NetError> {
        if shape.iter().product::<usize>() != input.len() {
            return Err(NetError::Shape(format!("{shape:?} does not hold {} values", input.len())));
        }
        let view = TensorView::from_data(shape.as_slice(), input);
        let options = rten::RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let answers = self
            .model
            .run(vec![(self.input, view.into())], &self.output_ids, Some(options))
            .map_err(refused_by_rust)?;
        for (output, answer) in self.outputs.iter_mut().zip(answers) {
            let tensor: Tensor<f32> = answer.try_into().map_err(refused_by_rust)?;
            output.values.clear();
            match tensor.data() {
                Some(values) => output.values.extend_from_slice(values),
                None => output.values.extend(tensor.iter()),
            }
        }
        Ok(&self.outputs)
    }
}

fn refused_by_rust(error: impl std::error::Error + Send + Sync + 'static) -> NetError {
    NetError::Rust(Box::new(error))
}

fn one_input(inputs: usize) -> Result<(), NetError> {
    match inputs {
        1 => Ok(()),
        _ => Err(NetError::Shape(format!("it has {inputs} inputs instead of one"))),
    }
}

/// The values of the output of that name.
pub(super) fn output_named<'o>(outputs: &'o [Output], name: &str) -> Result<&'o [f32], NetError> {
    let found = outputs.iter().find(|output| output.name == name);
    found.map(|output| output.values.as_slice()).ok_or_else(|| {
        let known: Vec<_> = outputs.iter().map(|output| output.name.as_str()).collect();
        NetError::Shape(format!("it has no output {name:?} but {}", known.join(", ")))
    })
}
