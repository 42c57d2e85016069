//! `rollcall models use`: another pack is taken into use only if it runs and is calibrated, and the
//! templates of the one before are refused until everybody is enrolled anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::face_data::data_folder;
use crate::support::day::write;
use crate::support::{fine, refused};

const PERSON: &str = "00112233445566778899aabbccddeeff";

/// A terminal with a folder of installed models of its own; the files come from the data folder.
struct Site {
    folder: TempDir,
    data: Option<PathBuf>,
}

impl Site {
    fn new(data: Option<PathBuf>) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), data };
        fs::create_dir(site.at("replay")).unwrap();
        write(&site.at("plan.toml"), "site = \"s-1\"\n");
        site.configure("");
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration, with these lines more in `[face]`.
    fn configure(&self, face: &str) {
        let text = format!(
            "[terminal]\nid = \"t-1\"\nkey_file = {:?}\n[centre]\n\
             receipt_key = \"ed25519:NwqsMdLDsmUYNluLqu2xYjnodBO8fLfX/FmGtSFNXi8=\"\n\
             [journal]\ndir = {:?}\n[site]\nplan_file = {:?}\n[camera]\nreplay = {:?}\n\
             [face]\nmodels_dir = {:?}\nruntime = \"rust\"\ngallery_file = {:?}\n\
             gallery_key_file = {:?}\n{face}\n",
            self.at("terminal.key"),
            self.at("journal"),
            self.at("plan.toml"),
            self.at("replay"),
            self.at("models"),
            self.at("gallery.sealed"),
            self.at("gallery.key"),
        );
        write(&self.at("terminal.toml"), text);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(arguments).current_dir(self.folder.path()).env("XDG_DATA_HOME", "/nowhere");
        match &self.data {
            Some(data) => command.env("ROLLCALL_DATA", data),
            None => command.env_remove("ROLLCALL_DATA"),
        };
        command.output().unwrap()
    }

    fn models(&self, arguments: &[&str]) -> Output {
        let models = self.at("models");
        self.run(&[&["models", "--models", models.to_str().unwrap()], arguments].concat())
    }

    fn terminal(&self, command: &str, more: &[&str]) -> Output {
        let config = self.at("terminal.toml");
        let config = config.to_str().unwrap();
        self.run(&[&["terminal", command, "--config", config], more].concat())
    }

    fn enrol(&self) -> Output {
        let people = self.data.as_deref().unwrap().join("faces/people");
        let pictures = pictures(&people);
        let pictures: Vec<&str> = pictures[..2].iter().map(|path| path.to_str().unwrap()).collect();
        self.terminal("enrol", &[&["--person", PERSON], &pictures[..]].concat())
    }
}

/// The pictures of somebody, by name.
fn pictures(people: &Path) -> Vec<PathBuf> {
    let mut of_one: Vec<_> = fs::read_dir(people.join("Gordon_Brown"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    of_one.sort();
    of_one
}

#[test]
fn templates_of_another_pack_are_refused_until_everybody_is_enrolled_anew() {
    let Some(data) = data_folder() else { return };
    let site = Site::new(Some(data.clone()));
    fine(&site.terminal("init", &[]));
    fine(&site.models(&["use", "mobilefacenet"]));
    fine(&site.enrol());
    assert!(fine(&site.models(&["use", "mobilefacenet"])).contains("in use already"));

    let said = fine(&site.models(&["use", "mobileface_v2"]));
    assert!(said.contains("enrolled anew") && said.contains("rollcall terminal enrol"), "{said}");
    let listed = fine(&site.models(&["list"]));
    assert!(listed.contains("pack mobileface_v2, in use: `use` in"), "{listed}");
    let other = ["made by another model", "move the file away", "docs/setup.md"];
    let picture = &pictures(&data.join("faces/people"))[0];
    fs::copy(picture, site.at("replay/1.jpg")).unwrap();
    refused(&site.enrol(), 2, &other);
    refused(&site.terminal("run", &[]), 2, &other);

    // A pack that the configuration names wins over the one in use: the old templates fit it.
    site.configure("pack = \"mobilefacenet\"");
    fine(&site.enrol());
    site.configure("");

    fs::copy(site.at("gallery.sealed"), site.at("gallery.before")).unwrap();
    fs::remove_file(site.at("gallery.sealed")).unwrap();
    fine(&site.enrol());
}

#[test]
fn pack_without_thresholds_is_not_taken_into_use_and_enrols_nobody() {
    let site = Site::new(data_folder());
    refused(&site.models(&["use", "sface"]), 2, &["sface", "not calibrated", "models calibrate"]);
    assert!(!site.at("models/models.local.toml").exists());
    if site.data.is_none() {
        return;
    }
    fs::create_dir(site.at("models")).unwrap();
    let bare = "version = 1\nuse = \"bare\"\n[[pack]]\nname = \"bare\"\n\
                detector = \"yunet_n_dynamic\"\nembedding = \"mobilefacenet_foamliu\"\n\
                detector_confidence = 0.6\ndetector_nms = 0.3\n";
    write(&site.at("models/models.local.toml"), bare);
    fine(&site.terminal("init", &[]));
    refused(&site.enrol(), 2, &["bare is not calibrated", "models calibrate"]);
    assert!(!site.at("gallery.sealed").exists());
    assert!(fine(&site.models(&["verify"])).contains("ok     pack bare runs"));
}

#[test]
fn pack_that_is_not_here_or_does_not_run_is_not_taken_into_use() {
    let site = Site::new(None);
    refused(&site.models(&["use", "nobody"]), 2, &["nobody"]);
    let missing = ["take the pack mobilefacenet into use", "could not find", "models install"];
    refused(&site.models(&["use", "mobilefacenet"]), 3, &missing);
    let alone = ["--manifest takes a manifest alone"];
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/manifest.toml");
    let manifest = ["--manifest", example.to_str().unwrap()];
    refused(&site.models(&[&manifest[..], &["use", "mobilefacenet"]].concat()), 2, &alone);
    assert!(!site.at("models").exists(), "nothing was written");
}
