//! What becomes of links to UniPile's sign-in page.

use super::Fresh;
use super::facts::{at, delivery, incoming, reading, received, status};
use crate::claims::Claim;
use crate::hosted::{DueLink, HostedLink, LINK_KEPT, LinkEnd, Used};
use crate::intake::InboxFilter;
use crate::outbox::{Command, Rules};
use channel_domain::Micros;
use channel_domain::fact::UpstreamStatus;
use uuid::Uuid;

fn link(number: u128, tenant: &str, name: Option<&str>) -> HostedLink {
    HostedLink {
        id: Uuid::from_u128(number),
        tenant: tenant.into(),
        name: name.map(Into::into),
        account: None,
        made_at: at(0),
        expires_at: at(9),
    }
}

async fn keep(fresh: &Fresh, token: u8, link: &HostedLink) {
    fresh.store.keep_link(link, &[token; 32]).await.expect("it is written");
}

async fn used(fresh: &Fresh, token: u8, account: &str, now: i64) -> Used {
    fresh.store.use_link(&[token; 32], &account.into(), at(now)).await.expect("an answer")
}

async fn due(fresh: &Fresh, until: i64) -> Vec<DueLink> {
    fresh.store.due_links(at(until), 9).await.expect("a list")
}

fn connected() -> LinkEnd {
    LinkEnd { reason: None, detail: String::new() }
}

pub async fn a_link_is_used_once_and_before_its_end(fresh: &Fresh) {
    let first = link(1, "acme", Some("Front desk"));
    keep(fresh, 1, &first).await;
    keep(fresh, 2, &link(2, "acme", None)).await;
    let is_open = async |token: u8, now| {
        fresh.store.is_link_open(&[token; 32], at(now)).await.expect("an answer")
    };
    assert!(is_open(1, 8).await && !is_open(1, 9).await && !is_open(3, 1).await);
    assert_eq!(used(fresh, 3, "new", 1).await, Used::Unknown);
    assert_eq!(used(fresh, 1, "new", 9).await, Used::Unknown);
    assert_eq!(due(fresh, 99).await, []);
    assert_eq!(used(fresh, 1, "new", 8).await, Used::Taken);
    assert!(!is_open(1, 8).await);
    assert_eq!(used(fresh, 1, "new", 8).await, Used::Unknown);
    assert_eq!(used(fresh, 1, "another", 8).await, Used::Unknown);
    let claim = fresh.store.claimed(&"new".into()).await.expect("an answer").expect("a claim");
    let (name, attempt) = (Some("Front desk".into()), Uuid::from_u128(1));
    assert_eq!(claim, Claim { tenant: "acme".into(), name, attempt, at: at(8) });
    assert_eq!(fresh.store.claimed(&"another".into()).await.expect("an answer"), None);
    assert_eq!(due(fresh, 7).await, []);
    let told = DueLink { link: first, told: "new".into(), attempts: 0, at: at(8) };
    assert_eq!(due(fresh, 8).await, [told]);
}

pub async fn a_used_link_is_confirmed_by_one_until_its_end_is_told(fresh: &Fresh) {
    keep(fresh, 1, &link(1, "acme", Some("Front desk"))).await;
    assert_eq!(used(fresh, 1, "new", 1).await, Used::Taken);
    let seen = due(fresh, 1).await.remove(0);
    let put = async |due: &DueLink, until| {
        fresh.store.put_link_off(due, at(until)).await.expect("an answer")
    };
    let ours = put(&seen, 5).await.expect("nobody was faster");
    assert_eq!(put(&seen, 6).await, None, "somebody was faster");
    assert_eq!(due(fresh, 4).await, []);
    // Whoever confirmed it is gone: it is due again.
    assert_eq!(due(fresh, 5).await, std::slice::from_ref(&ours));
    let again = put(&DueLink { attempts: 3, ..ours.clone() }, 7).await.expect("it is ours");
    assert_eq!(due(fresh, 7).await, std::slice::from_ref(&again));
    let end =
        async |due, end: &LinkEnd| fresh.store.end_link(due, end, at(8)).await.expect("an answer");
    assert!(!end(&ours, &connected()).await, "a try that was given up ends nothing");
    let failed = LinkEnd { reason: Some("REFUSED".into()), detail: "Why".into() };
    assert!(end(&again, &failed).await);
    assert!(!end(&again, &connected()).await);
    assert_eq!(due(fresh, 99).await, []);
    assert_eq!(fresh.store.claimed(&"new".into()).await.expect("an answer"), None);
    let id = Uuid::from_u128(1);
    let state = fresh.store.link(id).await.expect("an answer").expect("a link");
    assert_eq!((state.told, state.end), (Some("new".into()), Some(failed)));
    assert_eq!(state.link, link(1, "acme", Some("Front desk")));
    // In the end it goes.
    let late = HostedLink { made_at: Micros(at(10).0 + LINK_KEPT), ..link(2, "acme", None) };
    keep(fresh, 2, &late).await;
    assert_eq!(fresh.store.link(id).await.expect("an answer"), None);
}

pub async fn a_callback_makes_nobody_elses_account_change_hands(fresh: &Fresh) {
    fresh.take("theirs", vec![status(UpstreamStatus::Ok)], 1).await;
    let before = fresh.account("theirs").await;
    let claim =
        Claim { tenant: "other".into(), name: None, attempt: Uuid::from_u128(9), at: at(1) };
    fresh.store.claim(&"awaited".into(), &claim).await.expect("it is written");
    for (number, account) in [(1, "theirs"), (2, "awaited")] {
        keep(fresh, number, &link(number.into(), "acme", Some("Mine"))).await;
        assert_eq!(used(fresh, number, account, 2).await, Used::Taken);
    }
    assert_eq!(fresh.store.claimed(&"theirs".into()).await.expect("an answer"), None);
    let awaited = fresh.store.claimed(&"awaited".into()).await.expect("an answer");
    assert_eq!(awaited, Some(claim.clone()));
    for due in due(fresh, 2).await {
        assert!(fresh.store.end_link(&due, &connected(), at(3)).await.expect("an answer"));
    }
    fresh.take("awaited", vec![status(UpstreamStatus::Ok)], 4).await;
    assert_eq!(fresh.account("awaited").await.tenant.as_str(), "other");
    let after = fresh.account("theirs").await;
    assert_eq!((after.tenant, after.record), (before.tenant, before.record));
}

pub async fn a_link_for_a_known_account_is_for_no_other(fresh: &Fresh) {
    fresh.take("known", vec![status(UpstreamStatus::Credentials)], 1).await;
    let again = HostedLink { account: Some("known".into()), ..link(1, "acme", None) };
    keep(fresh, 1, &again).await;
    assert_eq!(used(fresh, 1, "other", 2).await, Used::OtherAccount);
    assert_eq!(fresh.store.claimed(&"other".into()).await.expect("an answer"), None);
    assert_eq!(due(fresh, 9).await, []);
    assert_eq!(used(fresh, 1, "known", 2).await, Used::Taken);
    assert_eq!(fresh.store.claimed(&"known".into()).await.expect("an answer"), None);
    assert_eq!(due(fresh, 2).await[0].link, again);
}

pub async fn what_was_held_of_a_hosted_account_is_due_once_it_is_claimed(fresh: &Fresh) {
    let payload =
        |account: &str| delivery(reading(account, received(incoming("m1", "c1", "Hi", 1))), at(1));
    let hold = async || {
        let held = "UPDATE webhook_inbox SET state = 4, next_at = NULL, reason = 'ACCOUNT_UNKNOWN' \
            WHERE state = 0";
        (fresh.sql)(held.into()).await
    };
    let accounts_due = async || {
        let due = InboxFilter { due_at: Some(at(7)), limit: 9, ..InboxFilter::default() };
        let due = fresh.store.inbox(&due).await.expect("a list");
        due.into_iter().map(|it| it.expect("a row").account).collect::<Vec<_>>()
    };
    let kept = fresh.store.keep(vec![payload("new"), payload("other")]).await;
    assert_eq!(kept.expect("a batch is kept").verdicts.len(), 2);
    assert_eq!(hold().await, 2);
    keep(fresh, 1, &link(1, "acme", None)).await;
    assert_eq!(used(fresh, 1, "new", 2).await, Used::Taken);
    assert_eq!(accounts_due().await, [Some("new".into())]);
    // One that was held in the very moment of the callback is due at the end.
    assert_eq!(hold().await, 1);
    fresh.take("new", vec![status(UpstreamStatus::Ok)], 3).await;
    let told = due(fresh, 2).await.remove(0);
    assert!(fresh.store.end_link(&told, &connected(), at(7)).await.expect("an answer"));
    assert_eq!(accounts_due().await, [Some("new".into())]);
}

pub async fn an_account_that_was_heard_of_before_its_callback_is_named_once(fresh: &Fresh) {
    fresh.take("new", vec![status(UpstreamStatus::CreationSuccess)], 1).await;
    let heard = fresh.account("new").await;
    let call = async |name: &str, since: Micros| {
        let call = Command::CallAccount(name.into(), since);
        let done = fresh.store.command(&"new".into(), call, &Rules::default(), at(2), None).await;
        done.expect("an answer");
        fresh.account("new").await
    };
    let later = Micros(i64::MAX);
    assert_eq!(call("Too late", later).await.record.name, heard.record.name);
    let named = call("Front desk", Micros(0)).await;
    assert_eq!(named.record.name, "Front desk");
    assert_eq!(named.head.seq, heard.head.seq + 1, "it is told");
    assert_eq!(call("Another", Micros(0)).await.record.name, "Front desk");
    // The name stays when other things change.
    fresh.take("new", vec![status(UpstreamStatus::Ok)], 3).await;
    assert_eq!(fresh.account("new").await.record.name, "Front desk");
}
