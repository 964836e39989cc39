//! People who are named in a text.
//!
//! In place of a name UniPile passes WhatsApp's id on, as `{{900000000000002@lid}}`. Nobody can read that, so it
//! is shown as the name that the account knows the person by.

use crate::attendee::ClaimKind;
use crate::ids::AttendeeId;
use crate::{jid, names};
use std::borrow::Cow;
use std::ops::Range;

/// No id is longer, in bytes.
const LONGEST: usize = 64;

/// Somebody who may be named in a text, as far as the account knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// WhatsApp's id, as it stands in the text.
    pub id: String,
    /// The public id.
    pub attendee: AttendeeId,
    /// Their name.
    pub name: Option<String>,
    /// Their phone number in E.164 form.
    pub phone: Option<String>,
}

/// A text as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'t> {
    /// The text.
    pub text: Cow<'t, str>,
    /// Who is named in it, in its order.
    pub mentions: Vec<Mention>,
}

/// Somebody who is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// WhatsApp's id.
    pub id: String,
    /// The public id, if the account knows them.
    pub attendee: Option<AttendeeId>,
    /// The name that stands in the text.
    pub name: String,
    /// Where it stands there, with the sign before it, in code points.
    pub range: Range<usize>,
}

/// The ids that stand in a text in place of names.
pub fn ids(text: &str) -> impl Iterator<Item = &str> {
    tokens(text).map(|(_, id)| id)
}

/// What says of an id whom it names; `None` if it names nobody.
///
/// # Examples
///
/// ```
/// use channel_domain::{attendee::ClaimKind, mentions::identifier};
/// assert_eq!(identifier("9@lid"), Some((ClaimKind::Lid, "9@lid".into())));
/// let phone = identifier("15550100002@s.whatsapp.net");
/// assert_eq!(phone, Some((ClaimKind::Phone, "+15550100002".into())));
/// ```
#[must_use]
pub fn identifier(id: &str) -> Option<(ClaimKind, String)> {
    let lid = || jid::is_lid(id).then(|| (ClaimKind::Lid, jid::bare(id)));
    jid::phone_of(id).map(|phone| (ClaimKind::Phone, phone)).or_else(lid)
}

/// The text with names in it.
#[must_use]
pub fn shown<'t>(text: &'t str, known: &[Known]) -> Shown<'t> {
    let (mut out, mut mentions, mut rest) = (String::new(), Vec::new(), 0);
    let mut length = 0;
    for (place, id) in tokens(text) {
        let person = known.iter().find(|person| person.id == id);
        let phone = person.and_then(|person| person.phone.clone()).or_else(|| jid::phone_of(id));
        let name = person.and_then(|person| person.name.as_deref());
        let name = names::person(name, phone.as_deref());
        let before = &text[rest..place.start];
        let start = length + before.chars().count();
        length = start + 1 + name.chars().count();
        out.extend([before, "@", &name]);
        let attendee = person.map(|person| person.attendee.clone());
        mentions.push(Mention { id: id.to_owned(), attendee, name, range: start..length });
        rest = place.end;
    }
    if mentions.is_empty() {
        return Shown { text: Cow::Borrowed(text), mentions };
    }
    out.push_str(&text[rest..]);
    Shown { text: Cow::Owned(out), mentions }
}

/// The places where an id stands in place of a name.
fn tokens(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let pairs = text.as_bytes().windows(2).enumerate();
    let opened = pairs.filter(|(_, pair)| *pair == b"{{").map(|(at, _)| at);
    opened.filter_map(|at| {
        let rest = &text[at + 2..];
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b'}')?;
        let id = &rest[..end];
        let closes = rest[end..].starts_with("}}") && is_id(id);
        closes.then_some((at..at + end + 4, id))
    })
}

fn is_id(id: &str) -> bool {
    let Some((user, server)) = id.split_once('@') else { return false };
    let digits = !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit());
    digits && matches!(server, "lid" | "s.whatsapp.net")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ana() -> Known {
        let (id, attendee) = ("900000000000002@lid".into(), "ana".into());
        Known { id, attendee, name: Some("Ana 👋".into()), phone: None }
    }

    #[test]
    fn an_id_is_shown_as_the_name_and_its_place_is_told() {
        let text = "Né {{900000000000002@lid}} and {{15550100003@s.whatsapp.net}}, {{7@lid}}?";
        let Shown { text, mentions } = shown(text, &[ana()]);
        assert_eq!(text, "Né @Ana 👋 and @+1 555 010 0003, @WhatsApp user?");
        let there = |mention: &Mention| {
            text.chars().skip(mention.range.start).take(mention.range.len()).collect::<String>()
        };
        let named: Vec<_> = mentions.iter().map(there).collect();
        assert_eq!(named, ["@Ana 👋", "@+1 555 010 0003", "@WhatsApp user"]);
        assert_eq!(mentions[0].attendee, Some("ana".into()));
        assert_eq!(mentions[2].attendee, None);
    }

    #[test]
    fn what_is_no_id_stays_as_it_was_written() {
        for text in [
            "{{name}}",
            "{{@lid}}",
            "{{1@lid}",
            "{{1@g.us}}",
            "{{{1@lid}",
            "{{1@lid }}",
            "{{",
            "{{é@lid}}",
            "{{1@lid@lid}}",
        ] {
            assert!(matches!(shown(text, &[ana()]).text, Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(shown("{{{1@lid}}}", &[]).text, "{@WhatsApp user}");
    }

    proptest! {
        #[test]
        fn any_text_is_shown_and_every_range_holds_the_name(text in "[{}@lid0-9é ]{0,60}") {
            let shown = shown(&text, &[ana()]);
            for mention in &shown.mentions {
                let there: String =
                    shown.text.chars().skip(mention.range.start).take(mention.range.len()).collect();
                prop_assert_eq!(there, format!("@{}", mention.name));
            }
            prop_assert_eq!(ids(&text).count(), shown.mentions.len());
        }
    }
}
