//! Two things that JavaScript writes or copies and strict JSON readers refuse: half of a surrogate pair
//! (`"\ud83d"`, an emoji cut in two) and a number beyond every float (`1e999`). Neither is worth a lost
//! message, so the first becomes U+FFFD and the second null.

/// The text with such places replaced, or none if there is no such place. No length changes, so places
/// named in an error are still right.
pub(in crate::v1) fn repaired(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            b'"' => past_string(&mut bytes, at + 1, &mut changed),
            b'-' | b'0'..=b'9' => past_number(&mut bytes, at, &mut changed),
            _ => at + 1,
        };
    }
    changed.then(|| String::from_utf8(bytes).ok())?
}

fn past_string(bytes: &mut [u8], mut at: usize, changed: &mut bool) -> usize {
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'"' => return at + 1,
            b'\\' => past_escape(bytes, at, changed),
            _ => at + 1,
        };
    }
    at
}

fn past_escape(bytes: &mut [u8], at: usize, changed: &mut bool) -> usize {
    match escaped_unit(bytes, at) {
        None => at + 2,
        Some(0xd800..=0xdbff) if matches!(escaped_unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => {
            at + 12
        }
        Some(0xd800..=0xdfff) => {
            bytes[at + 2..at + 6].copy_from_slice(b"fffd");
            *changed = true;
            at + 6
        }
        Some(_) => at + 6,
    }
}

/// The UTF-16 unit that an escape `\uXXXX` writes.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits = str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

fn past_number(bytes: &mut [u8], start: usize, changed: &mut bool) -> usize {
    let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let length = bytes[start..].iter().take_while(|byte| part(byte)).count();
    let number = &mut bytes[start..start + length];
    let value = str::from_utf8(number).ok().and_then(|n| n.parse::<f64>().ok());
    if let (Some(true), Some((null, rest))) =
        (value.map(f64::is_infinite), number.split_first_chunk_mut::<4>())
    {
        *null = *b"null";
        rest.fill(b' ');
        *changed = true;
    }
    start + length
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn a_halved_emoji_and_an_endless_number_are_replaced_in_place() {
        let cases = [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\ude00b""#, r#""\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#"{"n":-1e999,"m":2}"#, r#"{"n":null  ,"m":2}"#),
            (r"[9e308]", r"[null ]"),
        ];
        for (before, after) in cases {
            assert_eq!(repaired(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for text in [
            r#""\ud83d\ude00 😀 \\ud83d \" 1e999""#,
            "[1e30, -5, 0.1e-999]",
            r#"{"a":"\u00e9"#,
            r#""\u12"#,
            "",
            "-",
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }
}
