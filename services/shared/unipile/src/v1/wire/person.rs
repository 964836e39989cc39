//! People: the sender, the attendees, the one who reacted.

use super::json::{Node, Object};
use super::lenient;
use channel_domain::AttendeeId;
use channel_domain::fact::{OwnerClaim, Person};

/// More than any WhatsApp group holds; the rest is left out.
const ATTENDEES_MAX: usize = 2048;

/// Which spellings of a key are read.
#[derive(Clone, Copy)]
enum Spelling {
    /// `attendee_name` only.
    Prefixed,
    /// Also `name`, as in REST objects.
    Either,
}

/// A person, be it an object or just an identifier.
pub(in crate::v1) fn person(node: &Node<'_>) -> Option<Person> {
    match node {
        Node::Object(object) => described(object, Spelling::Either),
        Node::Text(_) => {
            Some(Person { provider_id: Some(lenient::id(node)?), ..Person::default() })
        }
        _ => None,
    }
}

/// The sender: an object of its own, or in the older form spread over the body itself.
pub(in crate::v1) fn sender(root: &Object<'_>) -> Option<Person> {
    let nested = root.pick(&["sender"], person);
    nested.or_else(|| described(root, Spelling::Prefixed))
}

/// Who else is in the chat.
pub(in crate::v1) fn attendees(root: &Object<'_>) -> Vec<Person> {
    match root.get("attendees") {
        Some(Node::List(list)) => {
            let known = list.iter().filter_map(person);
            known.take(ATTENDEES_MAX).collect()
        }
        Some(single) => person(single).into_iter().collect(),
        None => Vec::new(),
    }
}

/// What the body says about the connected account itself.
pub(in crate::v1) fn owner(root: &Object<'_>) -> OwnerClaim {
    let Some(info) = root.object("account_info") else {
        return OwnerClaim::default();
    };
    OwnerClaim {
        phone: info.pick(&["phone_number"], lenient::phone),
        user_id: info.pick(&["user_id"], lenient::id),
    }
}

fn described(object: &Object<'_>, spelling: Spelling) -> Option<Person> {
    let keys = |both: &'static [&'static str; 2]| match spelling {
        Spelling::Prefixed => &both[..1],
        Spelling::Either => &both[..],
    };
    let id = object.pick(keys(&["attendee_id", "id"]), lenient::id);
    let specifics = keys(&["attendee_specifics", "specifics"]);
    let specifics = specifics.iter().find_map(|key| object.object(key));
    let specific = |key, read: fn(&Node<'_>) -> Option<String>| specifics?.pick(&[key], read);
    let public = keys(&["attendee_public_identifier", "public_identifier"]);
    let picture = keys(&["attendee_profile_picture_url", "picture_url"]);
    let person = Person {
        id: id.map(AttendeeId::new),
        provider_id: object.pick(keys(&["attendee_provider_id", "provider_id"]), lenient::id),
        name: object.pick(keys(&["attendee_name", "name"]), lenient::name),
        phone: specific("phone_number", lenient::phone),
        lid: specific("lid", lenient::id),
        public_identifier: object.pick(public, lenient::id),
        profile_url: object.pick(keys(&["attendee_profile_url", "profile_url"]), lenient::url),
        picture_url: object.pick(picture, lenient::url),
    };
    (person != Person::default()).then_some(person)
}
