//! What was said about a person, by whom, and when.

use crate::fact::Person;
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
    /// A name that the person chose to be found by, without their number.
    Username,
    /// Somebody of the team said that all who have this are one person.
    Joined,
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
            Self::Username => "username",
            Self::Joined => "joined",
        }
    }

    /// Whether the claim identifies a person, so that it is worth a dated link of its own.
    #[must_use]
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Phone | Self::Lid | Self::ProviderId | Self::Username | Self::Joined)
    }

    /// Whether two who have the same are one person. A username can be given up and taken by somebody else; a
    /// WhatsApp id says nothing that its number or privacy id does not.
    #[must_use]
    pub const fn joins(self) -> bool {
        matches!(self, Self::Phone | Self::Lid | Self::Joined)
    }
}

/// Who said it. The greater one is kept where several said the same.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum ClaimSource {
    /// UniPile's list of chats, which names a chat rather than a person.
    Chat = 1,
    /// Somebody who started a chat from here.
    Started = 2,
    /// A message, live or of history.
    #[default]
    Message = 3,
    /// UniPile's list of the people of a chat.
    People = 4,
    /// Somebody of the team.
    Team = 5,
}

impl ClaimSource {
    /// How much a name counts. Messages and lists of people show the profile's name; what a chat is called may
    /// be anything, so it serves only as long as nobody names the person.
    const fn trust(self) -> u8 {
        match self {
            Self::Chat => 0,
            _ => 1,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    fn is_usual(&self) -> bool {
        *self == Self::default()
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
    /// Who said it.
    #[serde(default, skip_serializing_if = "ClaimSource::is_usual")]
    pub source: ClaimSource,
}

impl Claim {
    /// It was said once more. True when that changed anything.
    fn rise(&mut self, first: Stamp, last_day: i64, source: ClaimSource) -> bool {
        let before = (self.first, self.last_day, self.source);
        self.first = self.first.min(first);
        self.last_day = self.last_day.max(last_day);
        self.source = self.source.max(source);
        before != (self.first, self.last_day, self.source)
    }

    /// Of several values the one with the greatest rank is shown.
    pub(super) fn rank(&self) -> (u8, i64, Stamp, &str) {
        let trust = if self.kind == ClaimKind::Name { self.source.trust() } else { 0 };
        (trust, self.last_day, self.first, &self.value)
    }
}

/// All claims about one person.
///
/// Order-free: claims are a set keyed by kind and value, `first` only falls, `last_day` and `source` only rise.
/// The value shown is the one said on the latest day, and of several the one that began last; a name comes from
/// the most trusted source first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Vec<Claim>);

impl Claims {
    /// Notes one claim. True when that changed anything.
    pub fn note(
        &mut self,
        kind: ClaimKind,
        value: &str,
        stamp: Stamp,
        source: ClaimSource,
    ) -> bool {
        let last_day = stamp.at.day();
        match self.place(kind, value) {
            // The usual case makes no copy.
            Ok(at) => self.0[at].rise(stamp, last_day, source),
            Err(at) => {
                let value = value.to_owned();
                self.0.insert(at, Claim { kind, value, first: stamp, last_day, source });
                true
            }
        }
    }

    fn place(&self, kind: ClaimKind, value: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|claim| (claim.kind, claim.value.as_str()).cmp(&(kind, value)))
    }

    /// Takes in everything that others claim.
    pub fn absorb(&mut self, others: &Self) {
        for claim in &others.0 {
            self.note_claim(claim);
        }
    }

    fn note_claim(&mut self, claim: &Claim) {
        match self.place(claim.kind, &claim.value) {
            Ok(at) => drop(self.0[at].rise(claim.first, claim.last_day, claim.source)),
            Err(at) => self.0.insert(at, claim.clone()),
        }
    }

    /// The value to show.
    #[must_use]
    pub fn best(&self, kind: ClaimKind) -> Option<&str> {
        self.best_claim(kind).map(|claim| claim.value.as_str())
    }

    /// The claim whose value is to be shown.
    #[must_use]
    pub fn best_claim(&self, kind: ClaimKind) -> Option<&Claim> {
        self.0.iter().filter(|claim| claim.kind == kind).max_by_key(|claim| claim.rank())
    }

    /// Whether this was ever said.
    #[must_use]
    pub fn has(&self, kind: ClaimKind, value: &str) -> bool {
        self.place(kind, value).is_ok()
    }

    /// All claims, sorted.
    #[must_use]
    pub fn all(&self) -> &[Claim] {
        &self.0
    }
}

/// The claims that a payload's description of a person makes. Empty and placeholder values claim
/// nothing; the literal `hidden` in place of a phone number is one of those.
pub fn claims_of(person: &Person) -> impl Iterator<Item = (ClaimKind, String)> {
    let name = person.name.as_deref().map(names::clean);
    let name = name.filter(|name| !name.is_empty() && !names::is_placeholder(name));
    let full = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let provider = full(&person.provider_id).map(|id| jid::bare(&id));
    // Whatever is public and no WhatsApp id is a name to be found by.
    let username = full(&person.public_identifier).map(|name| names::clean(&name));
    let username =
        username.filter(|name| !name.contains('@') && jid::phone_from_digits(name).is_none());
    [
        (ClaimKind::Name, name),
        (ClaimKind::Phone, people::phone(person)),
        (ClaimKind::Lid, people::lid(person)),
        (ClaimKind::ProviderId, provider),
        (ClaimKind::ProfileUrl, full(&person.profile_url)),
        (ClaimKind::PictureUrl, full(&person.picture_url)),
        (ClaimKind::Username, username.filter(|name| !name.is_empty())),
    ]
    .into_iter()
    .filter_map(|(kind, value)| Some((kind, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;
    use proptest::prelude::*;

    const SAID: ClaimSource = ClaimSource::Message;
    const SOURCES: [ClaimSource; 5] = [
        ClaimSource::Chat,
        ClaimSource::Started,
        ClaimSource::Message,
        ClaimSource::People,
        ClaimSource::Team,
    ];

    fn stamp(at: i64) -> Stamp {
        Stamp { at: Micros(at * 3_600_000_000), inbox: at }
    }

    #[test]
    fn a_name_that_comes_back_is_shown_again_the_next_day() {
        let mut claims = Claims::default();
        claims.note(ClaimKind::Name, "Ana", stamp(1), SAID);
        claims.note(ClaimKind::Name, "Ana B", stamp(30), SAID);
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana B"));
        claims.note(ClaimKind::Name, "Ana", stamp(60), SAID);
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana"));
        assert!(!claims.note(ClaimKind::Name, "Ana", stamp(61), SAID), "nothing new the same day");
    }

    #[test]
    fn what_a_chat_is_called_names_a_person_only_until_somebody_does() {
        let mut claims = Claims::default();
        claims.note(ClaimKind::Name, "Ana (wholesale)", stamp(500), ClaimSource::Chat);
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana (wholesale)"));
        claims.note(ClaimKind::Name, "Ana", stamp(1), SAID);
        assert_eq!(claims.best(ClaimKind::Name), Some("Ana"));
    }

    #[test]
    fn a_public_name_is_a_username_and_an_id_or_a_number_is_none() {
        let of = |public: &str| {
            let person = Person { public_identifier: Some(public.into()), ..Person::default() };
            claims_of(&person).find(|(kind, _)| *kind == ClaimKind::Username).map(|(_, name)| name)
        };
        assert_eq!(of("ana.b").as_deref(), Some("ana.b"));
        for other in ["15550100002@s.whatsapp.net", "900000000000002@lid", "+15550100002", "", " "]
        {
            assert_eq!(of(other), None, "{other:?}");
        }
    }

    #[test]
    fn claims_stored_before_sources_were_kept_are_read() {
        let old = r#"[{"kind":"name","value":"Ana","first":{"at":1,"inbox":1},"last_day":0}]"#;
        let claims: Claims = serde_json::from_str(old).unwrap();
        assert_eq!(claims.all()[0].source, SAID);
        assert_eq!(serde_json::to_string(&claims).unwrap(), old);
    }

    proptest! {
        #[test]
        fn claims_do_not_depend_on_order_or_repetition(
            mut notes in proptest::collection::vec((0..3_usize, 0..4_usize, 0..200_i64, 0..5_usize), 0..20),
            seed in any::<u64>(),
        ) {
            let kinds = [ClaimKind::Name, ClaimKind::Phone, ClaimKind::Lid];
            let play = |notes: &[(usize, usize, i64, usize)]| {
                let mut claims = Claims::default();
                for (kind, value, at, source) in notes {
                    let source = SOURCES[*source];
                    claims.note(kinds[*kind], &format!("v{value}"), stamp(*at), source);
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
