//! Which ids name the same person.
//!
//! UniPile may know one person under two ids: by the phone number, and by the privacy id that WhatsApp shows
//! instead. What both were said to have tells that they are one. Nothing is moved for it: each id keeps its
//! messages and its chats, and points to the id under which the person is shown. So the team can take it back.
//!
//! Order-free: the outcome is a function of all that was said, whatever came first.

use super::{Attendee, Claim, ClaimKind, Claims, Joined};
use crate::ids::AttendeeId;
use crate::time::{Micros, Stamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What more ids than this have names nobody: it is a placeholder, and would join strangers.
pub const MOST: usize = 16;

/// A tie between two people, as good as the worse of the two claims that make it.
type Tie<'p> = (Reverse<(i64, i64)>, &'p AttendeeId, &'p AttendeeId, usize, usize);

/// Sorts people into persons. Each group is in the order in which its ids came about; the first one is the id
/// under which the person is shown.
///
/// The team's word counts first, then a shared privacy id, which is a person's for ever. A phone number may be
/// given to somebody else: two with different privacy ids are not joined by one, and whoever has it alone
/// belongs to the one of whom it was said last.
#[must_use]
pub fn persons(people: &[&Attendee]) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(people);
    for kind in [ClaimKind::Joined, ClaimKind::Lid, ClaimKind::Phone] {
        let mut ties = ties(people, kind);
        ties.sort_unstable();
        for (.., one, other) in ties {
            groups.join(one, other, kind == ClaimKind::Phone);
        }
    }
    groups.sorted(people)
}

/// What one of a person's ids has to know of the others, and whether one of these is the account's owner;
/// `None` if there are no others.
#[must_use]
pub fn joined(of: &Attendee, person: &[&Attendee]) -> Option<(Joined, bool)> {
    let person_id = person.first()?.id.clone();
    let mut joined =
        Joined { person: person_id, claims: Claims::default(), own_name: None, picture: None };
    let mut is_self = false;
    let others: Vec<_> = person.iter().filter(|other| other.id != of.id).collect();
    for other in &others {
        joined.claims.absorb(&other.claims);
        let name = other.ties.own_name.clone();
        joined.own_name = joined.own_name.or(name);
        joined.picture = joined.picture.or_else(|| other.picture.clone());
        is_self |= other.was_self();
    }
    (!others.is_empty()).then_some((joined, is_self))
}

/// Whether a claim may join this id to others.
fn counts(attendee: &Attendee, claim: &Claim) -> bool {
    let apart = attendee.ties.apart;
    claim.kind.joins()
        && apart.is_none_or(|apart| claim.kind == ClaimKind::Joined && claim.first > apart)
}

fn ties<'p>(people: &[&'p Attendee], kind: ClaimKind) -> Vec<Tie<'p>> {
    let mut holders: BTreeMap<&str, Vec<(usize, &Claim)>> = BTreeMap::new();
    for (at, attendee) in people.iter().enumerate() {
        let claims = attendee.claims.all().iter();
        for claim in claims.filter(|claim| claim.kind == kind && counts(attendee, claim)) {
            holders.entry(&claim.value).or_default().push((at, claim));
        }
    }
    let few = holders.into_values().filter(|holders| holders.len() <= MOST);
    few.flat_map(|holders| pairs(people, &holders)).collect()
}

/// All pairs, since of some the one may be refused and not the other.
fn pairs<'p>(people: &[&'p Attendee], holders: &[(usize, &Claim)]) -> Vec<Tie<'p>> {
    let mut ties = Vec::new();
    for (at, (one, claim)) in holders.iter().enumerate() {
        for (other, others) in &holders[at + 1..] {
            let day = claim.last_day.min(others.last_day);
            let since = claim.first.min(others.first).at.0;
            let mut both = [*one, *other];
            both.sort_unstable_by_key(|at| &people[*at].id);
            let [one, other] = both;
            let rank = Reverse((day, since));
            ties.push((rank, &people[one].id, &people[other].id, one, other));
        }
    }
    ties
}

/// People in groups, each with the privacy ids of its members.
struct Groups {
    of: Vec<usize>,
    lids: Vec<BTreeSet<String>>,
}

impl Groups {
    fn new(people: &[&Attendee]) -> Self {
        let lid =
            |attendee: &&Attendee| attendee.claims.best(ClaimKind::Lid).map(ToOwned::to_owned);
        Self {
            of: (0..people.len()).collect(),
            lids: people.iter().map(|attendee| lid(attendee).into_iter().collect()).collect(),
        }
    }

    fn join(&mut self, one: usize, other: usize, unless_two_lids: bool) {
        let (keep, go) = (self.of[one], self.of[other]);
        let (kept, gone) = (&self.lids[keep], &self.lids[go]);
        let fits = kept.is_subset(gone) || gone.is_subset(kept);
        if keep == go || unless_two_lids && !fits {
            return;
        }
        let gone = std::mem::take(&mut self.lids[go]);
        self.lids[keep].extend(gone);
        for of in self.of.iter_mut().filter(|of| **of == go) {
            *of = keep;
        }
    }

    fn sorted(self, people: &[&Attendee]) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, of) in self.of.into_iter().enumerate() {
            groups.entry(of).or_default().push(at);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        for group in &mut groups {
            group.sort_by_cached_key(|at| seniority(people[*at]));
        }
        groups.sort_by_cached_key(|group| people[group[0]].id.clone());
        groups
    }
}

/// An id of UniPile's before one made here, then the one that was heard of first.
fn seniority(attendee: &Attendee) -> (bool, Stamp, AttendeeId) {
    const LATEST: Stamp = Stamp { at: Micros(i64::MAX), inbox: i64::MAX };
    let first = attendee.claims.all().iter().map(|claim| claim.first).min();
    (attendee.id.is_made_here(), first.unwrap_or(LATEST), attendee.id.clone())
}

impl Claims {
    /// What may join to others.
    pub fn joining(&self) -> impl Iterator<Item = (ClaimKind, &str)> {
        let joining = self.all().iter().filter(|claim| claim.kind.joins());
        joining.map(|claim| (claim.kind, claim.value.as_str()))
    }
}

#[cfg(test)]
mod tests;
