//! People.

use super::kinds::person_source;
use channel_domain::names::{self, TitleParts};
use channel_proto::types::v1 as pb;
use channel_store::record::AttendeeRecord;

/// A person as one account sees them.
#[must_use]
pub fn attendee(account_id: &str, person: &AttendeeRecord) -> pb::Attendee {
    let (display_name, source) = names::title(TitleParts {
        contact: person.name.as_deref(),
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
    }
}
