//! People.

use super::id;
use crate::upstream::{Attendee, Profile};
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::{lenient, person};

/// A person with an id.
pub(in super::super) fn attendee(root: &Object<'_>) -> Option<Attendee> {
    let id = id(root)?;
    let person = person::person(&Node::Object(root.clone()))?;
    Some(Attendee {
        person: channel_domain::fact::Person { id: Some(id.into()), ..person },
        is_self: root.pick(&["is_self"], lenient::flag),
        hidden: root.pick(&["hidden"], lenient::flag) == Some(true),
    })
}

pub(in super::super) fn profile(root: &Object<'_>) -> Option<Profile> {
    Some(Profile { provider_id: root.pick(&["id", "provider_id"], lenient::id)? })
}
