//! The `grpc-timeout` header: up to eight digits and a unit.

use std::time::Duration;

use http::HeaderMap;

const NAME: &str = "grpc-timeout";

/// The header is there and cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What the caller allows, when it says so.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let Some(value) = headers.get(NAME) else {
        return Ok(None);
    };
    value.to_str().ok().and_then(parse).map(Some).ok_or(Malformed)
}

fn parse(text: &str) -> Option<Duration> {
    let (unit_at, unit) = text.char_indices().last()?;
    let digits = &text[..unit_at];
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(amount * 3_600),
        'M' => Duration::from_secs(amount * 60),
        'S' => Duration::from_secs(amount),
        'm' => Duration::from_millis(amount),
        'u' => Duration::from_micros(amount),
        'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<Option<Duration>, Malformed> {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, value.parse().unwrap());
        timeout(&headers)
    }

    #[test]
    fn every_unit_is_understood() {
        for (text, expected) in [
            ("2H", Duration::from_hours(2)),
            ("2M", Duration::from_mins(2)),
            ("2S", Duration::from_secs(2)),
            ("2m", Duration::from_millis(2)),
            ("2u", Duration::from_micros(2)),
            ("2n", Duration::from_nanos(2)),
            ("99999999m", Duration::from_millis(99_999_999)),
            ("0S", Duration::ZERO),
            ("99999999H", Duration::from_hours(99_999_999)),
        ] {
            assert_eq!(read(text), Ok(Some(expected)), "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn anything_else_is_malformed() {
        let texts = "|1|S|5|5s|-5S|+5S|5.0S|1.5S|100000000S|123456789S|5 S|5SS";
        for text in texts.split('|') {
            assert_eq!(read(text), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_amount_in_any_unit_is_read_without_overflow(
            amount in 0_u32..=99_999_999, unit in "[HMSmun]",
        ) {
            let text = format!("{amount}{unit}");
            prop_assert!(read(&text).unwrap().is_some());
        }
    }
}
