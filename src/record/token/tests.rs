use proptest::prelude::*;

use super::*;

fn token(terminal: &str, url: &str) -> Token {
    let terminal = terminal.parse().unwrap();
    Token::new(terminal, [7; 16], CentreMark([9; 16]), url.into()).unwrap()
}

#[test]
fn a_token_is_read_as_it_was_printed_in_lower_case_and_without_dashes() {
    for (terminal, url) in [("t-101", "http://centre.example:8081"), ("a", "")] {
        let token = token(terminal, url);
        let printed = token.to_string();
        assert_eq!(printed.parse::<Token>().unwrap(), token);
        assert_eq!(printed.to_lowercase().replace('-', " \n").parse::<Token>().unwrap(), token);
    }
}

#[test]
fn digits_taken_for_letters_are_understood() {
    let token = token("t-101", "http://centre.example:8081");
    let misread = token.to_string().replace('O', "0").replace('I', "1").replace('B', "8");
    assert_eq!(misread.parse::<Token>().unwrap(), token);
}

#[test]
fn the_longest_token_fits_the_bound() {
    let url = format!("http://{}", "x".repeat(URL_BYTES_MAX - 7));
    let token = token(&"t".repeat(40), &url);
    assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    assert!(token.to_string().len() < TOKEN_CHARS_MAX);
}

#[test]
fn a_text_that_is_too_long_or_no_token_is_told_so() {
    let told = |text: &str| text.parse::<Token>().unwrap_err();
    assert_eq!(told(&"A".repeat(TOKEN_CHARS_MAX + 1)), TokenError::TooLong);
    assert_eq!(told(&" ".repeat(5_000_000)), TokenError::TooLong);
    assert_eq!(told(""), TokenError::Checksum);
    assert_eq!(told("AB9"), TokenError::Character { found: '9' });
    assert_eq!(told("AB中"), TokenError::Character { found: '中' });
}

#[test]
fn what_another_program_made_is_told_apart_from_a_typing_mistake() {
    let packed = |content: &[u8]| {
        let mut bytes = content.to_vec();
        bytes.extend(checksum(content));
        BASE32.encode(&bytes).parse::<Token>().unwrap_err()
    };
    assert_eq!(packed(&[2]), TokenError::Version { found: 2 });
    assert_eq!(packed(&[1, 0]), TokenError::Content("it ends too early"));
    let mut content = vec![1; 1];
    content.extend([0; 32]);
    content.extend([1, b'T', 0]);
    assert_eq!(packed(&content), TokenError::Content("it names no terminal"));
    content.splice(33.., [1, b't', 3, b'f', b'o', b'o']);
    assert_eq!(packed(&content), TokenError::Content("the centre's address in it is none"));
    content.splice(33.., [1, b't', 0, 0]);
    assert_eq!(packed(&content), TokenError::Content("something follows its end"));
}

#[test]
fn a_token_in_a_log_does_not_tell_its_secret() {
    let token = token("t-101", "");
    let shown = format!("{token:?}");
    assert!(shown.contains("t-101") && !shown.contains("7, 7"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_single_wrong_character_passes(place in 0usize..10_000, symbol in "[A-Z2-7]") {
        let printed = token("t-101", "http://centre.example:8081").to_string();
        let place = place % printed.len();
        let mut other = printed.clone();
        other.replace_range(place..=place, &symbol);
        if printed.as_bytes()[place] != b'-' && other != printed {
            prop_assert_eq!(other.parse::<Token>(), Err(TokenError::Checksum));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,900}") {
        drop(text.parse::<Token>());
    }

    #[test]
    fn whatever_is_read_is_printed_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut content = bytes;
        content.extend(checksum(&content.clone()));
        if let Ok(token) = BASE32.encode(&content).parse::<Token>() {
            prop_assert_eq!(token.to_string().replace('-', ""), BASE32.encode(&content));
        }
    }
}
