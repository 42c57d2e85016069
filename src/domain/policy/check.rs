//! All mistakes of a profile at once: whoever writes one shall not find them one by one.

use super::{Policy, PolicyError, SHIPPED};

/// Most mistakes that are told.
const MISTAKES_MAX: usize = 100;

impl Policy {
    /// Reads a profile, or says all that is wrong with it, by line. A number that cannot be read is passed
    /// over as if it were right, to see the others.
    pub fn check(text: &str, origin: &str) -> Result<Self, Vec<PolicyError>> {
        let mut mistakes: Vec<PolicyError> = Vec::new();
        let mut tried = text.to_owned();
        while mistakes.len() < MISTAKES_MAX {
            let mistake = match Self::parse(&tried, origin) {
                Ok(policy) if mistakes.is_empty() => return Ok(policy),
                Ok(_) => break,
                Err(mistake) => mistake,
            };
            let missing = missing_in(&mistake.detail).map(str::to_owned);
            let repaired = match &missing {
                Some(name) => with_number(&tried, name),
                None => without_section(&tried, mistake.line),
            };
            // What was taken out is not missing.
            let known = missing.is_some_and(|name| {
                let header = format!("[numbers.{name}]");
                text.lines().any(|line| line.trim() == header)
            });
            if !known {
                mistakes.push(mistake);
            }
            match repaired {
                Some(repaired) if repaired != tried => tried = repaired,
                // Nothing further can be read.
                Some(_) | None => break,
            }
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        Err(mistakes)
    }
}

/// Which number is not there.
fn missing_in(detail: &str) -> Option<&str> {
    let (_, rest) = detail.split_once("missing field `")?;
    rest.split_once('`').map(|(name, _)| name)
}

/// The text with an empty line for each line of the section of a number that `line` lies in.
fn without_section(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let above = lines.get(..line)?;
    let first = above.iter().rposition(is_header)?;
    if !lines[first].trim_start().starts_with("[numbers.") {
        return None;
    }
    let last = lines[first + 1..].iter().position(is_header);
    let last = last.map_or(lines.len(), |place| first + 1 + place);
    let kept = |(place, line): (usize, &&str)| {
        if (first..last).contains(&place) { String::new() } else { (*line).to_owned() }
    };
    Some(lines.iter().enumerate().map(kept).collect::<Vec<_>>().join("\n"))
}

/// The text with a number of a shipped profile behind it.
fn with_number(text: &str, name: &str) -> Option<String> {
    let (_, shipped) = SHIPPED.first()?;
    let (_, rest) = shipped.split_once(&format!("[numbers.{name}]\n"))?;
    let section = rest.split("\n[").next().unwrap_or(rest);
    Some(format!("{text}\n[numbers.{name}]\n{section}\n"))
}
