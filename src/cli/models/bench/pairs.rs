//! The text of LFW's `pairs.txt`: first line `folds <tab> pairs`, then for each fold that many
//! lines `name i j` (one person twice) and as many `name i other j` (two people).

use std::collections::BTreeMap;

/// LFW has 10 × 600; a hundred times that is another file.
const PAIRS_MAX: usize = 600_000;

/// A picture: whose, and the number of it.
pub(super) type Picture = (String, u32);

/// The file, with each picture once.
#[derive(Debug)]
pub(super) struct Protocol {
    /// Every picture that occurs, in the order of names and numbers.
    pub(super) pictures: Vec<Picture>,
    /// The pairs: fold, and the two places in `pictures`.
    pub(super) pairs: Vec<(usize, [usize; 2])>,
}

/// Reads it; the message says which line is wrong.
pub(super) fn parse(text: &str) -> Result<Protocol, String> {
    let mut lines = text.lines().enumerate();
    let (_, head) = lines.next().ok_or("the file is empty")?;
    let head: Vec<usize> = head.split_whitespace().filter_map(|part| part.parse().ok()).collect();
    let [folds, each] = head[..] else {
        return Err("line 1 does not say how many folds and pairs there are".to_owned());
    };
    let wanted = folds.checked_mul(each).and_then(|pairs| pairs.checked_mul(2));
    if wanted.is_none_or(|wanted| wanted == 0 || wanted > PAIRS_MAX) {
        return Err(format!("line 1 promises {folds} folds of 2 × {each} pairs"));
    }
    let mut pairs: Vec<(usize, [Picture; 2])> = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| {
            text.parse().map_err(|_| format!("line {}: {text:?} is no number", index + 1))
        };
        let pair = match parts[..] {
            [name, i, j] => [(name.to_owned(), number(i)?), (name.to_owned(), number(j)?)],
            [name, i, other, j] => [(name.to_owned(), number(i)?), (other.to_owned(), number(j)?)],
            _ => return Err(format!("line {} is no pair", index + 1)),
        };
        // A name becomes part of a path: it must stay inside the folder.
        if pair.iter().any(|(name, _)| name.starts_with('.') || name.contains(['/', '\\'])) {
            return Err(format!("line {} has an unusable name", index + 1));
        }
        pairs.push((pairs.len() / (2 * each), pair));
    }
    if Some(pairs.len()) != wanted {
        return Err(format!("it has {} pairs, line 1 promises {}", pairs.len(), 2 * folds * each));
    }
    let mut places: BTreeMap<&Picture, usize> =
        pairs.iter().flat_map(|(_, pair)| pair).map(|picture| (picture, 0)).collect();
    places.values_mut().enumerate().for_each(|(index, place)| *place = index);
    let placed = pairs.iter().map(|(fold, pair)| (*fold, [places[&pair[0]], places[&pair[1]]]));
    let placed = placed.collect();
    Ok(Protocol { pictures: places.into_keys().cloned().collect(), pairs: placed })
}
