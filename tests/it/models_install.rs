//! `rollcall models install`: from a folder, a file, and a web server that behaves in every way.
//! Whatever happens, a file under a model's name is the whole right file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::broker::free_port;
use crate::support::day::write;
use crate::support::file_server::{FileServer, Serves};
use crate::support::{fine, refused};

const PACK: &str = "mine";
const SIZE: usize = 300_000;

/// Bytes that are no model: installing asks for the hash alone.
fn bytes(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(SIZE).collect()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// A folder of installed models whose local manifest has a pack of two files.
struct Site(TempDir);

impl Site {
    /// The detector is published at `url`; the embedding nowhere.
    fn new(url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source =
            url.map_or(String::new(), |url| format!("source = \"{url}\"\nsize_bytes = {SIZE}\n"));
        let model = |name: &str, role: &str, sha256: String, more: &str| {
            format!(
                "[[model]]\nname = \"{name}\"\nrole = \"{role}\"\nfile = \"{name}.onnx\"\n\
                 sha256 = \"{sha256}\"\ncolour = \"rgb\"\nscale = 1.0\nmean = [0.0, 0.0, 0.0]\n\
                 std = [1.0, 1.0, 1.0]\nlicence = \"MIT\"\nprovenance = \"made in a test\"\n{more}"
            )
        };
        let detector = format!("input = [1, 3, 0, 0]\npost = \"yunet\"\n{source}");
        let embedding = "input = [1, 3, 112, 112]\npost = \"unit\"\n\
                         output = { name = \"out\", shape = [1, 128] }\n";
        let text = format!(
            "version = 1\n{}{}[[pack]]\nname = \"{PACK}\"\ndetector = \"d\"\nembedding = \"e\"\n\
             detector_confidence = 0.6\ndetector_nms = 0.3\n",
            model("d", "detector", hex(&bytes(1)), &detector),
            model("e", "embedding", hex(&bytes(2)), embedding),
        );
        let site = Self(folder);
        write(&site.at("models.local.toml"), text);
        site
    }

    /// The embedding is there already: only the detector is to be downloaded.
    fn lacking_the_detector(url: &str) -> Self {
        let site = Self::new(Some(url));
        write(&site.at("e.onnx"), bytes(2));
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(["models", "--models"]).arg(self.0.path()).args(arguments);
        without_the_machines_own(&mut command);
        command
    }

    fn install(&self, more: &[&str]) -> Output {
        self.command(&[&["install", PACK], more].concat()).output().unwrap()
    }

    /// What lies in the folder, without the manifest.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "models.local.toml").collect();
        names.sort();
        names
    }
}

/// Neither models, nor a proxy, nor a choice of the machine that the tests run on.
fn without_the_machines_own(command: &mut Command) {
    for variable in ["ROLLCALL_DATA", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(variable);
    }
    command.env("XDG_DATA_HOME", "/nowhere");
}

#[test]
fn downloaded_file_is_whole_and_a_second_run_asks_nobody() {
    let server = FileServer::start(bytes(1), &[Serves::Parts]);
    let site = Site::lacking_the_detector(&server.url);
    let said = fine(&site.install(&[]));
    assert!(said.contains(&server.url) && said.contains("complete"), "{said}");
    assert_eq!(fs::read(site.at("d.onnx")).unwrap(), bytes(1));
    assert_eq!(site.files(), ["d.onnx", "e.onnx"]);
    assert!(fine(&site.install(&[])).contains("here already"));
    assert_eq!(server.asked(), [None]);
}

#[test]
fn cut_download_goes_on_where_it_stopped() {
    let server =
        FileServer::start(bytes(1), &[Serves::Cut(100_000), Serves::Cut(50_000), Serves::Parts]);
    let site = Site::lacking_the_detector(&server.url);
    refused(
        &site.install(&[]),
        3,
        &["d.onnx to its end", "100000 of 300000", "run the same command"],
    );
    assert!(!site.at("d.onnx").exists(), "half a file bears no name");
    refused(&site.install(&[]), 3, &["150000 of 300000"]);
    fine(&site.install(&[]));
    assert_eq!(fs::read(site.at("d.onnx")).unwrap(), bytes(1));
    assert_eq!(site.files(), ["d.onnx", "e.onnx"], "nothing is left beside");
    let asked = [None, Some("bytes=100000-".to_owned()), Some("bytes=150000-".to_owned())];
    assert_eq!(server.asked(), asked);
}

#[test]
fn server_that_knows_no_parts_sends_it_anew() {
    let server = FileServer::start(bytes(1), &[Serves::Cut(100_000), Serves::Whole]);
    let site = Site::lacking_the_detector(&server.url);
    refused(&site.install(&[]), 3, &["100000 of 300000"]);
    fine(&site.install(&[]));
    assert_eq!(fs::read(site.at("d.onnx")).unwrap(), bytes(1));
}

#[test]
fn another_part_than_was_asked_for_is_not_taken() {
    let server =
        FileServer::start(bytes(1), &[Serves::Cut(100_000), Serves::OtherPart, Serves::Parts]);
    let site = Site::lacking_the_detector(&server.url);
    refused(&site.install(&[]), 3, &["100000 of 300000"]);
    refused(&site.install(&[]), 3, &["another part"]);
    fine(&site.install(&[]));
    assert_eq!(fs::read(site.at("d.onnx")).unwrap(), bytes(1));
}

#[test]
fn wrong_bytes_are_thrown_away_and_the_hashes_told() {
    let wrong = bytes(9);
    let long = [bytes(1), vec![0; 5_000]].concat();
    for (file, word) in [(wrong.clone(), hex(&wrong)), (long, "longer than".to_owned())] {
        let server = FileServer::start(file, &[Serves::Parts]);
        let site = Site::lacking_the_detector(&server.url);
        refused(&site.install(&[]), 3, &["d.onnx", &word, "--from FILE"]);
        assert!(!site.at("d.onnx").exists());
        let kept: u64 = site
            .files()
            .iter()
            .filter(|name| name.ends_with(".part"))
            .map(|name| fs::metadata(site.at(name)).unwrap().len())
            .sum();
        assert_eq!(kept, 0, "the next attempt begins anew");
    }
}

#[test]
fn absent_file_and_absent_server_are_told_apart() {
    let server = FileServer::start(bytes(1), &[Serves::NotFound]);
    let site = Site::lacking_the_detector(&server.url);
    refused(&site.install(&[]), 3, &["could not download d.onnx", "404", "--from FILE"]);
    assert!(!site.at("d.onnx").exists());

    let nobody = format!("http://127.0.0.1:{}/model.onnx", free_port());
    let site = Site::lacking_the_detector(&nobody);
    refused(&site.install(&[]), 3, &["could not reach", &nobody, "online"]);
    assert!(!site.at("d.onnx").exists());
}

#[test]
fn file_that_nobody_publishes_is_asked_for() {
    let server = FileServer::start(bytes(1), &[Serves::Parts]);
    let site = Site::new(Some(&server.url));
    refused(&site.install(&[]), 3, &["e.onnx", "made in a test", "--from DIR"]);
    assert_eq!(site.files(), ["d.onnx"], "what there is was brought");
}

#[test]
fn full_disk_leaves_nothing_under_the_models_name() {
    let server = FileServer::start(bytes(1), &[Serves::Parts]);
    let site = Site::lacking_the_detector(&server.url);
    let from = tempfile::tempdir().unwrap();
    write(&from.path().join("d.onnx"), bytes(1));
    let from = from.path().to_str().unwrap();
    for more in [&[][..], &["--from", from]] {
        let install = site.command(&[&["install", PACK], more].concat());
        // No file may grow beyond 100 KiB: to the program that is a full disk.
        let script = "ulimit -f 100; trap '' XFSZ; exec \"$@\"";
        let mut full = Command::new("bash");
        full.args(["-c", script, "bash"]).arg(install.get_program()).args(install.get_args());
        without_the_machines_own(&mut full);
        refused(&full.output().unwrap(), 3, &["could not ", "File too large", "free space"]);
        assert_eq!(site.files(), ["e.onnx"]);
    }
}

#[test]
fn folder_gives_what_it_has_and_an_exchanged_file_is_refused() {
    let site = Site::new(None);
    let from = tempfile::tempdir().unwrap();
    let at = |name: &str| from.path().join(name);
    let from = from.path().to_str().unwrap();
    write(&at("d.onnx"), bytes(1));
    refused(&site.install(&["--from", from]), 3, &["has no e.onnx"]);
    assert_eq!(fs::read(site.at("d.onnx")).unwrap(), bytes(1));
    write(&at("e.onnx"), bytes(9));
    refused(&site.install(&["--from", from]), 2, &["e.onnx", &hex(&bytes(9)), &hex(&bytes(2))]);
    assert_eq!(site.files(), ["d.onnx"]);
    write(&at("e.onnx"), bytes(2));
    assert!(fine(&site.install(&["--from", from])).contains("complete"));
    assert_eq!(site.files(), ["d.onnx", "e.onnx"]);
    refused(&Site::new(None).install(&["--from", "/nowhere"]), 3, &["/nowhere has no d.onnx"]);
}

#[test]
fn single_file_is_recognised_by_its_hash_and_replaces_a_wrong_one() {
    let site = Site::new(None);
    let brought = tempfile::tempdir().unwrap();
    let path = brought.path().join("download (3)");
    let from = ["--from", path.to_str().unwrap()];
    write(&site.at("e.onnx"), "something else");
    write(&path, bytes(2));
    let said = fine(&site.install(&from));
    assert!(said.contains("e.onnx") && said.contains("still missing: d.onnx"), "{said}");
    assert_eq!(fs::read(site.at("e.onnx")).unwrap(), bytes(2));
    write(&path, bytes(7));
    refused(&site.install(&from), 2, &[&hex(&bytes(7)), PACK]);
    write(&path, bytes(1));
    assert!(fine(&site.install(&from)).contains("complete"));
}

#[test]
fn unknown_pack_and_impossible_folder_are_told() {
    let site = Site::new(None);
    let output = site.command(&["install", "nobody"]).output().unwrap();
    refused(&output, 2, &["nobody", PACK, "models list"]);
    let mut below_a_file = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml/models");
    below_a_file.args(["models", "list", "--models"]).arg(folder);
    without_the_machines_own(&mut below_a_file);
    refused(&below_a_file.output().unwrap(), 3, &["Cargo.toml"]);
}
