//! What people read stands in two languages: Simplified Chinese first, English beside it.

use serde::{Deserialize, Serialize};

/// One sentence or name, in both languages.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Simplified Chinese.
    #[n(1)]
    pub zh: String,
    /// English.
    #[n(2)]
    pub en: String,
}

impl Bilingual {
    /// Both at once.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// A name as a public screen may show it: the first character and, from three on, the last one
/// (张*明, 欧**娜, 李*). Names in other letters keep the first letter of each word (L* N*). The
/// number of stars says nothing beyond four.
pub fn masked_name(name: &str) -> String {
    const STARS_MAX: usize = 4;
    let name = name.trim();
    if name.is_ascii() {
        let words = name.split_whitespace().filter_map(|word| word.chars().next());
        return words.map(|first| format!("{first}*")).collect::<Vec<_>>().join(" ");
    }
    let characters: Vec<char> = name.chars().collect();
    match characters[..] {
        [] => String::new(),
        [first] | [first, _] => format!("{first}*"),
        [first, .., last] => {
            let stars = "*".repeat((characters.len() - 2).min(STARS_MAX));
            format!("{first}{stars}{last}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::masked_name;

    #[test]
    fn masked_name_can_be_recognised_by_its_owner_and_not_read_by_others() {
        for (name, masked) in [
            ("张小明", "张*明"),
            ("李娜", "李*"),
            ("欧阳娜娜", "欧**娜"),
            ("阿卜杜拉·买买提", "阿****提"),
            ("Li Na", "L* N*"),
            (" 王 ", "王*"),
            ("", ""),
        ] {
            assert_eq!(masked_name(name), masked);
        }
    }
}
