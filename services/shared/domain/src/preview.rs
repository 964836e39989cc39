//! The one line that stands for a message in a list.

use crate::fact::AttachmentKind;
use crate::message::ContentKind;
use crate::{marks, names};

/// The longest preview, in characters.
pub const LENGTH: usize = 140;

/// How much of a text is looked at, in characters: far more than is shown, and little work whatever is sent.
const LOOKED_AT: usize = 600;

/// What of a message its line is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'m> {
    /// What it is.
    pub kind: ContentKind,
    /// Its text, with names in it.
    pub text: Option<&'m str>,
    /// Its first file: what it is, and its name.
    pub file: Option<(AttachmentKind, Option<&'m str>)>,
    /// UniPile's number of a system line.
    pub event: Option<i32>,
}

/// The line: the text without marks, else what the message carries. Lists, search and notifications all show
/// this one.
#[must_use]
pub fn line(parts: Parts<'_>) -> String {
    let text = parts.text.map(|text| one_line(&marks::plain(beginning(text))));
    let text = text.filter(|text| !text.is_empty());
    match parts.kind {
        ContentKind::Deleted => "This message was deleted".into(),
        ContentKind::Unsupported => "Unsupported message".into(),
        ContentKind::Event => text.unwrap_or_else(|| event(parts.event).into()),
        ContentKind::Text => text.unwrap_or_default(),
        ContentKind::Media => media(parts.file, text.as_deref()),
    }
}

/// UniPile's numbers of system lines (its guide to message payloads, `event_type`); 10 to 13 were seen to be
/// notices of calls.
const fn event(number: Option<i32>) -> &'static str {
    match number {
        Some(1 | 2) => "Reaction",
        Some(3) => "Group created",
        Some(4) => "Group title changed",
        Some(5) => "Participant added",
        Some(6) => "Participant removed",
        Some(7) => "Participant left",
        Some(8) => "Missed voice call",
        Some(9) => "Missed video call",
        Some(10..=13) => "Call",
        _ => "System message",
    }
}

fn media(file: Option<(AttachmentKind, Option<&str>)>, text: Option<&str>) -> String {
    let (kind, name) = file.unzip();
    let label = label(kind);
    // A document is known by its name, unless somebody wrote something about it.
    let name = name.flatten().filter(|_| kind == Some(AttachmentKind::Document));
    let name = name.map(|name| one_line(&names::clean(name))).filter(|name| !name.is_empty());
    match text.or(name.as_deref()) {
        Some(text) => cut(&format!("{label}: {text}")),
        None => label.into(),
    }
}

const fn label(kind: Option<AttachmentKind>) -> &'static str {
    match kind {
        Some(AttachmentKind::Image) => "Photo",
        Some(AttachmentKind::Video) => "Video",
        Some(AttachmentKind::Audio) => "Audio",
        Some(AttachmentKind::Voice) => "Voice message",
        Some(AttachmentKind::Sticker) => "Sticker",
        Some(AttachmentKind::Gif) => "GIF",
        Some(AttachmentKind::Document) => "Document",
        Some(AttachmentKind::Other) | None => "Attachment",
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end])
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > LENGTH {
            break;
        }
    }
    cut(&line)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttachmentKind::{Document, Image, Voice};
    use proptest::prelude::*;

    fn text(text: &str) -> String {
        line(Parts { kind: ContentKind::Text, text: Some(text), file: None, event: None })
    }

    fn file(kind: AttachmentKind, name: Option<&str>, text: Option<&str>) -> String {
        line(Parts { kind: ContentKind::Media, text, file: Some((kind, name)), event: None })
    }

    fn bare(kind: ContentKind, event: Option<i32>) -> String {
        line(Parts { kind, text: None, file: None, event })
    }

    #[test]
    fn marks_are_not_shown() {
        assert_eq!(text("*Hello*\n_you_ `there` ~now~"), "Hello you there now");
    }

    #[test]
    fn media_is_named_before_its_caption() {
        assert_eq!(file(Image, Some("IMG_1.jpg"), None), "Photo");
        assert_eq!(file(Image, None, Some("*the* sea")), "Photo: the sea");
        assert_eq!(file(Voice, None, None), "Voice message");
        assert_eq!(file(Document, Some("offer.pdf"), None), "Document: offer.pdf");
        assert_eq!(file(Document, Some("offer\u{202e}fdp.exe\n"), None), "Document: offerfdp.exe");
        assert_eq!(file(Document, Some("offer.pdf"), Some("as said")), "Document: as said");
    }

    #[test]
    fn what_has_no_text_has_words_of_its_own() {
        assert_eq!(bare(ContentKind::Event, Some(8)), "Missed voice call");
        assert_eq!(bare(ContentKind::Event, Some(99)), "System message");
        assert_eq!(bare(ContentKind::Unsupported, None), "Unsupported message");
        assert_eq!(bare(ContentKind::Deleted, None), "This message was deleted");
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_of_bounded_length(said in ".{0,900}", name in ".{0,300}") {
            for line in [text(&said), file(Document, Some(&name), None), file(Image, None, Some(&said))] {
                prop_assert!(line.chars().count() <= LENGTH + 1, "{}", line);
                prop_assert!(!line.contains(['\n', '\r']), "{}", line);
            }
        }
    }
}
