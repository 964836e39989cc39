//! A person as one account sees them, and the claims that say so.

use crate::fact::Person;
use crate::ids::AttendeeId;
use crate::media::StoredFile;
use crate::time::Stamp;
use crate::{jid, names, people};
use serde::{Deserialize, Serialize};

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// The profile name.
    Name,
    /// A phone number in E.164 form.
    Phone,
    /// A privacy id.
    Lid,
    /// The WhatsApp id in use.
    ProviderId,
    /// Link to the profile.
    ProfileUrl,
    /// Link to the picture.
    PictureUrl,
}

impl ClaimKind {
    /// Its name in the tables of identifiers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Lid => "lid",
            Self::ProviderId => "providerid",
            Self::ProfileUrl => "profileurl",
            Self::PictureUrl => "pictureurl",
        }
    }

    /// Whether the claim identifies a person, so that it is worth a dated link of its own.
    #[must_use]
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Phone | Self::Lid | Self::ProviderId)
    }
}

/// One thing that somebody once said about a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about.
    pub kind: ClaimKind,
    /// What was said.
    pub value: String,
    /// The earliest fact that said it.
    pub first: Stamp,
    /// The last day on which it was said; a day, so that a name repeated with each message costs one
    /// write a day.
    pub last_day: i64,
}

/// All claims about one person.
///
/// Order-free: claims are a set keyed by kind and value, `first` only falls and `last_day` only rises.
/// The value shown is the one said on the latest day, and of several the one that began last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Vec<Claim>);

impl Claims {
    /// Notes one claim. True when that changed anything.
    pub fn note(&mut self, kind: ClaimKind, value: &str, stamp: Stamp) -> bool {
        let day = stamp.at.day();
        let at = self.0.binary_search_by(|c| (c.kind, c.value.as_str()).cmp(&(kind, value)));
        match at {
            Err(at) => {
                let claim = Claim { kind, value: value.to_owned(), first: stamp, last_day: day };
                self.0.insert(at, claim);
                true
            }
            Ok(at) => {
                let claim = &mut self.0[at];
                let changed = stamp < claim.first || day > claim.last_day;
                claim.first = claim.first.min(stamp);
                claim.last_day = claim.last_day.max(day);
                changed
            }
        }
    }

    /// The value to show.
    #[must_use]
    pub fn best(&self, kind: ClaimKind) -> Option<&str> {
        let of_kind = self.0.iter().filter(|claim| claim.kind == kind);
        of_kind.max_by_key(|claim| (claim.last_day, claim.first)).map(|claim| claim.value.as_str())
    }

    /// All claims, sorted.
    #[must_use]
    pub fn all(&self) -> &[Claim] {
        &self.0
    }
}

/// The stored state of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Our key inside the account; 0 until the row is new.
    pub key: i64,
    /// The public id.
    pub id: AttendeeId,
    /// The account's owner.
    pub is_self: bool,
    /// What was said about them.
    pub claims: Claims,
    /// Their picture, once it is here.
    pub picture: Option<StoredFile>,
    /// The sequence number of the last event about them.
    pub rev: u64,
}

impl Attendee {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn new(key: i64, id: AttendeeId) -> Self {
        Self { key, id, is_self: false, claims: Claims::default(), picture: None, rev: 0 }
    }

    /// Takes in what a payload says about the person.
    pub fn merge(&mut self, person: &Person, is_self: bool, stamp: Stamp) -> Merged {
        let before = self.shown();
        let mut stored = false;
        for (kind, value) in claims_of(person) {
            stored |= self.claims.note(kind, &value, stamp);
        }
        stored |= is_self && !self.is_self;
        self.is_self |= is_self;
        Merged { stored, shown: before != self.shown() || self.rev == 0 }
    }

    /// The name to show, if one is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.claims.best(ClaimKind::Name)
    }

    /// The phone number, if one is known.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.claims.best(ClaimKind::Phone)
    }

    fn shown(&self) -> (bool, [Option<String>; 6]) {
        use ClaimKind::{Lid, Name, Phone, PictureUrl, ProfileUrl, ProviderId};
        let kinds = [Name, Phone, Lid, ProviderId, ProfileUrl, PictureUrl];
        (self.is_self, kinds.map(|kind| self.claims.best(kind).map(ToOwned::to_owned)))
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

/// The claims that a payload's description of a person makes. Empty and placeholder values claim
/// nothing; the literal `hidden` in place of a phone number is one of those.
pub fn claims_of(person: &Person) -> impl Iterator<Item = (ClaimKind, String)> {
    let name = person.name.as_deref().map(names::clean);
    let name = name.filter(|name| !name.is_empty() && !names::is_placeholder(name));
    let full = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let provider = full(&person.provider_id).map(|id| jid::bare(&id));
    [
        (ClaimKind::Name, name),
        (ClaimKind::Phone, people::phone(person)),
        (ClaimKind::Lid, people::lid(person)),
        (ClaimKind::ProviderId, provider),
        (ClaimKind::ProfileUrl, full(&person.profile_url)),
        (ClaimKind::PictureUrl, full(&person.picture_url)),
    ]
    .into_iter()
    .filter_map(|(kind, value)| Some((kind, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;
    use proptest::prelude::*;

    fn stamp(at: i64) -> Stamp {
        Stamp { at: Micros(at * 3_600_000_000), inbox: at }
    }

    #[test]
    fn a_name_that_comes_back_is_shown_again_the_next_day() {
        let mut claims = Claims::default();
        claims.note(ClaimKind::Name, "Ana", stamp(1));
        claims.note(ClaimKind::Name, "Ana B", stamp(30));
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana B"));
        claims.note(ClaimKind::Name, "Ana", stamp(60));
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana"));
        assert!(!claims.note(ClaimKind::Name, "Ana", stamp(61)), "nothing to write the same day");
    }

    proptest! {
        #[test]
        fn claims_do_not_depend_on_order_or_repetition(
            mut notes in proptest::collection::vec((0..3_usize, 0..4_usize, 0..200_i64), 0..20),
            seed in any::<u64>(),
        ) {
            let kinds = [ClaimKind::Name, ClaimKind::Phone, ClaimKind::Lid];
            let play = |notes: &[(usize, usize, i64)]| {
                let mut claims = Claims::default();
                for (kind, value, at) in notes {
                    claims.note(kinds[*kind], &format!("v{value}"), stamp(*at));
                }
                claims
            };
            let straight = play(&notes);
            notes.extend(notes.clone());
            notes.sort_by_key(|note| (note.2.cast_unsigned().wrapping_mul(seed | 1), note.1));
            prop_assert_eq!(straight, play(&notes));
        }
    }
}
