//! A whole body.

use super::json::{self, Node};
use super::repair;

/// What `read` makes of a JSON body; none if it is no JSON, even with small repairs.
pub(in crate::v1) fn read<T>(body: &[u8], read: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
    let text = str::from_utf8(body).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match json::tree(text) {
        Ok(root) => Some(read(&root)),
        Err(error) if error.is_syntax() => {
            let repaired = repair::repaired(text)?;
            json::tree(&repaired).ok().map(|root| read(&root))
        }
        Err(_) => None,
    }
}
