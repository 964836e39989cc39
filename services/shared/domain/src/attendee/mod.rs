//! A person as one account sees them, the claims that say so, and who is the same person.

pub mod claims;
pub mod joining;

pub use claims::{Claim, ClaimKind, ClaimSource, Claims, claims_of};

use crate::fact::Person;
use crate::ids::AttendeeId;
use crate::media::StoredFile;
use crate::names::{self, NameSource};
use crate::time::Stamp;
use serde::{Deserialize, Serialize};

/// What is known beyond what was said of this very id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ties {
    /// The name that the team gave the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_name: Option<String>,
    /// Somebody of the team said that this id is nobody else, the last time then: only what the team says
    /// later joins it to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart: Option<Stamp>,
    /// This very id was shown to be the account's owner; kept where [`Attendee::is_self`] may come from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_self: Option<bool>,
    /// The others who are the same person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
}

impl Ties {
    /// These, unless there is nothing to keep.
    #[must_use]
    pub fn known(&self) -> Option<&Self> {
        Some(self).filter(|ties| **ties != Self::default())
    }
}

/// The other ids of a person, as far as one of them needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The id under which the person is shown; may be this one.
    pub person: AttendeeId,
    /// All that was said of the others.
    pub claims: Claims,
    /// The name that the team gave one of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_name: Option<String>,
}

/// The stored state of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Our key inside the account; 0 until the row is new.
    pub key: i64,
    /// The public id.
    pub id: AttendeeId,
    /// The account's owner, under this id or another one.
    pub is_self: bool,
    /// What was said about them under this id.
    pub claims: Claims,
    /// The team's word, and the others who are the same person.
    pub ties: Ties,
    /// Their picture, once it is here.
    pub picture: Option<StoredFile>,
    /// The sequence number of the last event about them.
    pub rev: u64,
}

impl Attendee {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn new(key: i64, id: AttendeeId) -> Self {
        let (claims, ties) = (Claims::default(), Ties::default());
        Self { key, id, is_self: false, claims, ties, picture: None, rev: 0 }
    }

    /// Takes in what a payload says about the person.
    pub fn merge(
        &mut self,
        person: &Person,
        is_self: bool,
        stamp: Stamp,
        source: ClaimSource,
    ) -> Merged {
        let before = self.shown();
        let mut stored = false;
        for (kind, value) in claims_of(person) {
            stored |= self.claims.note(kind, &value, stamp, source);
        }
        stored |= is_self && !self.was_self();
        self.note_self(is_self);
        Merged { stored, shown: before != self.shown() || self.rev == 0 }
    }

    /// Notes that the team calls the person so; `None` takes the name back.
    pub fn call(&mut self, name: Option<String>) -> Merged {
        let before = self.shown();
        let stored = self.ties.own_name != name;
        self.ties.own_name = name;
        Merged { stored, shown: before != self.shown() }
    }

    /// Who is the same person; `None`: nobody else.
    pub fn tie(&mut self, joined: Option<(Joined, bool)>) -> Merged {
        let before = (self.ties.clone(), self.shown());
        let own = self.was_self();
        let others = joined.as_ref().is_some_and(|(_, is_self)| *is_self);
        self.ties.was_self = joined.is_some().then_some(own);
        self.ties.joined = joined.map(|(joined, _)| joined);
        self.is_self = own || others;
        Merged { stored: before.0 != self.ties, shown: before.1 != self.shown() }
    }

    /// Whether this very id was shown to be the account's owner.
    #[must_use]
    pub fn was_self(&self) -> bool {
        self.ties.was_self.unwrap_or(self.is_self)
    }

    fn note_self(&mut self, is_self: bool) {
        if is_self {
            self.is_self = true;
            self.ties.was_self = self.ties.was_self.map(|_| true);
        }
    }

    /// The value to show, whichever of the person's ids it was said of.
    #[must_use]
    pub fn best(&self, kind: ClaimKind) -> Option<&str> {
        let own = self.claims.best_claim(kind);
        let others = self.ties.joined.as_ref().and_then(|joined| joined.claims.best_claim(kind));
        let best = own.into_iter().chain(others).max_by_key(|claim| claim.rank());
        best.map(|claim| claim.value.as_str())
    }

    /// The name to show and where it comes from, if one is known: the team's own before the profile's.
    #[must_use]
    pub fn named(&self) -> Option<(&str, NameSource)> {
        let joined = self.ties.joined.as_ref();
        let own = self.ties.own_name.as_deref();
        let own = own.or_else(|| joined.and_then(|joined| joined.own_name.as_deref()));
        let contact = || self.best(ClaimKind::Name).map(|name| (name, NameSource::Contact));
        own.map(|name| (name, NameSource::Own)).or_else(contact)
    }

    /// The name to show, if one is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.named().map(|(name, _)| name)
    }

    /// What the person is called on screen, whatever is known of them.
    #[must_use]
    pub fn called(&self) -> String {
        names::person(self.name(), self.phone())
    }

    /// The phone number, if one is known.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.best(ClaimKind::Phone)
    }

    /// The id under which the person is shown.
    #[must_use]
    pub fn person(&self) -> &AttendeeId {
        self.ties.joined.as_ref().map_or(&self.id, |joined| &joined.person)
    }

    /// What names the person, whichever of their ids it was said of.
    #[must_use]
    pub fn identifiers(&self) -> Vec<Claim> {
        let mut all = self.claims.clone();
        if let Some(joined) = &self.ties.joined {
            all.absorb(&joined.claims);
        }
        let named = |claim: &&Claim| claim.kind.identifies() && claim.kind != ClaimKind::Joined;
        all.all().iter().filter(named).cloned().collect()
    }

    fn shown(&self) -> (bool, [Option<String>; 8]) {
        use ClaimKind::{Lid, Phone, PictureUrl, ProfileUrl, ProviderId, Username};
        let own = |kind| self.claims.best(kind).map(ToOwned::to_owned);
        let any = |kind| self.best(kind).map(ToOwned::to_owned);
        let name = self.name().map(ToOwned::to_owned);
        let person = Some(self.person().to_string());
        let [phone, lid, username] = [Phone, Lid, Username].map(any);
        let [provider, profile, picture] = [ProviderId, ProfileUrl, PictureUrl].map(own);
        (self.is_self, [name, person, phone, lid, username, provider, profile, picture])
    }
}

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// The row must be written.
    pub stored: bool,
    /// Something that people see changed.
    pub shown: bool,
}

impl Merged {
    /// Nothing changed.
    pub const NOTHING: Self = Self { stored: false, shown: false };
    /// The row and what people see changed.
    pub const SHOWN: Self = Self { stored: true, shown: true };
    /// Only the row's memory changed.
    pub const STORED: Self = Self { stored: true, shown: false };

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { stored: self.stored || other.stored, shown: self.shown || other.shown }
    }
}
