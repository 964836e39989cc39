//! People.

use super::kinds::person_source;
use super::time::timestamp;
use channel_domain::Micros;
use channel_domain::attendee::{Claim, ClaimKind, ClaimSource};
use channel_domain::names::{self, TitleParts};
use channel_proto::types::v1 as pb;
use channel_store::record::AttendeeRecord;

/// A person as one account sees them.
#[must_use]
pub fn attendee(account_id: &str, person: &AttendeeRecord) -> pb::Attendee {
    let name = person.name.as_deref();
    let (display_name, source) = names::title(TitleParts {
        own: name.filter(|_| person.named_here),
        contact: name,
        phone: person.phone.as_deref(),
        ..TitleParts::default()
    });
    pb::Attendee {
        account_id: account_id.to_owned(),
        attendee_id: person.id.clone(),
        provider_id: person.provider_id.clone().unwrap_or_default(),
        display_name,
        name_source: person_source(source).into(),
        phone_number: person.phone.clone().unwrap_or_default(),
        lid: person.lid.clone().unwrap_or_default(),
        is_self: person.is_self,
        profile_url: person.profile_url.clone().unwrap_or_default(),
        revision: person.rev,
        picture_etag: super::picture_etag(person.picture.as_ref()),
        person_id: person.person.as_ref().unwrap_or(&person.id).clone(),
        username: person.username.clone().unwrap_or_default(),
    }
}

/// What names a person; `None` for what only this system knows.
#[must_use]
pub fn identifier(claim: &Claim) -> Option<pb::Identifier> {
    let kind = match claim.kind {
        ClaimKind::Phone => pb::IdentifierKind::PhoneNumber,
        ClaimKind::Lid => pb::IdentifierKind::Lid,
        ClaimKind::ProviderId => pb::IdentifierKind::ProviderId,
        ClaimKind::Username => pb::IdentifierKind::Username,
        _ => return None,
    };
    Some(pb::Identifier {
        kind: kind.into(),
        value: claim.value.clone(),
        source: source(claim.source).into(),
        first_seen_at: Some(timestamp(claim.first.at)),
        last_seen_at: Some(timestamp(Micros::of_day(claim.last_day))),
    })
}

const fn source(source: ClaimSource) -> pb::IdentifierSource {
    match source {
        ClaimSource::Chat => pb::IdentifierSource::Chat,
        ClaimSource::Started => pb::IdentifierSource::Started,
        ClaimSource::Message => pb::IdentifierSource::Message,
        ClaimSource::People => pb::IdentifierSource::People,
        // Joins are no identifiers.
        ClaimSource::Team => pb::IdentifierSource::Unspecified,
    }
}
