//! What the tests of the face pipeline share: the data folder, the runtimes that are there.

use std::path::{Path, PathBuf};

use rollcall::face::{Embedding, Pipeline, RuntimeChoice, Settings, model_files};

/// The folder that `ROLLCALL_DATA` names; without it the test says that it was skipped.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("ROLLCALL_DATA").filter(|path| !path.is_empty());
    if folder.is_none() {
        println!("SKIPPED: ROLLCALL_DATA names no folder with face models and pictures");
    }
    folder.map(PathBuf::from)
}

/// The pack whose files lie in the data folder, one thread.
pub(crate) fn settings(data: &Path, runtime: RuntimeChoice) -> Settings {
    let mut settings = Settings::with_folders(model_files::search_folders(None, Some(data)));
    settings.pack = Some("mobilefacenet".to_owned());
    settings.runtime = runtime;
    settings.threads = 1;
    settings
}

/// The pure-Rust runtime, and ONNX Runtime where `ORT_DYLIB_PATH` or the machine has it.
pub(crate) fn runtimes() -> Vec<RuntimeChoice> {
    let onnxruntime = Pipeline::runtime_is_there(RuntimeChoice::OnnxRuntime);
    if !onnxruntime {
        println!(
            "SKIPPED: ONNX Runtime is not on this machine; only the pure-Rust runtime is tested"
        );
    }
    let all = [Some(RuntimeChoice::Rust), onnxruntime.then_some(RuntimeChoice::OnnxRuntime)];
    all.into_iter().flatten().collect()
}

/// Cosine of an embedding with the first numbers of another, as far as they go.
pub(crate) fn cosine(embedding: &Embedding, reference: &[f32]) -> f32 {
    let values = &embedding.as_slice()[..reference.len()];
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(values, reference) / (dot(values, values) * dot(reference, reference)).sqrt()
}
