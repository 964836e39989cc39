//! Links to attachments: for a while, whoever has one may read what it leads to, without a token.
//!
//! A link says of itself what it leads to, and is sealed: tenant, account, message, attachment and end cannot be
//! changed. Nothing of it is stored, so every process with the key can make and open it.

use crate::error::QueryError;
use crate::seal::{SEAL_KEY_LENGTH, Seal};
use channel_domain::time::Micros;
use channel_proto::query::v1::GetAttachmentRequest;
use prost::Message as _;
use std::time::Duration;

/// Keeps a sealed text of another kind from being a link.
const BINDING: &[u8] = b"attachment link";
/// No link of ours comes near it.
const LONGEST: usize = 8 * 1024;

/// What a link leads to.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Linked {
    /// Whose it is.
    #[prost(string, tag = "1")]
    pub tenant: String,
    /// When the link ends, in seconds since 1970.
    #[prost(int64, tag = "2")]
    pub ends_at: i64,
    /// The attachment, with its account; no part of it.
    #[prost(message, optional, tag = "3")]
    pub attachment: Option<GetAttachmentRequest>,
}

/// Makes links and opens them.
#[derive(Debug, Clone)]
pub struct Links(Vec<Seal>);

impl Links {
    /// Makes links with the first key, and opens those of every key.
    #[must_use]
    pub fn new(keys: &[[u8; SEAL_KEY_LENGTH]]) -> Self {
        Self(keys.iter().map(Seal::new).collect())
    }

    /// Makes a link.
    ///
    /// # Errors
    ///
    /// When there is no key.
    pub fn seal(&self, linked: &Linked) -> Result<String, QueryError> {
        let seal = self.0.first().ok_or(QueryError::NotBuilt)?;
        Ok(seal.seal(BINDING, &linked.encode_to_vec()))
    }

    /// What a link leads to.
    ///
    /// # Errors
    ///
    /// When it is none of ours, or has ended.
    pub fn open(&self, link: &str, now: Micros) -> Result<Linked, QueryError> {
        let short = Some(link).filter(|link| link.len() <= LONGEST);
        let contents = short.and_then(|link| self.0.iter().find_map(|key| key.open(BINDING, link)));
        let contents = contents.ok_or(QueryError::LinkInvalid)?;
        let linked = Linked::decode(&*contents).map_err(|_| QueryError::LinkInvalid)?;
        if now.0.div_euclid(1_000_000) >= linked.ends_at {
            return Err(QueryError::LinkExpired);
        }
        Ok(linked)
    }
}

/// When a link ends that is to be good for at least so long, in seconds since 1970. Ends are rounded up, so that links
/// of the same time are the same, and a browser finds what it has at hand.
#[must_use]
pub fn end(now: Micros, lifetime: Duration, token_ends_at: i64) -> i64 {
    let step = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX).max(1);
    let now = now.0.div_euclid(1_000_000);
    let slot = now.div_euclid(step).saturating_add(2);
    slot.saturating_mul(step).min(token_ends_at.div_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Binding, PageTokens};
    use proptest::prelude::*;

    const NOW: Micros = Micros(1_764_000_000_000_000);

    fn links(keys: &[u8]) -> Links {
        Links::new(&keys.iter().map(|key| [*key; SEAL_KEY_LENGTH]).collect::<Vec<_>>())
    }

    fn linked() -> Linked {
        let attachment = GetAttachmentRequest {
            account_id: "acc".into(),
            message_id: "m".into(),
            attachment_id: "a/1".into(),
            ..GetAttachmentRequest::default()
        };
        Linked { tenant: "t".into(), ends_at: 1_764_000_900, attachment: Some(attachment) }
    }

    #[test]
    fn a_link_leads_where_it_was_made_for_until_its_end() {
        let link = links(&[1]).seal(&linked()).unwrap();
        assert_eq!(links(&[1]).open(&link, NOW).unwrap(), linked());
        let last = Micros(1_764_000_899_999_999);
        assert_eq!(links(&[1]).open(&link, last).unwrap(), linked());
        let over = links(&[1]).open(&link, Micros(last.0 + 1)).unwrap_err();
        assert!(matches!(over, QueryError::LinkExpired), "{over}");
        assert!(link.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }

    #[test]
    fn after_a_change_of_keys_links_of_the_key_before_are_good_and_no_others() {
        let link = links(&[1]).seal(&linked()).unwrap();
        assert!(links(&[2, 1]).open(&link, NOW).is_ok());
        assert!(matches!(links(&[2]).open(&link, NOW), Err(QueryError::LinkInvalid)));
        assert!(matches!(links(&[]).open(&link, NOW), Err(QueryError::LinkInvalid)));
    }

    #[test]
    fn a_page_token_under_the_same_key_is_no_link() {
        let tokens = PageTokens::new(&[1; SEAL_KEY_LENGTH]);
        let token = tokens.seal(&Binding::new("ListChats", "t"), &linked().encode_to_vec());
        assert!(matches!(links(&[1]).open(&token, NOW), Err(QueryError::LinkInvalid)));
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_link(at in 0_usize..200, other in "[A-Za-z0-9_-]", text in "\\PC*") {
            let good = links(&[1]).seal(&linked()).unwrap();
            let at = at % good.len();
            let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
            // The last digit of base64 has bits that mean nothing, and must be zero.
            if changed != good {
                prop_assert!(links(&[1]).open(&changed, NOW).is_err(), "{}", at);
            }
            prop_assert!(links(&[1]).open(&good[..at], NOW).is_err());
            prop_assert!(links(&[1]).open(&text, NOW).is_err());
        }

        #[test]
        fn a_link_lasts_as_long_as_was_asked_and_no_longer_than_the_token(
            now in 0_i64..4_000_000_000_000_000, life in 60_u64..86_400, token in 0_i64..4_000_000_000
        ) {
            let never = end(Micros(now), Duration::from_secs(life), i64::MAX);
            let left = never - now.div_euclid(1_000_000);
            let life = i64::try_from(life).unwrap();
            prop_assert!(left > life && left <= 2 * life, "{left}");
            let lifetime = Duration::from_secs(life.unsigned_abs());
            prop_assert_eq!(end(Micros(now), lifetime, token * 1_000_000), never.min(token));
        }
    }
}
