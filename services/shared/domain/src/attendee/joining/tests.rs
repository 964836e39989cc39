use super::*;
use crate::attendee::ClaimSource;
use proptest::prelude::*;

fn stamp(hour: i64) -> Stamp {
    Stamp { at: Micros(hour * 3_600_000_000), inbox: hour }
}

fn known(id: &str, claims: &[(ClaimKind, &str, i64)]) -> Attendee {
    let mut attendee = Attendee::new(0, id.into());
    for (kind, value, hour) in claims {
        attendee.claims.note(*kind, value, stamp(*hour), ClaimSource::Message);
    }
    attendee
}

/// The persons as sets of ids.
fn sorted(people: &[Attendee]) -> Vec<Vec<&str>> {
    let all: Vec<_> = people.iter().collect();
    let named = |group: &Vec<usize>| group.iter().map(|at| people[*at].id.as_str()).collect();
    persons(&all).iter().map(named).collect()
}

use ClaimKind::{Joined as Together, Lid, Phone};

#[test]
fn a_number_or_a_privacy_id_in_common_is_one_person_and_the_eldest_id_shows_them() {
    let by_lid = known("b", &[(Lid, "9@lid", 2)]);
    let both = known("c", &[(Lid, "9@lid", 3), (Phone, "+15550100002", 3)]);
    let by_phone = known("a", &[(Phone, "+15550100002", 1)]);
    let other = known("d", &[(Phone, "+15550100003", 1)]);
    assert_eq!(sorted(&[by_lid, both, by_phone, other]), [vec!["a", "b", "c"], vec!["d"]]);
}

#[test]
fn an_id_made_here_never_shows_somebody_whom_unipile_names() {
    let made = known("jid:15550100002@s.whatsapp.net", &[(Phone, "+15550100002", 1)]);
    let named = known("a", &[(Phone, "+15550100002", 2)]);
    assert_eq!(sorted(&[made, named]), [vec!["a", "jid:15550100002@s.whatsapp.net"]]);
}

#[test]
fn a_number_that_was_given_to_somebody_else_joins_nobody() {
    let before = known("a", &[(Phone, "+15550100002", 1), (Lid, "1@lid", 1)]);
    let after = known("b", &[(Phone, "+15550100002", 900), (Lid, "2@lid", 900)]);
    let number = known("c", &[(Phone, "+15550100002", 800)]);
    // Whoever has the number alone belongs to the one of whom it was said last.
    assert_eq!(sorted(&[before, after, number]), [vec!["a"], vec!["c", "b"]]);
}

#[test]
fn what_everybody_has_joins_nobody() {
    let ids: Vec<_> = (0..=MOST).map(|at| format!("a{at:02}")).collect();
    let people: Vec<_> = ids.iter().map(|id| known(id, &[(Phone, "+10000000000", 1)])).collect();
    assert_eq!(sorted(&people).len(), MOST + 1);
    assert_eq!(sorted(&people[..MOST]).len(), 1);
}

#[test]
fn the_teams_last_word_counts() {
    let a = known("a", &[(Phone, "+15550100002", 1)]);
    let mut b = known("b", &[(Phone, "+15550100002", 2)]);
    b.ties.apart = Some(stamp(5));
    assert_eq!(sorted(&[a.clone(), b.clone()]), [vec!["a"], vec!["b"]]);
    let mut a = a;
    for attendee in [&mut a, &mut b] {
        attendee.claims.note(Together, "1", stamp(6), ClaimSource::Team);
    }
    assert_eq!(sorted(&[a.clone(), b.clone()]), [vec!["a", "b"]]);
    b.ties.apart = Some(stamp(7));
    assert_eq!(sorted(&[a, b]), [vec!["a"], vec!["b"]]);
}

#[test]
fn joining_shows_what_is_known_of_any_id_and_parting_takes_it_back() {
    let mut a = known("a", &[(Phone, "+15550100002", 1)]);
    let mut b = known("b", &[(Lid, "9@lid", 2), (Phone, "+15550100002", 2)]);
    b.claims.note(ClaimKind::Name, "Ana", stamp(2), ClaimSource::Message);
    b.is_self = true;
    let alone = a.clone();
    let tied = joined(&a, &[&a.clone(), &b.clone()]);
    assert!(a.tie(tied).shown);
    assert_eq!((a.name(), a.best(Lid), a.is_self), (Some("Ana"), Some("9@lid"), true));
    assert!(b.tie(joined(&b, &[&alone, &b.clone()])).shown && b.is_self);
    assert_eq!(b.person().as_str(), "a");
    assert!(a.tie(None).shown);
    assert_eq!(a, alone);
    assert!(b.tie(None).shown && b.is_self);
}

proptest! {
    #[test]
    fn persons_do_not_depend_on_the_order_of_people(
        said in proptest::collection::vec((0..6_usize, 0..3_usize, 0..4_usize, 0..80_i64), 0..24),
        apart in proptest::collection::vec((0..6_usize, 0..80_i64), 0..3),
        seed in any::<u64>(),
    ) {
        let kinds = [Together, Lid, Phone];
        let mut people: Vec<_> = (0..6).map(|at| known(&format!("a{at}"), &[])).collect();
        for (who, kind, value, hour) in said {
            let value = format!("v{value}");
            people[who].claims.note(kinds[kind], &value, stamp(hour), ClaimSource::Message);
        }
        for (who, hour) in apart {
            people[who].ties.apart = people[who].ties.apart.max(Some(stamp(hour)));
        }
        let straight: Vec<Vec<String>> =
            sorted(&people).iter().map(|group| group.iter().map(ToString::to_string).collect()).collect();
        let mut shuffled = people.clone();
        shuffled.sort_by_key(|it| it.id.as_str().bytes().map(u64::from).sum::<u64>().wrapping_mul(seed | 1));
        prop_assert_eq!(&straight, &sorted(&shuffled));
        // A shared privacy id always joins, unless the team said otherwise.
        for one in &people {
            for other in &people {
                let free = one.ties.apart.is_none() && other.ties.apart.is_none();
                let shared = one.claims.all().iter().any(|c| c.kind == Lid && other.claims.has(Lid, &c.value));
                if free && shared {
                    let group = straight.iter().find(|group| group.contains(&one.id.to_string()));
                    prop_assert!(group.is_some_and(|group| group.contains(&other.id.to_string())));
                }
            }
        }
    }
}
