//! Holds the house against its plan: who may import whom (docs/decisions, ARCHITECTURE.md), and
//! what must not be found at all. It reads the source text, not the types, so that a failure can
//! name the line and say what to do. Each law has its table on top; a law is changed there, with
//! a page in docs/decisions/ that says what is gained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What every stage may use.
const GROUND_FLOOR: [&str; 3] = ["domain", "record", "platform"];

/// Who may import whom: a room and the rooms that it knows besides itself.
const ROOMS: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("record", &["domain"]),
    ("platform", &["domain"]),
    // Terminal.
    ("camera", &[]),
    ("face", &["camera"]),
    ("checkin", &[]),
    ("journal", &[]),
    ("uplink", &["journal"]),
    ("kiosk", &[]),
    // Centre.
    ("ingest", &[]),
    ("ledger", &["ingest"]),
    ("registry", &["ledger"]),
    ("rules", &["ledger", "registry"]),
    ("cases", &["ledger", "rules"]),
    ("reports", &["ledger", "registry", "cases"]),
    ("feed", &["ledger", "cases"]),
    ("web", &["feed", "ledger", "registry", "cases", "reports"]),
];

/// Where stages are joined: they may know everything, and nobody may know them.
const ROOTS: [&str; 14] = [
    "lib",
    "main",
    "bin",
    "cli",
    "terminal",
    "collector",
    "demo",
    "simulate",
    "province",
    "evaluate",
    "bench",
    "verify",
    "witness",
    "testing",
];

/// Crates of one technology, and the only places that may name them (a file, or a folder with a
/// slash at its end). Their error types may stand in error enums elsewhere.
const ADAPTERS: [(&str, &[&str]); 23] = [
    (
        "rusqlite",
        &[
            "ledger/sqlite.rs",
            "ledger/sqlite/",
            "cases/sqlite.rs",
            "feed/sqlite.rs",
            "collector/people/sqlite.rs",
            "collector/share/sqlite.rs",
        ],
    ),
    ("csv", &["collector/sheet/csv.rs"]),
    ("encoding_rs", &["collector/sheet/csv.rs"]),
    ("hmac", &["collector/people/mod.rs", "platform/mac.rs"]),
    (
        "postgres",
        &["platform/postgres.rs", "ledger/postgres.rs", "cases/postgres.rs", "feed/postgres.rs"],
    ),
    ("tokio_postgres_rustls", &["platform/postgres.rs"]),
    ("rumqttc", &["uplink/mqtt.rs", "uplink/mqtt/", "collector/", "demo/", "simulate/", "bench/"]),
    ("rumqttd", &["demo/", "demo.rs", "simulate/", "bench/"]),
    ("ort", &["face/onnx.rs", "face/onnx/"]),
    ("rten", &["face/onnx.rs", "face/onnx/", "face/rten.rs"]),
    ("rten_tensor", &["face/onnx.rs", "face/onnx/", "face/rten.rs"]),
    (
        "ureq",
        &[
            "platform/https.rs",
            "cli/models/http.rs",
            "collector/publish/http.rs",
            "collector/notify/http.rs",
            "terminal/http.rs",
        ],
    ),
    ("rcgen", &["collector/ca/rcgen.rs"]),
    (
        "rustls",
        &[
            "platform/https.rs",
            "platform/tls.rs",
            "platform/tls_server.rs",
            "platform/postgres.rs",
            "platform/probe.rs",
        ],
    ),
    ("tokio_rustls", &["platform/tls_server.rs"]),
    (
        "axum",
        &[
            "web/",
            "kiosk/http.rs",
            "witness/http.rs",
            "collector/enrol/http.rs",
            "collector/platforms/http.rs",
            "collector/platforms/tcp.rs",
        ],
    ),
    ("image", &["camera/"]),
    ("nokhwa", &["camera/nokhwa.rs"]),
    ("chacha20poly1305", &["platform/"]),
    ("ed25519_dalek", &["record/keys.rs"]),
    ("hpke", &["record/reading_key.rs"]),
    ("qrcode", &["platform/qr.rs"]),
    ("getrandom", &["platform/chance.rs"]),
];

/// Rooms in which everything decides and nothing acts.
const PURE_ROOMS: [&str; 5] = ["domain", "record", "checkin", "ingest", "rules"];

/// What acts: files, sockets, threads, running futures, the environment.
const ACTS: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "tokio::",
    "async fn",
    "File::open",
    ".await",
];

/// Rooms from which data leaves the terminal or the centre, and the words for what must not.
const TELLING_ROOMS: [&str; 4] = ["record", "ledger", "feed", "web"];
const FACE_DATA: [&str; 6] =
    ["Embedding", "FaceTemplate", "RgbImage", "DynamicImage", "ImageBuffer", "Gallery"];

/// Longest file. At 400 look for the seam; at this length it is overdue.
const LINES_MAX: usize = 600;

// ---- the laws -------------------------------------------------------------------------------

#[test]
fn every_room_of_src_stands_in_the_plan() {
    let known: BTreeSet<_> = ROOMS.iter().map(|(room, _)| *room).chain(ROOTS).collect();
    let laws = sources().into_iter().filter(|file| !known.contains(file.room())).map(|file| {
        format!(
            "{}: `{}` is neither a stage nor a root; give it a place in ROOMS or ROOTS and in \
             ARCHITECTURE.md, or move the file into the room that it belongs to",
            file.path,
            file.room()
        )
    });
    hold(laws);
}

#[test]
fn stages_import_only_the_ground_floor_and_the_stages_named_for_them() {
    let mut broken = Vec::new();
    for file in sources() {
        let Some((room, named)) = ROOMS.iter().find(|(room, _)| *room == file.room()) else {
            continue;
        };
        let ground: &[&str] = if GROUND_FLOOR.contains(room) { &[] } else { &GROUND_FLOOR };
        for (line, imported) in file.imports() {
            let fine = imported == *room
                || named.contains(&imported.as_str())
                || ground.contains(&imported.as_str());
            // Items of the crate's root (macros, `crate::Error`) are not rooms.
            let is_room = ROOMS.iter().any(|(other, _)| *other == imported)
                || ROOTS.contains(&imported.as_str());
            if is_room && !fine {
                broken.push(format!(
                    "{}:{line}: `{room}` imports `{imported}`, but may know only itself, {ground:?} \
                     and {named:?}; take what is needed as an argument from the roots, or move the \
                     word into `domain`",
                    file.path
                ));
            }
        }
    }
    hold(broken);
}

#[test]
fn nobody_asks_what_time_it_is_but_the_clock() {
    hold(lines_with("::now(", |file| file.inner() != "platform/clock.rs").map(|at| {
        format!("{at}: asks for the time; take `now` as an argument, or a `platform::clock::Clock`")
    }));
}

#[test]
fn crates_of_one_technology_are_named_only_in_their_adapters() {
    let mut broken = Vec::new();
    for file in sources() {
        for (name, places) in ADAPTERS {
            let allowed = places.iter().any(|place| {
                file.inner() == *place || (place.ends_with('/') && file.inner().starts_with(place))
            });
            // A `mod` line of that name makes it the name of our own module in this file.
            if allowed || file.code.contains(&format!("mod {name};")) {
                continue;
            }
            for (line, text) in file.lines_with_word(name) {
                let path = format!("{name}::");
                let used = places_of(text, &path)
                    .any(|(before, after)| !before.ends_with("::") && !after.starts_with("Error"));
                if used {
                    broken.push(format!(
                        "{}:{line}: names the crate `{name}`; only {places:?} may, so that \
                         another technology can take its place: go through the stage's own types",
                        file.path
                    ));
                }
            }
        }
    }
    hold(broken);
}

#[test]
fn pure_rooms_have_no_file_no_socket_no_thread_and_no_running_future() {
    let broken = ACTS.into_iter().flat_map(|word| {
        lines_with(word, |file| PURE_ROOMS.contains(&file.room())).map(move |at| {
            format!("{at}: `{word}` in a pure room; hand in the value, act in an adapter or a root")
        })
    });
    hold(broken);
}

#[test]
fn no_picture_and_no_embedding_is_known_to_record_ledger_feed_or_web() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| TELLING_ROOMS.contains(&file.room())) {
        for word in FACE_DATA {
            for (line, _) in file.lines_with_word(word) {
                broken.push(format!(
                    "{}:{line}: `{word}`: face data ends in `face`; pass a score, a digest or \
                     sealed bytes",
                    file.path
                ));
            }
        }
    }
    hold(broken);
}

#[test]
fn features_are_asked_for_only_before_mod_lines_and_in_the_roots() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| !ROOTS.contains(&file.room())) {
        let lines: Vec<_> = file.code.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let next = lines.get(index + 1).map_or("", |next| next.trim());
            let before_mod = ["mod ", "pub mod ", "pub use ", "use "];
            if line.contains("cfg(feature") && !before_mod.iter().any(|m| next.starts_with(m)) {
                broken.push(format!(
                    "{}:{}: a feature inside a stage; put what depends on it into a module",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    hold(broken);
}

#[test]
fn every_file_opens_with_a_page_for_newcomers() {
    // Unit tests are introduced by the file that they lie beside.
    let files = all_files().into_iter().filter(|file| !file.is_unit_test());
    hold(files.filter(|file| !file.text.starts_with("//! ")).map(|file| {
        format!("{}: begins without `//!`; say what it promises and what it leaves out", file.path)
    }));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    hold(all_files().into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LINES_MAX).then(|| {
            format!("{}: {lines} lines of {LINES_MAX}; find the seam and split it", file.path)
        })
    }));
}

#[test]
fn every_kind_of_anomaly_has_its_rule_and_its_page() {
    let kinds = std::fs::read_to_string(root().join("src/domain/anomaly.rs")).expect("it is there");
    let words: Vec<_> = kinds
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""))
        .filter_map(|(_, rest)| rest.strip_suffix("\","))
        .collect();
    assert!(words.len() >= 10, "AnomalyKind::as_str is no longer read rightly: {words:?}");
    let places = words.iter().flat_map(|word| {
        [format!("src/rules/{word}.rs"), format!("docs/rules/{word}.md")]
            .map(|place| (*word, place))
    });
    hold(places.filter(|(_, place)| !root().join(place).is_file()).map(|(word, place)| {
        format!("{place} is missing: `{word}` accuses people; it needs one rule and one page")
    }));
}

#[test]
fn nothing_names_a_folder_beside_the_project() {
    // The folder of licensed models is named by ROLLCALL_DATA; only ./test looks for it.
    let broken = sources().into_iter().flat_map(|file| {
        let lines = file.text.lines().enumerate();
        let found = lines.filter(|(_, line)| line.contains("../shared")).map(|(line, _)| {
            format!("{}:{}: looks beside the project; use ROLLCALL_DATA", file.path, line + 1)
        });
        found.collect::<Vec<_>>()
    });
    hold(broken);
}

// ---- reading the source ---------------------------------------------------------------------

struct Source {
    /// From the project's root, with `/`.
    path: String,
    text: String,
    /// The text with comments and string literals blanked out, line by line.
    code: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The product's source, without its unit tests: those may reach for anything.
fn sources() -> Vec<Source> {
    let mut files = all_files();
    files.retain(|file| file.path.starts_with("src/") && !file.is_unit_test());
    assert!(files.len() > 20, "the source is found");
    files
}

fn all_files() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("source is UTF-8");
            let path = path.strip_prefix(root()).expect("it lies under the root");
            let path = path.to_str().expect("names are UTF-8").replace('\\', "/");
            Source { code: blanked(&text), path, text }
        })
        .collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

impl Source {
    /// Path inside src/.
    fn inner(&self) -> &str {
        self.path.trim_start_matches("src/")
    }

    /// The first folder in src/, or the file itself.
    fn room(&self) -> &str {
        self.inner().split('/').next().expect("a path has parts").trim_end_matches(".rs")
    }

    fn is_unit_test(&self) -> bool {
        self.path.starts_with("src/")
            && (self.path.ends_with("/tests.rs") || self.path.contains("/tests/"))
    }

    fn lines_with_word(&self, word: &str) -> Vec<(usize, &str)> {
        let lines = self.code.lines().enumerate();
        let found = lines.filter(|(_, line)| {
            places_of(line, word)
                .any(|(before, after)| !before.ends_with(is_name) && !after.starts_with(is_name))
        });
        found.map(|(line, text)| (line + 1, text)).collect()
    }

    /// Lines and first names of all paths that start at the crate's root: `crate::x`,
    /// `crate::{x, y::z}`, and `super::` as often as it takes to get there.
    fn imports(&self) -> Vec<(usize, String)> {
        let in_root = self.path.ends_with("/lib.rs") || self.path.ends_with("/main.rs");
        let depth = self.inner().split('/').count() - usize::from(self.path.ends_with("/mod.rs"));
        let climb = "super::".repeat(depth);
        let starts: &[&str] = if in_root { &["crate::"] } else { &["crate::", &climb] };
        let mut found = Vec::new();
        for start in starts {
            for (before, after) in places_of(&self.code, start) {
                if before.ends_with(|c: char| is_name(c) || c == ':') {
                    continue;
                }
                let line = before.matches('\n').count() + 1;
                found.extend(first_names(after.trim_start()).into_iter().map(|name| (line, name)));
            }
        }
        found
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What stands before and after each place of `word`.
fn places_of<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.match_indices(word).map(move |(at, _)| {
        let (before, rest) = text.split_at(at);
        (before, rest.strip_prefix(word).expect("it was found here"))
    })
}

/// `x::y` has the first name `x`; `{x::y, z}` has `x` and `z`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_name(*c)).collect();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut item, mut names) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(name(&std::mem::take(&mut item))),
            _ => item.push(c),
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
    }
    names.push(name(&item));
    names.retain(|name: &String| !name.is_empty());
    names
}

/// Blanks line comments and string literals, so that words in prose break no law. Knows nothing of
/// block comments, which the house does not use.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut chars = line.chars().peekable();
        let (mut quoted, mut last) = (false, ' ');
        while let Some(c) = chars.next() {
            if !quoted && c == '/' && chars.peek() == Some(&'/') {
                break;
            }
            if quoted && c == '\\' {
                chars.next();
            } else if c == '"' && !(last == '\'' && chars.peek() == Some(&'\'')) {
                quoted = !quoted;
            } else if !quoted {
                out.push(c);
            }
            last = c;
        }
        out.push('\n');
    }
    out
}

fn lines_with(word: &'static str, which: impl Fn(&Source) -> bool) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| which(file)) {
        let lines = file.code.lines().enumerate().filter(|(_, line)| line.contains(word));
        found.extend(lines.map(|(line, _)| format!("{}:{}", file.path, line + 1)));
    }
    found.into_iter()
}

/// Fails with all broken lines at once.
#[track_caller]
fn hold(broken: impl IntoIterator<Item = String>) {
    let broken: Vec<_> = broken.into_iter().collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_groups_and_climbing_paths() {
    let read = |path: &str, text: &str| {
        let file = Source { path: path.into(), code: blanked(text), text: text.into() };
        file.imports().into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(read("src/a/b.rs", "use crate::x::Y;"), ["x"]);
    assert_eq!(read("src/a/b.rs", "use crate::{\n    p::{Q, R},\n    s,\n};"), ["p", "s"]);
    assert_eq!(read("src/a/b.rs", "let v = crate::x::y();"), ["x"]);
    assert_eq!(read("src/a/b.rs", "use super::c::D;"), [""; 0]);
    assert_eq!(read("src/a/b.rs", "use super::super::c::D;"), ["c"]);
    assert_eq!(read("src/a/mod.rs", "use super::c::D;"), ["c"]);
    assert_eq!(read("src/a/b.rs", "// use crate::x;\nlet s = \"crate::y\";"), [""; 0]);
}
