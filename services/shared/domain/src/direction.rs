//! Whether a message came in or went out. Nothing here knows who took part; see [`crate::people`].

use crate::fact::{OwnerClaim, Person, Received};
use crate::jid;
use serde::{Deserialize, Serialize};

/// Which way a message went, seen from the connected account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Written by somebody else.
    In,
    /// Written by the account's owner, on whatever device or through the API.
    Out,
}

/// Decides the direction. The first rule that has an answer wins:
///
/// 1. UniPile's own word, `is_sender`;
/// 2. the owner's WhatsApp id equals the sender's, where both are known;
/// 3. the owner's phone number equals the sender's, where both are known;
/// 4. otherwise the message is taken for a foreign one.
#[must_use]
pub fn decide(message: &Received) -> Direction {
    let own = message
        .is_sender
        .or_else(|| is_owner(message.sender.as_ref()?, &message.owner))
        .unwrap_or(false);
    if own { Direction::Out } else { Direction::In }
}

/// Whether a person is the account's owner; `None` when there is nothing to compare.
///
/// Two missing values never count as equal.
#[must_use]
pub fn is_owner(person: &Person, owner: &OwnerClaim) -> Option<bool> {
    let ids = owner
        .user_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .zip(person.provider_id.as_deref().filter(|id| !id.is_empty()));
    // A phone JID and a privacy id may both name the same person, so unequal ids of two forms
    // prove nothing.
    let by_id = ids.and_then(|(own, theirs)| {
        let (own, theirs) = (jid::bare(own), jid::bare(theirs));
        (own == theirs || jid::is_lid(&own) == jid::is_lid(&theirs)).then_some(own == theirs)
    });
    by_id.or_else(|| {
        let own = owner.phone.as_deref().and_then(jid::phone_from_digits)?;
        Some(own == crate::people::phone(person)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::ChatClaim;

    fn message(is_sender: Option<bool>, owner: OwnerClaim, sender: Option<Person>) -> Received {
        Received {
            message: "m".into(),
            provider_id: None,
            chat: ChatClaim {
                id: "c".into(),
                provider_id: None,
                is_group: None,
                subject: None,
                pinned: None,
            },
            owner,
            is_sender,
            sender,
            attendees: vec![],
            text: None,
            attachments: vec![],
            sent_at: None,
            event: None,
            hidden: false,
            forwarded: false,
            quoted: None,
        }
    }

    fn owner(phone: Option<&str>, user_id: Option<&str>) -> OwnerClaim {
        OwnerClaim { phone: phone.map(Into::into), user_id: user_id.map(Into::into) }
    }

    fn person(provider_id: &str, phone: Option<&str>) -> Person {
        Person {
            provider_id: Some(provider_id.into()),
            phone: phone.map(Into::into),
            ..Person::default()
        }
    }

    #[test]
    fn the_rules_are_asked_in_order() {
        let cases = [
            // UniPile's word beats everything.
            (Some(true), owner(None, Some("1@lid")), Some(person("2@lid", None)), Direction::Out),
            (Some(false), owner(None, Some("1@lid")), Some(person("1@lid", None)), Direction::In),
            // Then ids, without the device.
            (None, owner(None, Some("1:7@lid")), Some(person("1@lid", None)), Direction::Out),
            // Two missing ids are not the same person.
            (None, owner(None, None), None, Direction::In),
            (None, owner(None, Some("")), Some(person("", None)), Direction::In),
            // Then phone numbers, across the forms of an id.
            (
                None,
                owner(Some("+15550100001"), Some("9@lid")),
                Some(person("15550100001@s.whatsapp.net", None)),
                Direction::Out,
            ),
            (
                None,
                owner(Some("+15550100001"), None),
                Some(person("9@lid", Some("hidden"))),
                Direction::In,
            ),
        ];
        for (is_sender, owner, sender, expected) in cases {
            let message = message(is_sender, owner, sender);
            assert_eq!(decide(&message), expected, "{message:?}");
        }
    }
}
