//! What the tests of the face pipeline share: the data folder, the runtimes that are there.

use std::path::{Path, PathBuf};

use rollcall::face::{
    Embedding, Manifest, OpenError, Pipeline, RuntimeChoice, Settings, model_files,
};

/// The folder of the generated people and hard cases, which travels with the project.
pub(crate) fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

/// The generated people: the name of each folder, and its pictures.
pub(crate) fn people() -> Vec<(String, Vec<PathBuf>)> {
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let folders = sorted(&assets().join("people"));
    folders.into_iter().map(|folder| (name(&folder), sorted(&folder))).collect()
}

/// What a folder holds, by name.
pub(crate) fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    paths
}

/// The default pack, which is part of the program, on one thread.
pub(crate) fn opened(runtime: RuntimeChoice) -> Pipeline {
    opened_pack(&Manifest::shipped().packs()[0].name, runtime).expect("the program has it")
}

/// The same for the pack of this name.
pub(crate) fn opened_pack(pack: &str, runtime: RuntimeChoice) -> Option<Pipeline> {
    let data = std::env::var_os("ROLLCALL_DATA").filter(|path| !path.is_empty());
    let mut settings = settings(Path::new(&data.unwrap_or_default()), runtime);
    settings.pack = Some(pack.to_owned());
    match Pipeline::open(&settings) {
        Ok(pipeline) => Some(pipeline),
        Err(OpenError::File(why)) if why.is_missing() => {
            println!("SKIPPED: pack {pack}: {why}");
            None
        }
        Err(error) => panic!("pack {pack}: {error:?}"),
    }
}

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
