//! What a chat or a person is called on screen.

use serde::{Deserialize, Serialize};

/// The name of last resort.
pub const NOBODY: &str = "WhatsApp user";
/// The name of a group whose subject is not known.
pub const UNNAMED_GROUP: &str = "WhatsApp group";

/// Where a name came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// Given by the team itself.
    Own,
    /// The group's subject.
    Subject,
    /// The contact's profile name.
    Contact,
    /// The phone number.
    Phone,
    /// Nothing was known.
    Fallback,
}

/// The parts that a chat's title may be made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct TitleParts<'a> {
    /// The name given by the team.
    pub own: Option<&'a str>,
    /// Whether the chat is a group.
    pub group: bool,
    /// The group's subject.
    pub subject: Option<&'a str>,
    /// The counterparty's name.
    pub contact: Option<&'a str>,
    /// The counterparty's phone number in E.164 form.
    pub phone: Option<&'a str>,
}

/// The title of a chat, named the way a person expects: own name, else the group's subject or the
/// contact's name, else the formatted phone number, else [`NOBODY`].
#[must_use]
pub fn title(parts: TitleParts<'_>) -> (String, NameSource) {
    let given = |text: Option<&str>| text.map(clean).filter(|text| !text.is_empty());
    if let Some(own) = given(parts.own) {
        return (own, NameSource::Own);
    }
    if parts.group {
        return given(parts.subject).map_or_else(
            || (UNNAMED_GROUP.into(), NameSource::Fallback),
            |s| (s, NameSource::Subject),
        );
    }
    if let Some(contact) = given(parts.contact).filter(|name| !is_placeholder(name)) {
        return (contact, NameSource::Contact);
    }
    parts.phone.map_or_else(
        || (NOBODY.into(), NameSource::Fallback),
        |phone| (format_phone(phone), NameSource::Phone),
    )
}

/// What a person is called: their name, else the formatted phone number, else [`NOBODY`].
#[must_use]
pub fn person(name: Option<&str>, phone: Option<&str>) -> String {
    title(TitleParts { contact: name, phone, ..TitleParts::default() }).0
}

/// Whether a "name" is only an identifier that upstream put in place of one.
#[must_use]
pub fn is_placeholder(name: &str) -> bool {
    name.contains('@')
        && name
            .split('@')
            .next_back()
            .is_some_and(|host| matches!(host, "lid" | "s.whatsapp.net" | "g.us" | "c.us"))
}

/// A phone number as people read it: `+15550100002` is `+1 555 010 0002`.
///
/// Groups of three from the right with the rest in front: no country's own habit, but readable for all
/// of them.
#[must_use]
pub fn format_phone(e164: &str) -> String {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    let (country, rest) = digits.split_at(digits.len().saturating_sub(10));
    let mut out = String::from("+");
    out.extend(country);
    let tail = rest.len().min(4);
    let (front, last) = rest.split_at(rest.len() - tail);
    for group in front.chunks(3).chain(std::iter::once(last)) {
        if out.len() > 1 {
            out.push(' ');
        }
        out.extend(group);
    }
    out
}

/// Without control characters, direction overrides and outer blanks: a name may not rewrite the line
/// it stands in.
#[must_use]
pub fn clean(name: &str) -> String {
    let harmless = |c: &char| !c.is_control() && !is_direction_override(*c);
    name.chars().filter(harmless).collect::<String>().trim().to_owned()
}

const fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_best_name_known() {
        let parts = TitleParts { phone: Some("+15550100002"), ..TitleParts::default() };
        let named = TitleParts { contact: Some("Ana"), ..parts };
        let own = TitleParts { own: Some("Ana (wholesale)"), ..named };
        assert_eq!(title(own), ("Ana (wholesale)".into(), NameSource::Own));
        assert_eq!(title(named), ("Ana".into(), NameSource::Contact));
        assert_eq!(title(parts), ("+1 555 010 0002".into(), NameSource::Phone));
        assert_eq!(title(TitleParts::default()), (NOBODY.into(), NameSource::Fallback));
        let group = TitleParts { group: true, contact: Some("Ana"), ..TitleParts::default() };
        assert_eq!(title(group), (UNNAMED_GROUP.into(), NameSource::Fallback));
        let subject = TitleParts { subject: Some("Team"), ..group };
        assert_eq!(title(subject), ("Team".into(), NameSource::Subject));
    }

    #[test]
    fn an_identifier_or_an_empty_name_is_no_name() {
        for name in ["", "  ", "\u{202e}", "900000000000002@lid", "1555@s.whatsapp.net"] {
            let parts = TitleParts { contact: Some(name), ..TitleParts::default() };
            assert_eq!(title(parts).1, NameSource::Fallback, "{name:?}");
        }
    }

    #[test]
    fn names_cannot_carry_direction_tricks() {
        assert_eq!(clean(" a\u{202e}b\u{0}\n "), "ab");
    }

    #[test]
    fn numbers_of_every_length_are_formatted() {
        assert_eq!(format_phone("+4915112345678"), "+491 511 234 5678");
        assert_eq!(format_phone("+12345678"), "+123 4 5678");
    }
}
