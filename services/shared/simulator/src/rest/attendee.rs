use serde::Serialize;

use crate::world::Person;

/// A person whom an account knows, or its owner.
#[derive(Debug, Serialize)]
pub(crate) struct AttendeeView<'a> {
    object: &'static str,
    id: &'a str,
    account_id: &'a str,
    provider_id: &'a str,
    name: &'a str,
    is_self: u8,
    hidden: u8,
    specifics: Specifics<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_identifier: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Specifics<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lid: Option<&'a str>,
}

impl<'a> AttendeeView<'a> {
    pub(crate) fn new(account_id: &'a str, person: &'a Person, is_self: bool) -> Self {
        Self {
            object: "ChatAttendee",
            id: &person.attendee_id,
            account_id,
            provider_id: person.provider_id(),
            name: &person.name,
            is_self: is_self.into(),
            hidden: 0,
            specifics: Specifics {
                provider: "WHATSAPP",
                phone_number: person.phone_number(),
                lid: person.lid(),
            },
            public_identifier: person.public_identifier(),
        }
    }
}
