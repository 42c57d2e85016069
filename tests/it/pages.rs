//! The pages for people: every link inside the project leads to a file, and to a heading of it; the
//! tests that the threat model and the map of the demands call to witness exist.

use std::path::{Path, PathBuf};

/// Folders of the project that have pages; what lies elsewhere is not ours.
const FOLDERS: [&str; 7] =
    ["", "docs", "docs/spec", "docs/decisions", "docs/rules", "docs/runbook", "docs/samples"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = std::fs::read_dir(root().join(folder)) else { continue };
        pages.extend(entries.map(|entry| entry.expect("the folder can be listed").path()));
    }
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to).collect()
}

/// The anchors that a page's headings get.
fn anchors(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap_or_default();
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("pages are UTF-8");
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                _ => page.parent().expect("a page lies in a folder").join(file),
            };
            let leads = target.exists()
                && (anchor.is_empty() || anchors(&target).iter().any(|known| known == anchor));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// The text of all files of Rust below a folder.
fn code_below(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let texts = paths.map(|path| match path.extension() {
        _ if path.is_dir() => code_below(&path),
        Some(extension) if extension == "rs" => {
            std::fs::read_to_string(&path).expect("code is UTF-8")
        }
        _ => String::new(),
    });
    texts.collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let code = code_below(&root().join("tests")) + &code_below(&root().join("src"));
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).expect("it is there");
    let words = page.split('`').skip(1).step_by(2);
    let names: Vec<&str> = words.filter(|word| word.matches('_').count() >= 3).collect();
    assert!(names.len() > 40, "the page names {} tests", names.len());
    let absent: Vec<_> =
        names.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(absent.is_empty(), "no such test: {absent:?}");
}

/// The rows of the five policies, as docs/requirements.md must have them, each once.
const ROWS: [(&str, u32); 5] = [("SC", 11), ("HE", 15), ("GZ", 7), ("CC", 8), ("HB", 8)];

#[test]
fn every_demand_of_the_policies_is_mapped_to_a_test_that_exists_or_said_to_follow() {
    let code = code_below(&root().join("tests")) + &code_below(&root().join("src"));
    let page = std::fs::read_to_string(root().join("docs/requirements.md")).expect("it is there");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| ROWS.iter().any(|(prefix, _)| line.starts_with(&format!("| {prefix}-"))))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let [id, _, place, tests] = row[..] else {
            wrong.push(format!("{row:?} has no four columns"));
            continue;
        };
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        let says = place.contains("follow") || place.starts_with("as ");
        if names.is_empty() && !says {
            wrong.push(format!("{id} has no test and does not say that it follows"));
        }
        let absent = names.iter().filter(|name| !code.contains(&format!("fn {name}(")));
        wrong.extend(absent.map(|name| format!("{id}: no such test: {name}")));
    }
    for (prefix, last) in ROWS {
        for number in 1..=last {
            let id = format!("{prefix}-{number}");
            // HE-4 has four parts.
            let parts = if id == "HE-4" { vec!["a", "b", "c", "d"] } else { vec![""] };
            for part in parts {
                let wanted = format!("{id}{part}");
                let found = |row: &&Vec<&str>| row[0].trim_end_matches(" ◐") == wanted;
                if rows.iter().filter(found).count() != 1 {
                    wrong.push(format!("{wanted} does not stand there once"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
