//! Whom a chat is started with.

use crate::attendee::{Attendee, ClaimKind};
use crate::fact::Person;
use crate::ids::AttendeeId;
use crate::jid;

/// A person to write to, as a caller names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// Somebody the account knows.
    Attendee(AttendeeId),
    /// A phone number in E.164 form, such as `+15550100002`.
    Phone(String),
    /// WhatsApp's id, such as `15550100002@s.whatsapp.net`.
    ProviderId(String),
}

impl Recipient {
    /// The identifiers under which the account may know them already.
    #[must_use]
    pub fn identifiers(&self) -> Vec<(ClaimKind, String)> {
        match self {
            Self::Attendee(_) => vec![],
            Self::Phone(phone) => vec![(ClaimKind::Phone, phone.clone())],
            Self::ProviderId(id) => {
                let lid = Some(id).filter(|id| jid::is_lid(id));
                let phone = jid::phone_of(id).map(|phone| (ClaimKind::Phone, phone));
                let lid = lid.map(|lid| (ClaimKind::Lid, jid::bare(lid)));
                [(ClaimKind::ProviderId, jid::bare(id))]
                    .into_iter()
                    .chain(phone)
                    .chain(lid)
                    .collect()
            }
        }
    }

    /// Whether this is the person.
    #[must_use]
    pub fn is(&self, attendee: &Attendee) -> bool {
        let known = attendee.claims.all();
        let named = |(kind, value): &(ClaimKind, String)| {
            known.iter().any(|claim| claim.kind == *kind && claim.value == *value)
        };
        match self {
            Self::Attendee(id) => attendee.id == *id,
            _ => self.identifiers().iter().any(named),
        }
    }

    /// What can be said of somebody whom the account does not know; `None` if that is nothing.
    #[must_use]
    pub fn stranger(&self) -> Option<Person> {
        let provider_id = match self {
            Self::Attendee(_) => return None,
            Self::Phone(phone) => address_of_phone(phone),
            Self::ProviderId(id) => jid::bare(id),
        };
        Some(Person { provider_id: Some(provider_id), ..Person::default() })
    }
}

/// The WhatsApp id under which somebody can be written to, if one is known. The phone number's own id comes
/// first: UniPile documents that form for starting chats.
#[must_use]
pub fn address(attendee: &Attendee) -> Option<String> {
    let best = |kind| attendee.best(kind);
    let by_phone = best(ClaimKind::Phone).map(address_of_phone);
    let by_id = || best(ClaimKind::ProviderId).or_else(|| best(ClaimKind::Lid));
    by_phone.or_else(|| by_id().map(ToOwned::to_owned))
}

fn address_of_phone(phone: &str) -> String {
    format!("{}@s.whatsapp.net", phone.trim_start_matches('+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attendee::ClaimSource;
    use crate::time::Stamp;

    fn known(provider_id: &str) -> Attendee {
        let mut attendee = Attendee::new(1, "a".into());
        let person = Person { provider_id: Some(provider_id.into()), ..Person::default() };
        attendee.merge(&person, false, Stamp::default(), ClaimSource::Message);
        attendee
    }

    #[test]
    fn a_person_is_known_by_number_and_by_id_and_never_by_digits_of_a_privacy_id() {
        let maya = known("15550100002:3@s.whatsapp.net");
        let hidden = known("900000000000002@lid");
        let phone = Recipient::Phone("+15550100002".into());
        assert!(phone.is(&maya) && !phone.is(&hidden));
        assert!(Recipient::ProviderId("15550100002@s.whatsapp.net".into()).is(&maya));
        assert!(Recipient::ProviderId("900000000000002@lid".into()).is(&hidden));
        assert!(!Recipient::Phone("+900000000000002".into()).is(&hidden));
        assert_eq!(address(&maya).as_deref(), Some("15550100002@s.whatsapp.net"));
        assert_eq!(address(&hidden).as_deref(), Some("900000000000002@lid"));
    }

    #[test]
    fn a_stranger_is_written_to_under_the_id_that_the_number_makes() {
        let stranger = Recipient::Phone("+15550100002".into()).stranger().unwrap();
        assert_eq!(stranger.provider_id.as_deref(), Some("15550100002@s.whatsapp.net"));
        assert_eq!(Recipient::Attendee("a".into()).stranger(), None);
    }
}
