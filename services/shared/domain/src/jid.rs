//! WhatsApp's own identifiers, as UniPile passes them on.
//!
//! | form | what it names |
//! |---|---|
//! | `15550100002@s.whatsapp.net` | a person by phone number |
//! | `900000000000002@lid` | a person by privacy id: all digits, yet no phone number |
//! | `120363000000000001@g.us` | a group |

/// A phone number in E.164 form without separators, such as `+15550100002`.
///
/// # Examples
///
/// ```
/// use channel_domain::jid::phone_from_digits;
/// assert_eq!(phone_from_digits("+1 555 010-0002").as_deref(), Some("+15550100002"));
/// assert_eq!(phone_from_digits("hidden"), None);
/// ```
#[must_use]
pub fn phone_from_digits(text: &str) -> Option<String> {
    let plausible = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
    if !text.chars().all(plausible) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (8..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

/// The identifier without the suffix of a linked device (`123:12@…` is `123@…`).
#[must_use]
pub fn bare(jid: &str) -> String {
    match jid.split_once('@') {
        Some((user, server)) => {
            let user = user.split_once(':').map_or(user, |(user, _device)| user);
            format!("{user}@{server}")
        }
        None => jid.to_owned(),
    }
}

/// The phone number that a person's identifier carries; only `…@s.whatsapp.net` carries one.
#[must_use]
pub fn phone_of(jid: &str) -> Option<String> {
    let bare = bare(jid);
    phone_from_digits(bare.strip_suffix("@s.whatsapp.net")?)
}

/// Whether this is a privacy id.
#[must_use]
pub fn is_lid(jid: &str) -> bool {
    jid.ends_with("@lid")
}

/// Whether this is a group.
#[must_use]
pub fn is_group(jid: &str) -> bool {
    jid.ends_with("@g.us")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privacy_id_or_a_group_never_gives_a_phone_number() {
        assert_eq!(phone_of("900000000000002@lid"), None);
        assert_eq!(phone_of("120363000000000001@g.us"), None);
        assert_eq!(phone_of("15550100002"), None);
        assert_eq!(phone_of("15550100002:12@s.whatsapp.net").as_deref(), Some("+15550100002"));
    }

    #[test]
    fn words_and_short_numbers_are_not_phone_numbers() {
        for text in ["hidden", "", "+", "1234567", "1234567890123456", "٣٤٥٦٧٨٩٠"] {
            assert_eq!(phone_from_digits(text), None, "{text}");
        }
    }
}
