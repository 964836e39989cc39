use super::*;
use proptest::prelude::*;

const STATUSES: [UpstreamStatus; 11] = [
    UpstreamStatus::Ok,
    UpstreamStatus::Connecting,
    UpstreamStatus::Error,
    UpstreamStatus::Stopped,
    UpstreamStatus::Credentials,
    UpstreamStatus::Permissions,
    UpstreamStatus::Deleted,
    UpstreamStatus::CreationSuccess,
    UpstreamStatus::CreationFail,
    UpstreamStatus::Reconnected,
    UpstreamStatus::SyncSuccess,
];

fn account() -> Account {
    Account::new(1, "a".into(), "t".into(), Micros(0))
}

fn stamp(at: i64) -> Stamp {
    Stamp { at: Micros(at), inbox: at }
}

fn told(account: &mut Account, status: UpstreamStatus, at: i64) -> Merged {
    account.merge_status(status, stamp(at), Source::Webhook)
}

#[test]
fn a_late_older_report_does_not_change_the_state() {
    let mut account = account();
    told(&mut account, UpstreamStatus::Credentials, 9);
    assert!(!told(&mut account, UpstreamStatus::Ok, 5).shown);
    assert_eq!(account.connection(), (Connection::Credentials, Some(Micros(9))));
}

#[test]
fn a_state_lasts_since_its_first_report() {
    let mut account = account();
    for at in [7, 3, 5] {
        told(&mut account, UpstreamStatus::Ok, at);
    }
    told(&mut account, UpstreamStatus::Error, 1);
    told(&mut account, UpstreamStatus::SyncSuccess, 6);
    assert_eq!(account.connection(), (Connection::Ok, Some(Micros(3))));
    assert_eq!(account.synced_at(), Some(Micros(6)));
}

#[test]
fn whoever_told_a_state_first_stays_its_source() {
    let mut account = account();
    account.merge_status(UpstreamStatus::Ok, stamp(3), Source::Api);
    assert!(!told(&mut account, UpstreamStatus::Reconnected, 5).shown, "it confirms");
    assert_eq!(account.told().map(|told| told.source), Some(Source::Api));
    assert!(told(&mut account, UpstreamStatus::Ok, 2).shown, "it was told before");
    assert_eq!(account.told().map(|told| told.source), Some(Source::Webhook));
}

#[test]
fn a_removed_account_stays_removed() {
    let mut account = account();
    told(&mut account, UpstreamStatus::Deleted, 3);
    assert!(!told(&mut account, UpstreamStatus::Ok, 4).shown, "it is late");
    assert_eq!(account.connection(), (Connection::Deleted, Some(Micros(3))));
}

#[test]
fn a_name_that_was_given_goes_before_the_number() {
    let mut account = account();
    let phone = OwnerClaim { phone: Some("15550100001".into()), user_id: None };
    account.merge_owner(&phone, stamp(1));
    assert_eq!(account.name(), "+1 555 010 0001");
    account.own_name = Some("Front desk".into());
    assert_eq!(account.name(), "Front desk");
}

#[test]
fn only_a_new_account_without_a_name_is_given_one() {
    let mut old = account();
    assert!(!old.call_new("Front desk".into(), Micros(old.created_at.0 + 1)).shown);
    assert_eq!(old.own_name, None);
    let since = old.created_at;
    assert!(old.call_new("Front desk".into(), since).shown);
    assert!(!old.call_new("Another".into(), since).shown);
    assert_eq!(old.name(), "Front desk");
}

#[test]
fn every_status_has_its_state() {
    use Connection as C;
    let states = STATUSES.map(Connection::after);
    let expected = [
        Some(C::Ok),
        Some(C::Connecting),
        Some(C::Error),
        Some(C::Stopped),
        Some(C::Credentials),
        Some(C::Permissions),
        Some(C::Deleted),
        Some(C::Connecting),
        Some(C::CreationFailed),
        Some(C::Ok),
        None,
    ];
    assert_eq!(states, expected);
}

proptest! {
    #[test]
    fn the_newest_report_decides_in_whatever_order_and_number_they_come(
        reports in proptest::collection::vec((0..STATUSES.len(), any::<bool>()), 1..24),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..48),
    ) {
        let report = |account: &mut Account, at: usize| {
            let (status, asked) = reports[at];
            let source = if asked { Source::Api } else { Source::Webhook };
            account.merge_status(STATUSES[status], stamp(i64::try_from(at).unwrap()), source)
        };
        let (mut ordered, mut shuffled) = (account(), account());
        for at in 0..reports.len() {
            report(&mut ordered, at);
        }
        for at in &order {
            report(&mut shuffled, at.index(reports.len()));
        }
        for at in (0..reports.len()).rev() {
            let before = (shuffled.connection(), shuffled.synced_at());
            let merged = report(&mut shuffled, at);
            let changed = before != (shuffled.connection(), shuffled.synced_at());
            prop_assert!(!changed || merged.shown, "what people see changed without their being told");
        }
        prop_assert_eq!(&ordered, &shuffled);
        let states = || reports.iter().rev().filter_map(|(it, _)| Connection::after(STATUSES[*it]));
        let removed = states().find(|state| *state == Connection::Deleted);
        let expected = removed.or_else(|| states().next()).unwrap_or(Connection::Unknown);
        prop_assert_eq!(ordered.connection().0, expected);
    }
}
