//! Times as people write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use prost_types::Timestamp as Wire;

/// Reads a moment: with a zone, a local time or date, or how long ago.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    parse_at(text, Timestamp::now())
}

fn parse_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let local = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
    if let Ok(local) = local {
        let zoned = local.to_zoned(TimeZone::system());
        return zoned.map(|zoned| zoned.timestamp()).map_err(|error| error.to_string());
    }
    let ago = text.parse::<SignedDuration>().ok().filter(|ago| !ago.is_negative());
    ago.and_then(|ago| now.checked_sub(ago).ok()).ok_or_else(|| {
        "expected a time such as 2026-05-01T12:00:00Z, or how long ago, such as 2h".to_owned()
    })
}

/// A moment as the contracts have it.
pub(crate) fn wire(moment: Timestamp) -> Wire {
    let floor = moment.as_nanosecond().div_euclid(1_000_000_000);
    let nanos = moment.as_nanosecond().rem_euclid(1_000_000_000);
    Wire {
        seconds: i64::try_from(floor).unwrap_or_default(),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// A moment for people, in the zone of the machine.
pub(crate) fn told(moment: Option<Wire>) -> String {
    let moment = moment.and_then(|moment| Timestamp::new(moment.seconds, moment.nanos).ok());
    let local =
        |moment: Timestamp| moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
    moment.map(|moment| local(moment).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let now: Timestamp = "2026-05-02T12:00:00Z".parse().unwrap();
        let parsed = |text| parse_at(text, now).map(|moment| moment.to_string());
        assert_eq!(parsed("2026-05-01T12:00:00+02:00").unwrap(), "2026-05-01T10:00:00Z");
        assert_eq!(parsed("90m").unwrap(), "2026-05-02T10:30:00Z");
        assert_eq!(parsed("2h 30m").unwrap(), "2026-05-02T09:30:00Z");
        assert!(parsed("2026-05-01").is_ok() && parsed("2026-05-01T08:00").is_ok());
        for nonsense in ["", "yesterday", "-2h", "12"] {
            assert!(parsed(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn the_wire_counts_nanoseconds_upwards_also_before_1970() {
        let moment = Timestamp::from_nanosecond(-1_500_000_000).unwrap();
        assert_eq!(wire(moment), Wire { seconds: -2, nanos: 500_000_000 });
    }
}
