//! What becomes of accounts that are being connected.

use super::Fresh;
use super::facts::{at, delivery, incoming, reading, received, status};
use crate::claims::{CLAIM_KEPT, Claim};
use crate::intake::{InboxFilter, Outcome};
use crate::outbox::{AccountNews, Command, Done, Refused, Rules};
use channel_domain::Micros;
use channel_domain::account::{Connection, Source};
use channel_domain::fact::UpstreamStatus;
use uuid::Uuid;

fn claim(tenant: &str, name: Option<&str>, attempt: u128, at: Micros) -> Claim {
    let (tenant, name) = (tenant.into(), name.map(Into::into));
    Claim { tenant, name, attempt: Uuid::from_u128(attempt), at }
}

async fn learn(fresh: &Fresh, account: &str, asked: i64, status: UpstreamStatus) -> Done {
    let phone = Some("15550100009".into());
    let news = AccountNews { asked_at: at(asked), status: Some(status), phone };
    let learn = Command::LearnAccount(news);
    let done = fresh.store.command(&account.into(), learn, &Rules::default(), at(99), None).await;
    done.expect("an answer")
}

async fn claimed(fresh: &Fresh, account: &str) -> Option<Claim> {
    fresh.store.claimed(&account.into()).await.expect("an answer")
}

pub async fn an_account_that_is_claimed_goes_to_its_claimant(fresh: &Fresh) {
    let claims = async |account: &str, claim: &Claim| {
        fresh.store.claim(&account.into(), claim).await.expect("it is written");
    };
    let first = claim("acme", Some("Front desk"), 1, at(0));
    claims("told", &first).await;
    claims("asked", &claim("acme", None, 2, at(0))).await;
    assert_eq!(claimed(fresh, "told").await, Some(first));
    // A webhook is first, of several accounts at once.
    fresh.take("other", vec![status(UpstreamStatus::Ok)], 1).await;
    fresh.take("told", vec![status(UpstreamStatus::CreationSuccess)], 1).await;
    let told = fresh.account("told").await;
    assert_eq!((told.tenant.as_str(), told.record.name.as_str()), ("acme", "Front desk"));
    assert_ne!(fresh.account("other").await.tenant.as_str(), "acme");
    // The answer to a question is first.
    learn(fresh, "asked", 2, UpstreamStatus::Ok).await;
    let asked = fresh.account("asked").await;
    assert_eq!((asked.tenant.as_str(), asked.record.name.as_str()), ("acme", "+1 555 010 0009"));
    assert_eq!(asked.record.connection_source, Source::Api as i32);
    // The name stays when other things change.
    learn(fresh, "told", 3, UpstreamStatus::Credentials).await;
    assert_eq!(fresh.account("told").await.record.name, "Front desk");
    // Nobody claims it: an answer alone makes no account.
    let unknown = learn(fresh, "nobody's", 2, UpstreamStatus::Ok).await;
    assert!(matches!(unknown, Done::Refused(Refused::AccountUnknown)));
    // Only the newest attempt withdraws, and what nobody withdraws goes some day.
    claims("told", &claim("acme", None, 3, at(5))).await;
    let unclaim = async |attempt| {
        let attempt = Uuid::from_u128(attempt);
        fresh.store.unclaim(&"told".into(), attempt).await.expect("it is written");
    };
    unclaim(1).await;
    assert_eq!(claimed(fresh, "told").await.map(|it| it.attempt.as_u128()), Some(3));
    unclaim(3).await;
    assert_eq!(claimed(fresh, "told").await, None);
    claims("late", &claim("acme", None, 4, Micros(at(1).0 + CLAIM_KEPT))).await;
    assert_eq!(claimed(fresh, "asked").await, None);
}

pub async fn payloads_that_nobody_owned_are_due_when_their_account_is_claimed(fresh: &Fresh) {
    let payload =
        |account: &str| delivery(reading(account, received(incoming("m1", "c1", "Hi", 1))), at(1));
    let kept = fresh.store.keep(vec![payload("a"), payload("b")]).await;
    assert_eq!(kept.expect("a batch is kept").verdicts.len(), 2);
    let held = "UPDATE webhook_inbox SET state = 4, next_at = NULL, reason = 'ACCOUNT_UNKNOWN'";
    assert_eq!((fresh.sql)(held.into()).await, 2);
    fresh.store.claim(&"a".into(), &claim("acme", None, 1, at(7))).await.expect("it is written");
    let due = InboxFilter { due_at: Some(at(7)), limit: 9, ..InboxFilter::default() };
    let due = fresh.store.inbox(&due).await.expect("a list");
    let accounts: Vec<_> = due.into_iter().map(|listed| listed.expect("a row")).collect();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].account, Some("a".into()));
    assert_eq!(accounts[0].outcome, Outcome::Pending);
}

pub async fn an_answer_is_as_old_as_its_question(fresh: &Fresh) {
    fresh.take("acc", vec![status(UpstreamStatus::Ok)], 1).await;
    // It is asked at 2, loses its session at 3, and the old answer comes last.
    fresh.take("acc", vec![status(UpstreamStatus::Credentials)], 3).await;
    learn(fresh, "acc", 2, UpstreamStatus::Ok).await;
    let account = fresh.account("acc").await.record;
    assert_eq!(account.connection, Connection::Credentials as i32);
    assert_eq!(account.connection_since, Some(at(3).0));
    assert_eq!(account.connection_source, Source::Webhook as i32);
    assert_eq!(account.connection_word.as_deref(), Some("CREDENTIALS"));
    learn(fresh, "acc", 4, UpstreamStatus::Ok).await;
    let account = fresh.account("acc").await.record;
    assert_eq!(account.connection, Connection::Ok as i32);
    assert_eq!(account.connection_since, Some(at(4).0));
    assert_eq!(account.connection_source, Source::Api as i32);
}
