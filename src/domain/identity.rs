//! Citizen identification numbers (公民身份号码, GB 11643-1999): checked, compared under a key, and
//! never shown. What is typed wrong is found by the check digit (ISO 7064, MOD 11-2).

use std::fmt;

/// A number of 18 characters whose check digit is right and whose birthday exists.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber(String);

/// Why a text is no identification number. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNumberError {
    /// Wrong length, or other characters than digits.
    #[error("it needs 17 digits and a check digit (0-9 or X)")]
    Shape,
    /// The day of birth in it does not exist.
    #[error("its digits 7 to 14 are no day of birth")]
    Birthday,
    /// The last character does not fit the others.
    #[error("its check digit does not fit: a digit is wrong, or two are exchanged")]
    Check,
}

impl IdNumber {
    /// Reads one; blanks around it and a small x are forgiven.
    pub fn parse(text: &str) -> Result<Self, IdNumberError> {
        let text = text.trim().to_ascii_uppercase();
        let bytes = text.as_bytes();
        let digits = bytes.get(..17).filter(|_| bytes.len() == 18).ok_or(IdNumberError::Shape)?;
        if !digits.iter().all(u8::is_ascii_digit) || !matches!(bytes[17], b'0'..=b'9' | b'X') {
            return Err(IdNumberError::Shape);
        }
        let number = |from: usize, to: usize| {
            digits[from..to].iter().fold(0i16, |sum, digit| sum * 10 + i16::from(digit - b'0'))
        };
        let small = |value: i16| i8::try_from(value).unwrap_or(0);
        let born =
            jiff::civil::Date::new(number(6, 10), small(number(10, 12)), small(number(12, 14)));
        if number(6, 10) < 1850 || born.is_err() {
            return Err(IdNumberError::Birthday);
        }
        if check_digit(digits) != bytes[17] {
            return Err(IdNumberError::Check);
        }
        Ok(Self(text))
    }

    /// The characters, for a keyed hash and nothing else.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether a text holds such a number somewhere: it must not enter the ledger.
    pub fn stands_in(text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        chars.windows(18).any(|window| {
            window.iter().all(char::is_ascii) && Self::parse(&String::from_iter(window)).is_ok()
        })
    }
}

/// Weight of place i is 2^(17-i) mod 11; the sum with the check digit is 1 mod 11.
fn check_digit(digits: &[u8]) -> u8 {
    let sum = digits.iter().fold(0u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    b"10X98765432"[(sum % 11) as usize]
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(…)")
    }
}

/// `text` for an error: shortened, and without any long run of digits, in case that a number stands
/// in the wrong column.
pub fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    let settle = |run: &mut String, shown: &mut String| {
        if run.len() >= 11 {
            shown.push_str("***");
        } else {
            shown.push_str(run);
        }
        run.clear();
    };
    for c in text.chars().take(60) {
        if c.is_ascii_digit() || (!run.is_empty() && matches!(c, 'x' | 'X')) {
            run.push(c);
        } else {
            settle(&mut run, &mut shown);
            shown.push(c);
        }
    }
    settle(&mut run, &mut shown);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own example, and the one with X.
    #[test]
    fn numbers_of_the_standard_are_taken_and_each_wrong_digit_is_found() {
        for good in ["11010519491231002X", "440524188001010014", " 11010519491231002x "] {
            assert!(IdNumber::parse(good).is_ok(), "{good}");
        }
        let good = "11010519491231002X";
        for place in 0..17 {
            for digit in '0'..='9' {
                let wrong: String = good
                    .chars()
                    .enumerate()
                    .map(|(i, c)| if i == place { digit } else { c })
                    .collect();
                assert_eq!(IdNumber::parse(&wrong).is_ok(), wrong == good, "{wrong}");
            }
        }
        assert_eq!(IdNumber::parse("110105194912310021"), Err(IdNumberError::Check));
        assert_eq!(IdNumber::parse("110105194913310021"), Err(IdNumberError::Birthday));
        assert_eq!(IdNumber::parse("1101051949123100"), Err(IdNumberError::Shape));
        assert_eq!(IdNumber::parse("一二三四五六"), Err(IdNumberError::Shape));
    }

    #[test]
    fn a_number_is_shown_nowhere() {
        let number = IdNumber::parse("11010519491231002X").unwrap();
        assert_eq!(format!("{number:?}"), "IdNumber(…)");
        assert_eq!(without_numbers("李娜11010519491231002X"), "李娜***");
        assert_eq!(without_numbers("2026-13-02 08:30"), "2026-13-02 08:30");
        assert!(IdNumber::stands_in("班级11010519491231002X号"));
        assert!(!IdNumber::stands_in("华新职业培训学校"));
    }
}
