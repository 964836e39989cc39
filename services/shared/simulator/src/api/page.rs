//! Pages of lists: limits, times and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ask::Ask;
use super::error::Problem;

/// How many items a page has when nobody says.
const USUAL: usize = 100;
const MOST: usize = 250;

/// The limit that a request asks for.
pub(crate) fn limit(ask: &Ask) -> Result<usize, Problem> {
    let Some(text) = ask.query("limit") else { return Ok(USUAL) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Problem::invalid(format!("limit must be a number from 1 to {MOST}")))
}

/// A time of the query: UTC with exactly three decimals.
pub(crate) fn time(ask: &Ask, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    let time = if is_time(text) { text.parse().ok() } else { None };
    match time {
        Some(time) => Ok(Some(time)),
        None => Err(Problem::invalid(format!("{name} must be like 2026-02-01T10:00:00.000Z"))),
    }
}

/// The schema's pattern. Its dot stands for any character.
fn is_time(text: &str) -> bool {
    const PATTERN: &[u8] = b"m999-t9-d9T99:99:99.999Z";
    let fits = |(is, wanted): (u8, &u8)| match wanted {
        b'm' => matches!(is, b'1' | b'2'),
        b't' => matches!(is, b'0' | b'1'),
        b'd' => matches!(is, b'0'..=b'3'),
        b'9' => is.is_ascii_digit(),
        b'.' => true,
        exactly => is == *exactly,
    };
    text.len() == PATTERN.len() && text.bytes().zip(PATTERN).all(fits)
}

/// A yes or no of the query.
pub(crate) fn flag(ask: &Ask, name: &str) -> Result<Option<bool>, Problem> {
    match ask.query(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Problem::invalid(format!("{name} must be true or false"))),
    }
}

/// Where a list goes on, if it does.
pub(crate) fn cursor<T: DeserializeOwned>(ask: &Ask) -> Result<Option<T>, Problem> {
    let Some(text) = ask.query("cursor") else { return Ok(None) };
    let place = STANDARD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok());
    place.map(Some).ok_or_else(|| Problem::invalid("the cursor is none of this list"))
}

/// A place in a list, as a cursor.
pub(crate) fn to_cursor(place: &impl Serialize) -> String {
    STANDARD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Cuts what goes beyond a page off; the place of the last item that is left is where the next page
/// goes on.
pub(crate) fn cut<T, P: Serialize>(
    items: &mut Vec<T>,
    limit: usize,
    place: impl Fn(&T) -> P,
) -> Option<String> {
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    items.last().map(|last| to_cursor(&place(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_form_of_a_time_is_taken() {
        assert!(is_time("2026-02-01T10:00:00.000Z"));
        for wrong in [
            "2026-02-01T10:00:00Z",
            "2026-02-01T10:00:00.000000Z",
            "2026-02-01T10:00:00.000+00:00",
            "2026-2-01T10:00:00.0000Z",
            "3026-02-01T10:00:00.000Z",
            "2026-22-01T10:00:00.000Z",
            "1769940000000",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }
}
