//! The order in which stored facts are applied does not matter, nor how often.

use super::Fresh;
use super::facts::{
    at, deleted, delivery, edited, incoming, outgoing, owner_reacted, reacted, read, reading,
    received, status,
};
use crate::intake::{Delivery, Mode, Outcome, Stored};
use crate::reads::AttendeeQuery;
use bytes::Bytes;
use channel_domain::Stamp;
use channel_domain::chat::ChatKind;
use channel_domain::fact::{
    Attachment, Fact, Person, Receipt, ReceiptKind, Received, SystemEvent, UpstreamStatus,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::atomic::{AtomicU32, Ordering};

/// How many random sets of facts are tried.
const CASES: u32 = 48;

static CASE: AtomicU32 = AtomicU32::new(0);

/// A set of facts is stored twice, in the same order under the same times, for two accounts. One
/// account applies it as it comes; the other in a random order, with repetitions. Both must end alike.
///
/// # Panics
///
/// With the smallest set of facts found for which they do not.
pub async fn facts_in_any_order_and_number_give_the_same_state(fresh: &Fresh) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: cases.unwrap_or(CASES), ..Config::default() };
    let handle = tokio::runtime::Handle::current();
    // The runner is blocking, and the store needs the runtime's threads.
    let outcome = tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(config);
        runner.run(&schedule(), |(facts, order)| handle.block_on(tried(fresh, facts, order)))
    });
    std::future::ready(()).await;
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Facts, and the order (with repetitions) in which the second account applies them.
fn schedule() -> impl Strategy<Value = (Vec<Fact>, Vec<usize>)> {
    proptest::collection::vec(fact(), 1..14).prop_flat_map(|facts| {
        let count = facts.len();
        let all = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        let more = proptest::collection::vec(0..count, 0..count);
        let order = (all, more).prop_map(|(mut order, more)| {
            order.extend(more);
            order
        });
        (Just(facts), order)
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    let message = 0..4_usize;
    (message, 0..10_usize, 0..3_usize).prop_map(|(message, kind, variant)| {
        let id = format!("m{message}");
        let emoji = [Some("👍"), Some("❤️"), None][variant];
        let states = [UpstreamStatus::Ok, UpstreamStatus::Credentials, UpstreamStatus::SyncSuccess];
        match kind {
            0..=2 => received(description(message, variant)),
            3 => read(&id),
            4 => Fact::Receipt(Receipt {
                message: id.as_str().into(),
                kind: ReceiptKind::Delivered,
                claimed_at: [None, Some(at(0)), Some(at(500))][variant],
            }),
            5 => edited(&id, &format!("edit {variant}")),
            6 => deleted(&id),
            7 => reacted(&id, emoji),
            8 => owner_reacted(&id, emoji),
            _ => status(states[variant]),
        }
    })
}

/// One of several descriptions of a message: blank, with text, with a file or as a system line, under
/// changing names.
fn description(message: usize, variant: usize) -> Received {
    let second = i64::try_from(message).unwrap_or(0);
    let id = format!("m{message}");
    let mut text = match message {
        1 => outgoing(&id, "c0", "typed on the phone", second),
        _ => incoming(&id, "c0", "hello", second),
    };
    if message == 2 {
        text.chat.id = "group".into();
        text.chat.is_group = Some(true);
        text.chat.subject = [None, Some("Team"), Some("The team")][variant].map(Into::into);
        text.chat.pinned = [None, Some(true), Some(false)][variant];
    }
    if variant == 2 {
        // Copies differ in what they know.
        text.provider_id = Some("3Aother".into());
        text.chat.provider_id = Some(format!("{}@s.whatsapp.net", text.chat.id));
    }
    if variant == 0 && message == 0 {
        text.sender = None;
    }
    // The same person as in the other messages, by the number or by the privacy id alone; each copy names her as it
    // likes.
    let (number, lid) = ("15550100002@s.whatsapp.net", "915550100002@lid");
    let names = [
        [(Some("ana-1"), number), (None, number), (Some("ana-0"), number)],
        [(None, number), (Some("ana-2"), lid), (None, lid)],
    ];
    if let Some((id, provider_id)) = message.checked_sub(2).map(|at| names[at][variant]) {
        let (id, provider_id) = (id.map(Into::into), Some(provider_id.into()));
        text.sender = Some(Person { id, provider_id, ..Person::default() });
    }
    match variant {
        0 => text.text = None,
        1 => text.sender.iter_mut().for_each(|person| person.name = Some("Other".into())),
        _ if message == 3 => text.event = Some(SystemEvent { number: Some(8) }),
        _ => text.attachments = vec![Attachment { id: "f".into(), ..Attachment::default() }],
    }
    text
}

async fn tried(fresh: &Fresh, facts: Vec<Fact>, order: Vec<usize>) -> Result<(), TestCaseError> {
    let case = CASE.fetch_add(1, Ordering::Relaxed);
    let (straight, shuffled) = (format!("straight-{case}"), format!("shuffled-{case}"));
    let failed = |error: crate::StoreError| TestCaseError::fail(error.to_string());
    for (fact, second) in facts.iter().zip(100..) {
        let taken = fresh.take(&straight, vec![fact.clone()], second).await;
        prop_assert_ne!(taken[0].outcome, Outcome::Quarantined);
    }
    let mut stored = Vec::new();
    for (fact, second) in facts.iter().zip(100..) {
        let delivery: Delivery = delivery(reading(&shuffled, fact.clone()), at(second));
        let kept = fresh.store.keep(vec![delivery]).await.map_err(failed)?;
        let inbox = kept.verdicts[0].inbox.unwrap_or_default();
        stored.push(pending(Stamp { at: at(second), inbox }));
    }
    let mut seen = std::collections::HashSet::new();
    for index in order {
        let mode = if seen.insert(index) { Mode::First } else { Mode::Again };
        let reading = reading(&shuffled, facts[index].clone());
        fresh.store.settle(&stored[index], reading, mode).await.map_err(failed)?;
    }
    prop_assert_eq!(state(fresh, &straight).await, state(fresh, &shuffled).await);
    super::log::audit(fresh, &shuffled).await;
    Ok(())
}

fn pending(stamp: Stamp) -> Stored {
    Stored {
        stamp,
        body: Bytes::new(),
        outcome: Outcome::Pending,
        reason: None,
        detail: None,
        attempts: 0,
        next_at: None,
        account: None,
        trace: None,
    }
}

/// Who is in a group, and who has left it.
async fn members(fresh: &Fresh, account: i64, chat: &str) -> String {
    let query = AttendeeQuery { chat: Some(chat.into()), limit: 100, ..Default::default() };
    let people = fresh.store.attendees(account, &query).await.unwrap_or_default();
    let mut members: Vec<_> =
        people.into_iter().map(|person| (person.record.id, person.member)).collect();
    members.sort();
    format!(" {members:?}")
}

/// Everything that people see of an account, without ids and numbers that are drawn per account, and
/// without places, which are fixed at first sight.
async fn state(fresh: &Fresh, account: &str) -> String {
    let row = fresh.account(account).await;
    let mut record = row.record;
    (record.id, record.name, record.rev, record.created_at) = Default::default();
    let mut lines = vec![format!("{record:?}")];
    for mut chat in fresh.chats(account).await {
        let id = chat.id.clone();
        (chat.rev, chat.members_rev, chat.order) = Default::default();
        if let Some(last) = &mut chat.last {
            last.id.clear();
        }
        lines.push(format!("{chat:?}"));
        if chat.kind == ChatKind::Group as i32 {
            lines.push(members(fresh, row.key, &id).await);
        }
        for mut message in fresh.messages(account, &id).await {
            (message.id, message.rev, message.sort_key) = Default::default();
            message.stored_at = 0;
            lines.push(format!("  {message:?}"));
        }
    }
    let query = AttendeeQuery { limit: 100, ..Default::default() };
    let people = fresh.store.attendees(row.key, &query).await.unwrap_or_default();
    let mut people: Vec<_> = people
        .into_iter()
        .map(|mut person| {
            person.record.rev = 0;
            format!("{:?}", person.record)
        })
        .collect();
    people.sort();
    lines.extend(people);
    lines.join("\n")
}
