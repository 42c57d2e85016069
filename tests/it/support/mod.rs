//! What several modules of tests need.

pub(crate) mod broker;
pub(crate) mod caller;
pub(crate) mod day;
pub(crate) mod file_server;
pub(crate) mod intake;
pub(crate) mod log;
pub(crate) mod pen;
pub(crate) mod centre;
pub(crate) mod collector;
pub(crate) mod cutter;
pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod mosquitto;
pub(crate) mod postgres;
pub(crate) mod records;
pub(crate) mod town;

use std::time::Duration;

/// No condition of these tests takes longer, on the slowest machine that we build on.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for something that must happen; fails, saying what, when it does not.
pub(crate) async fn within_limit<T>(what: &str, condition: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(LIMIT, condition).await;
    waited.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

/// What a program printed that ended well.
#[track_caller]
pub(crate) fn fine(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The command ended so, and its three parts say what failed, why, what to do, and these words.
pub(crate) fn refused(output: &std::process::Output, exit: i32, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    // A warning may stand before.
    let what = |line: &&str| line.starts_with("rollcall ") && line.contains(": could not ");
    let place = lines.iter().position(what).unwrap_or_else(|| panic!("no such line in {told}"));
    assert!(lines[place + 1].starts_with("  because: "), "{told}");
    assert!(lines[place + 2].starts_with("  hint: "), "{told}");
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
}
