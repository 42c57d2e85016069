//! What lies over the screen while somebody types or chooses: a question of the terminal.

use serde::Serialize;

use crate::domain::Bilingual;

/// One question. The page shows it and says what was typed or chosen; it decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dialog {
    /// Stable word, for tests and style sheets.
    pub code: &'static str,
    /// What it is about, in large letters.
    pub title: Bilingual,
    /// What to read.
    pub text: Vec<Bilingual>,
    /// What came of the last word, if it was not what was wanted.
    pub note: Option<Bilingual>,
    /// What is to be typed.
    pub input: Option<Input>,
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// What is to be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A number, typed or from a card.
    Number,
    /// A PIN: nobody else may read it on the screen.
    Pin,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// To be said.
    pub key: u32,
    /// Its words.
    pub text: Bilingual,
    /// A word for its look: `main`, `missing`, `unseen`, `in`, `left`; or none.
    pub look: &'static str,
}

impl Dialog {
    /// A question with nothing to answer it yet.
    pub fn new(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code,
            title: Bilingual::new(zh, en),
            text: Vec::new(),
            note: None,
            input: None,
            choices: Vec::new(),
        }
    }

    /// The same with something to read.
    #[must_use]
    pub fn says(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.text.push(Bilingual::new(zh, en));
        self
    }

    /// The same with something to type.
    #[must_use]
    pub fn asks(self, input: Input) -> Self {
        Self { input: Some(input), ..self }
    }

    /// The same with something to choose.
    #[must_use]
    pub fn offers(mut self, key: u32, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.choices.push(Choice { key, text: Bilingual::new(zh, en), look: "" });
        self
    }

    /// The last choice looks like this.
    #[must_use]
    pub fn that_looks(mut self, look: &'static str) -> Self {
        if let Some(choice) = self.choices.last_mut() {
            choice.look = look;
        }
        self
    }
}
