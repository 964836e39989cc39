//! Points in time, as ISO text or as a number since 1970.

use super::json::Node;
use channel_domain::Micros;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// From the year 2000 to the year 2100, in microseconds. A time outside is a mistake, and would put the
/// message at an end of its chat for ever.
const PLAUSIBLE: RangeInclusive<i64> = 946_684_800_000_000..=4_102_444_800_000_000;

/// A number below is seconds, from there on it is milliseconds: the year 5138 or the year 1973.
const SECONDS_END: i64 = 100_000_000_000;

/// A point in time: ISO 8601 with or without a fraction (without an offset it is taken for UTC), or
/// seconds or milliseconds since 1970 as a number or as text.
pub(in crate::v1) fn instant(node: &Node<'_>) -> Option<Micros> {
    let micros = match node {
        Node::Int(number) => whole(*number),
        Node::Float(number) => fraction(*number),
        Node::Text(text) => written(text.trim()),
        _ => None,
    }?;
    PLAUSIBLE.contains(&micros).then_some(Micros(micros))
}

fn whole(number: i64) -> Option<i64> {
    let unit = if number < SECONDS_END { 1_000_000 } else { 1_000 };
    number.checked_mul(unit)
}

fn fraction(number: f64) -> Option<i64> {
    let of_milliseconds = number >= 1e11;
    let seconds = if of_milliseconds { number / 1e3 } else { number };
    let nanos = SignedDuration::try_from_secs_f64(seconds).ok()?.as_nanos();
    // A float's seconds are off by up to 120 ns.
    i64::try_from((nanos + 500).div_euclid(1000)).ok()
}

fn written(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return text.parse().map_or_else(|_| fraction(text.parse().ok()?), whole);
    }
    let with_offset = text.parse::<Timestamp>().ok();
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let at = with_offset.or_else(|| Some(in_utc()?.timestamp()))?;
    Some(at.as_microsecond())
}
