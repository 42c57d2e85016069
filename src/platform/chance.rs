//! The only place that asks for randomness.

/// `N` bytes from the operating system's random generator.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness a salt could be guessed and a key repeated. Going on would be worse
    // than ending: every record sealed from here on could be opened or forged.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
