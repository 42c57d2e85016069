//! The text that somebody reads before her face is compared (PIPL articles 14, 17, 29 to 31). What
//! was agreed to is named on record by its digest, so that it can be shown later which text it was.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::Bilingual;

const SHIPPED: &str = include_str!("../../firmware-config/consent.toml");

/// A text of consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    /// The operator's name for it.
    pub version: String,
    /// What is read, paragraph by paragraph.
    pub paragraphs: Vec<Bilingual>,
    /// What is read in addition where evidence pictures are kept.
    evidence: Bilingual,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
}

/// A file is no text of consent.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// Not TOML, or an unknown or missing field.
    #[error("it is no text of consent")]
    Parse(#[from] toml::de::Error),
    /// Chinese and English do not say the same, or nothing is said.
    #[error("zh has {zh} paragraphs and en has {en}; both need the same number, at least one")]
    Paragraphs {
        /// Chinese paragraphs.
        zh: usize,
        /// English paragraphs.
        en: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    zh: Vec<String>,
    en: Vec<String>,
    evidence: Option<Bilingual>,
}

impl ConsentText {
    /// Reads a text; `days` is how long a template is kept.
    pub fn parse(text: &str, days: u32) -> Result<Self, ConsentError> {
        let File { version, zh, en, evidence } = toml::from_str(text)?;
        if zh.len() != en.len() || zh.is_empty() {
            return Err(ConsentError::Paragraphs { zh: zh.len(), en: en.len() });
        }
        let paragraphs = zh.iter().zip(&en).map(|(zh, en)| filled(zh, en, days)).collect();
        let evidence = match evidence {
            Some(evidence) => evidence,
            // A text of one's own that does not say it says what ours says.
            None => toml::from_str::<File>(SHIPPED)?.evidence.unwrap_or(Bilingual::new("", "")),
        };
        Ok(Self { version, paragraphs, evidence, digest: Sha256::digest(text.as_bytes()).into() })
    }

    /// All that is read; `evidence_days` is how long evidence pictures are kept, if they are.
    pub fn shown(&self, evidence_days: Option<u32>) -> Vec<Bilingual> {
        let Bilingual { zh, en } = &self.evidence;
        let exception = evidence_days.map(|days| filled(zh, en, days));
        self.paragraphs.iter().cloned().chain(exception).collect()
    }

    /// The one that travels in the program.
    pub fn shipped(days: u32) -> Self {
        Self::parse(SHIPPED, days).expect("a test reads the shipped text")
    }
}

fn filled(zh: &str, en: &str, days: u32) -> Bilingual {
    let filled = |text: &str| text.replace("{days}", &days.to_string());
    Bilingual::new(filled(zh), filled(en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_text_says_purpose_place_end_withdrawal_and_the_other_way_in_both_languages() {
        let text = ConsentText::shipped(400);
        assert_eq!(text.paragraphs.len(), 3);
        let all = |of: fn(&Bilingual) -> &String| -> String {
            text.paragraphs.iter().map(of).cloned().collect()
        };
        let (zh, en) = (all(|text| &text.zh), all(|text| &text.en));
        for word in ["考勤", "本机", "400 天", "撤回", "密码"] {
            assert!(zh.contains(word), "{word}");
        }
        for word in ["attendance", "this machine", "400 days", "take your consent back", "PIN"] {
            assert!(en.contains(word), "{word}");
        }
    }

    /// Else "no photo is kept" would be a lie there.
    #[test]
    fn where_evidence_pictures_are_kept_whoever_agrees_has_read_it() {
        let text = ConsentText::shipped(400);
        assert_eq!(text.shown(None), text.paragraphs);
        let own = "version = \"1\"\nzh = [\"同意\"]\nen = [\"yes\"]\n";
        for text in [text, ConsentText::parse(own, 400).unwrap()] {
            let all = text.shown(Some(30));
            assert_eq!(all.len(), text.paragraphs.len() + 1);
            let exception = all.last().unwrap();
            assert!(exception.zh.contains("照片") && exception.zh.contains("30 天"));
            assert!(exception.en.contains("picture") && exception.en.contains("30 days"));
        }
    }

    #[test]
    fn another_text_has_another_digest_and_an_uneven_one_is_refused() {
        let text = |zh: &str| format!("version = \"1\"\nzh = {zh}\nen = [\"yes\"]\n");
        let one = ConsentText::parse(&text("[\"同意\"]"), 1).unwrap();
        assert_ne!(one.digest, ConsentText::parse(&text("[\"同意。\"]"), 1).unwrap().digest);
        let uneven = ConsentText::parse(&text("[]"), 1).unwrap_err();
        assert!(uneven.to_string().contains("zh has 0 paragraphs"), "{uneven}");
    }
}
