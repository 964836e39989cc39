//! Scalars in all the forms that UniPile writes them. What has no sensible reading is none.

use super::json::{Node, Object};

/// The longest id, in bytes.
const ID_MAX: usize = 512;
/// The longest name of a person, a group or a file, in characters.
const NAME_MAX: usize = 256;
/// The longest URL, in bytes; a cut one would lead elsewhere.
const URL_MAX: usize = 4096;

/// A flag: `true`, `1`, `"1"`, `"true"` and their opposites.
pub(in crate::v1) fn flag(node: &Node<'_>) -> Option<bool> {
    match node {
        Node::Bool(value) => Some(*value),
        Node::Int(1) => Some(true),
        Node::Int(0) => Some(false),
        Node::Text(text) => flag_word(text.trim()),
        _ => None,
    }
}

fn flag_word(word: &str) -> Option<bool> {
    let is = |digit: &str, name: &str| word == digit || word.eq_ignore_ascii_case(name);
    (is("1", "true") || is("0", "false")).then(|| is("1", "true"))
}

/// A whole number; fractions are rounded, text is read.
pub(in crate::v1) fn integer(node: &Node<'_>) -> Option<i64> {
    match node {
        Node::Int(value) => Some(*value),
        Node::Float(value) => rounded(*value),
        Node::Text(text) => {
            let text = text.trim();
            let exact = text.parse().ok();
            exact.or_else(|| rounded(text.parse().ok()?))
        }
        _ => None,
    }
}

fn rounded(value: f64) -> Option<i64> {
    /// Beyond 2^53 a float no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "within ±2^53, checked here")]
    (value.abs() <= EXACT).then(|| value.round() as i64)
}

/// A count of something large, such as bytes.
pub(in crate::v1) fn count(node: &Node<'_>) -> Option<u64> {
    u64::try_from(integer(node)?).ok()
}

/// A measure that is known and positive: pixels, seconds. Fits a database's 32-bit integer.
pub(in crate::v1) fn measure(node: &Node<'_>) -> Option<u32> {
    let value = i32::try_from(integer(node)?).ok()?;
    u32::try_from(value).ok().filter(|value| *value > 0)
}

/// Text as written, without NUL; none if nothing remains.
pub(in crate::v1) fn text(node: &Node<'_>) -> Option<String> {
    let Node::Text(text) = node else { return None };
    let text = without_nul(text);
    (!text.is_empty()).then_some(text)
}

/// A name: text, not blank, cut to a sane length.
pub(in crate::v1) fn name(node: &Node<'_>) -> Option<String> {
    let mut name = text(node).filter(|name| !name.trim().is_empty())?;
    if let Some((end, _)) = name.char_indices().nth(NAME_MAX) {
        name.truncate(end);
    }
    Some(name)
}

/// A phone number as written, be it text or digits.
pub(in crate::v1) fn phone(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Int(digits) => Some(digits.to_string()),
        _ => name(node),
    }
}

/// A link, unless it is too long to be true.
pub(in crate::v1) fn url(node: &Node<'_>) -> Option<String> {
    text(node).filter(|url| url.len() <= URL_MAX)
}

/// An optional id; one that could not be kept exactly counts as missing.
pub(in crate::v1) fn id(node: &Node<'_>) -> Option<String> {
    let Node::Text(id) = node else { return None };
    is_id(id).then(|| id.clone().into_owned())
}

/// Why a required id cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::v1) enum IdFault {
    Missing,
    Blank,
    WrongType,
    /// Longer than 512 bytes, or with control characters.
    Bad,
}

/// A required id.
pub(in crate::v1) fn required(object: &Object<'_>, key: &str) -> Result<String, IdFault> {
    match object.get(key) {
        None => Err(IdFault::Missing),
        Some(Node::Text(id)) if id.trim().is_empty() => Err(IdFault::Blank),
        Some(Node::Text(id)) if is_id(id) => Ok(id.clone().into_owned()),
        Some(Node::Text(_)) => Err(IdFault::Bad),
        Some(_) => Err(IdFault::WrongType),
    }
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_MAX && !id.trim().is_empty() && !id.chars().any(char::is_control)
}

fn without_nul(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text.to_owned() }
}
