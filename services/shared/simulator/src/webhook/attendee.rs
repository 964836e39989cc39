use serde::Serialize;

use crate::world::Person;

/// A person as webhooks describe them.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
pub(super) struct Attendee<'a> {
    attendee_id: &'a str,
    attendee_provider_id: &'a str,
    attendee_name: &'a str,
    attendee_profile_url: (),
    attendee_specifics: Specifics<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendee_public_identifier: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Specifics<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lid: Option<&'a str>,
}

impl<'a> From<&'a Person> for Attendee<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            attendee_id: &person.attendee_id,
            attendee_provider_id: person.provider_id(),
            attendee_name: &person.name,
            attendee_profile_url: (),
            attendee_specifics: Specifics {
                provider: "WHATSAPP",
                phone_number: person.phone_number(),
                lid: person.lid(),
            },
            attendee_public_identifier: person.public_identifier(),
        }
    }
}
