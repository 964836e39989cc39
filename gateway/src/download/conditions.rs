//! What a request says of the copy at hand and of the part that it wants (RFC 9110, sections 13 and 14).

use std::ops::Range;

use http::{HeaderMap, HeaderName, Method, header};

/// What decides which part of a file is answered, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    /// Only what the file is, not its bytes.
    pub(super) head: bool,
    pub(super) at_hand: Tags,
    pub(super) part: Option<Part>,
    /// The part is wanted only of this file, else the whole of what is there.
    only_of: Option<String>,
}

impl Conditions {
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let head = method == Method::HEAD;
        let part = only(headers, &header::RANGE).filter(|_| !head).and_then(Part::parse);
        let only_of = headers.get(header::IF_RANGE);
        let only_of = only_of.map(|it| it.to_str().unwrap_or_default().trim().to_owned());
        Self { head, at_hand: Tags::of(headers), part, only_of }
    }

    /// Whether the part that is wanted is one of the file with this tag. Dates and weak tags never are.
    pub(super) fn is_of(&self, etag: &str) -> bool {
        self.only_of.as_ref().is_none_or(|only| *only == quoted(etag))
    }
}

/// A tag as headers have it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// A header's value, if it is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The tags of the copies at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tags(Vec<String>);

impl Tags {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::IF_NONE_MATCH).iter();
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
        let bare = tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
        Self(bare.filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
    }

    pub(super) fn have(&self, etag: &str) -> bool {
        self.0.iter().any(|tag| tag == etag || tag == "*")
    }

    /// The one tag; empty if there are none or several.
    pub(super) fn one(&self) -> &str {
        match self.0.as_slice() {
            [one] => one,
            _ => "",
        }
    }
}

/// The part of a file that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// From a byte to a byte, or to the end.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl Part {
    /// One part. Several at once, another unit and what makes no sense are as if nothing was asked for.
    fn parse(text: &str) -> Option<Self> {
        let (unit, part) = text.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = part.trim().split_once('-')?;
        match (first, last) {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// Which bytes that are of a file of this size; none if there are none.
    pub(super) fn within(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => {
                first..last.map_or(size, |last| last.saturating_add(1).min(size))
            }
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

/// Digits only; a number that is too large to be one is as large as can be.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conditions(method: &Method, headers: &[(HeaderName, &str)]) -> Conditions {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        Conditions::of(method, &all)
    }

    fn part(text: &str) -> Option<Part> {
        conditions(&Method::GET, &[(header::RANGE, text)]).part
    }

    #[test]
    fn one_part_is_understood_and_everything_else_is_as_if_nothing_was_asked_for() {
        assert_eq!(part("bytes=0-499"), Some(Part::From(0, Some(499))));
        assert_eq!(part("Bytes= 500-"), Some(Part::From(500, None)));
        assert_eq!(part("bytes=-500"), Some(Part::Last(500)));
        let vast = "bytes=0-99999999999999999999999999";
        assert_eq!(part(vast), Some(Part::From(0, Some(u64::MAX))));
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "lines=0-1",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes 0-1",
            "bytes=0x1-2",
        ] {
            assert_eq!(part(text), None, "{text}");
        }
        let twice = [(header::RANGE, "bytes=0-1"), (header::RANGE, "bytes=2-3")];
        assert_eq!(conditions(&Method::GET, &twice).part, None);
        assert_eq!(conditions(&Method::HEAD, &twice[..1]).part, None, "HEAD has no parts");
    }

    #[test]
    fn the_tags_at_hand_are_compared_weakly_and_that_of_a_part_strongly() {
        let at_hand = |list| conditions(&Method::GET, &[(header::IF_NONE_MATCH, list)]).at_hand;
        assert!(at_hand("\"a\", W/\"b\"").have("b") && at_hand("*").have("b"));
        assert!(!at_hand("\"a\"").have("b") && !at_hand("").have("b"));
        assert_eq!((at_hand("W/\"a\"").one(), at_hand("\"a\", \"b\"").one()), ("a", ""));
        let of = |tag| conditions(&Method::GET, &[(header::IF_RANGE, tag)]).is_of("a");
        assert!(of("\"a\"") && conditions(&Method::GET, &[]).is_of("a"));
        for other in ["\"b\"", "W/\"a\"", "a", "Sat, 28 Nov 2026 20:00:00 GMT"] {
            assert!(!of(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_the_bytes_that_its_definition_names(
            size in 0_u64..40, first in 0_u64..50, more in 0_u64..50, count in 0_u64..50
        ) {
            let bytes: Vec<u64> = (0..size).collect();
            let of = |text: String| {
                let range = part(&text).unwrap().within(size);
                range.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
            };
            let last = first + more;
            let named = bytes.iter().copied().filter(|at| (first..=last).contains(at));
            prop_assert_eq!(of(format!("bytes={first}-{last}")), named.collect::<Vec<_>>());
            let rest = bytes.iter().copied().filter(|at| *at >= first);
            prop_assert_eq!(of(format!("bytes={first}-")), rest.collect::<Vec<_>>());
            let end = bytes.iter().copied().filter(|at| at + count >= size);
            prop_assert_eq!(of(format!("bytes=-{count}")), end.collect::<Vec<_>>());
        }

        #[test]
        fn no_header_breaks_it(text in "[bytes=0-9, -]*") {
            let _ = part(&text).and_then(|part| part.within(10));
        }
    }
}
