//! What is remembered of the erased, so that their past does not come back: digests, and up to when.

use channel_domain::attendee::claims_of;
use channel_domain::fact::Person;
use channel_domain::ids::AccountId;
use channel_domain::{jid, people};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The digest by which an id, a number or a WhatsApp id of the erased is known again.
#[must_use]
pub fn mark(account: &AccountId, value: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(account.as_str());
    hash.update([0]);
    hash.update(value);
    hash.finalize()[..16].iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// All by which a person may be known again.
pub fn names_of(person: &Person) -> impl Iterator<Item = String> {
    let claims = claims_of(person).filter(|(kind, _)| kind.identifies());
    let id = people::key(person).map(|id| id.to_string());
    id.into_iter().chain(claims.map(|(_, value)| value))
}

/// What a text that names somebody contains: the names, and the numbers that they begin with.
#[must_use]
pub fn needles<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut needles = Vec::new();
    for name in names {
        let bare = jid::bare(name);
        let number = bare.split('@').next().unwrap_or_default().trim_start_matches('+');
        // Few digits would be found in anything.
        needles.extend((number.len() >= 7).then(|| number.to_owned()));
        needles.extend((bare.len() >= 3).then_some(bare));
    }
    needles.sort_unstable();
    needles.dedup();
    needles
}

/// Whether any of them is in it; `whole`: not as a part of a longer word.
#[must_use]
pub fn names(needles: &[String], bytes: &[u8], whole: bool) -> bool {
    let ends = |at: Option<&u8>| !whole || at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    needles.iter().any(|needle| {
        let needle = needle.as_bytes();
        let mut parts = bytes.windows(needle.len()).enumerate();
        parts.any(|(at, part)| {
            part == needle
                && ends(at.checked_sub(1).and_then(|before| bytes.get(before)))
                && ends(bytes.get(at + needle.len()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_any_of_their_names() {
        let needles = needles(["att-1", "915550100002@lid", "+15550100002"].into_iter());
        for text in ["x att-1 y", "from 915550100002:7@lid", "\"15550100002\""] {
            assert!(names(&needles, text.as_bytes(), true), "{text}");
        }
        assert!(!names(&needles, b"att-2 15550100003", false));
        let longer = b"att-12";
        assert!(names(&needles, longer, false) && !names(&needles, longer, true));
    }

    #[test]
    fn a_mark_is_of_one_account() {
        assert_ne!(mark(&"a".into(), "x"), mark(&"b".into(), "x"));
        assert_eq!(mark(&"a".into(), "x").len(), 32);
    }
}
