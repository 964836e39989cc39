//! File names that are safe to show and to save under.

use std::fmt::Write as _;

/// Most characters of a name.
const MOST: usize = 120;
/// Most characters of an ending that is kept when a name is cut.
const ENDING: usize = 12;

/// A name without what could lead into another folder, break a header, or make it look like another name:
/// control characters, separators, marks that change the direction of writing, invisible characters.
#[must_use]
pub fn safe_name(claimed: Option<&str>, safe_type: &str) -> String {
    let clean: String = claimed.unwrap_or_default().chars().filter_map(clean).collect();
    let clean = clean.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if clean.is_empty() {
        return format!("file{}", ending_of(safe_type));
    }
    cut(clean)
}

fn clean(character: char) -> Option<char> {
    match character {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => Some('_'),
        '\u{61c}'
        | '\u{ad}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => None,
        other if other.is_control() => None,
        other => Some(other),
    }
}

/// Keeps the ending, which tells people what the file is.
fn cut(name: &str) -> String {
    let length = name.chars().count();
    if length <= MOST {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let ending = ending.filter(|ending| ending.chars().count() <= ENDING);
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let room = MOST - ending.chars().count();
    name.chars().take(room).chain(ending.chars()).collect()
}

fn ending_of(safe_type: &str) -> &'static str {
    match safe_type {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "audio/ogg" | "audio/opus" => ".ogg",
        "audio/mpeg" => ".mp3",
        "audio/mp4" | "audio/m4a" => ".m4a",
        "video/mp4" => ".mp4",
        "application/pdf" => ".pdf",
        _ => "",
    }
}

/// The header `Content-Disposition` (RFC 6266) for a safe name.
#[must_use]
pub fn content_disposition(inline: bool, safe_name: &str) -> String {
    let plain = |c: char| if c.is_ascii() && !matches!(c, '"' | '%') { c } else { '_' };
    let plain: String = safe_name.chars().map(plain).collect();
    let how = if inline { "inline" } else { "attachment" };
    let mut header = format!("{how}; filename=\"{plain}\"");
    if plain != safe_name {
        header.push_str("; filename*=UTF-8''");
        for byte in safe_name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                header.push(byte.into());
            } else {
                // Writing into a string cannot fail.
                let _ = write!(header, "%{byte:02X}");
            }
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_lie_are_made_honest() {
        let cases = [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x=1.pdf"),
            ("in\u{200b}visi\u{feff}ble.png", "invisible.png"),
            (" . ", "file.png"),
            ("", "file.png"),
            ("Übersicht 中文.xlsx", "Übersicht 中文.xlsx"),
        ];
        for (claimed, safe) in cases {
            assert_eq!(safe_name(Some(claimed), "image/png"), safe);
        }
        assert_eq!(safe_name(None, "text/html"), "file");
        let long = safe_name(Some(&format!("{}.docx", "x".repeat(500))), "");
        assert!(long.ends_with("x.docx") && long.chars().count() == MOST, "{long}");
    }

    #[test]
    fn a_header_carries_any_name() {
        assert_eq!(content_disposition(true, "a b.png"), "inline; filename=\"a b.png\"");
        assert_eq!(
            content_disposition(false, "ü.pdf"),
            "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%BC.pdf"
        );
    }

    /// The name, as RFC 6266 has a browser read it: the encoded one before the plain one.
    fn read_back(header: &str) -> String {
        let plain = header.strip_prefix("attachment; filename=\"").unwrap();
        let (plain, rest) = plain.split_once('"').unwrap();
        let Some(encoded) = rest.strip_prefix("; filename*=UTF-8''") else {
            assert!(rest.is_empty(), "{rest}");
            return plain.to_owned();
        };
        let mut bytes = encoded.bytes();
        let mut name = Vec::new();
        while let Some(byte) = bytes.next() {
            let hex = (byte == b'%').then(|| [bytes.next().unwrap(), bytes.next().unwrap()]);
            let decoded = hex.map(|it| String::from_utf8(it.to_vec()).unwrap());
            name.push(decoded.map_or(byte, |it| u8::from_str_radix(&it, 16).unwrap()));
        }
        String::from_utf8(name).unwrap()
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_safe_name_and_a_header(claimed in "\\PC*|[\\x00-\\u{ffff}]*") {
            let name = safe_name(Some(&claimed), "image/png");
            prop_assert!(!name.is_empty() && name.chars().count() <= MOST);
            prop_assert!(!name.contains(['/', '\\', '"']) && !name.chars().any(char::is_control));
            prop_assert!(!name.starts_with('.'));
            let header = content_disposition(false, &name);
            prop_assert!(header.bytes().all(|byte| (32..127).contains(&byte)), "{header}");
            prop_assert_eq!(read_back(&header), name, "{}", header);
        }
    }
}
