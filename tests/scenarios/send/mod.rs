//! What is sent leaves once, in order, and its end is known or told to be unknown.

mod acts;
mod files;
mod http_uploads;
mod points;
mod stage;
mod starts;

use self::stage::Stage;
use crate::world::{World, on_both, postgres};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{OutgoingContent, SendMessageRequest};
use channel_proto::query::v1::GetMessageRequest;
use channel_proto::types::v1::{Message, MessageDirection, MessageStatus, SendPhase};
use channel_tests::program::Setup;
use channel_tests::until::until;
use channel_tests::upstream::Place;
use channel_tests::watcher::Watcher;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tonic::Code;
use uuid::Uuid;

on_both!(
    a_message_climbs_to_read_and_every_screen_sees_it_once,
    each_end_of_a_request_is_told_as_what_it_is,
    a_command_repeated_at_once_is_one_message,
    equal_words_from_the_phone_in_the_same_second_are_another_message,
    messages_queue_while_unipile_is_away_and_leave_in_order,
    killed_at_any_moment_nothing_is_sent_twice_and_nothing_stays_open,
);

async fn a_message_climbs_to_read_and_every_screen_sees_it_once(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut screen = Watcher::start(stage.program.query()?, BTreeMap::new());
    screen.until("it is live", |seen| !seen.frames.is_empty()).await?;
    let (id, chat) = (Uuid::now_v7(), stage.chats[0].clone());
    let answer = stage.send(id, &chat, "Good morning").await?;
    let pending = answer.message.context("a message")?;
    assert_eq!(
        (pending.message_id.as_str(), pending.status()),
        (&*id.to_string(), MessageStatus::Pending)
    );
    assert_eq!(answer.send.context("a state")?.phase(), SendPhase::Queued);
    stage.until_read(id).await?;
    // Its echo may come after its receipts.
    let read = until("its echo has come", || async {
        stage.message(id).await.ok().filter(|message| !message.provider_id.is_empty())
    })
    .await?;
    assert_eq!((read.status(), read.send_phase()), (MessageStatus::Read, SendPhase::Sent));
    assert_eq!(read.client_message_id, id.to_string());
    assert!(!read.upstream_id.is_empty());
    assert_eq!(stage.own(&chat, "Good morning").await?.len(), 1);
    // Every screen saw it climb, under the client's own id, and nothing else.
    let steps = |seen: &channel_tests::history::History| {
        let of_it = |message: &Message| message.text == "Good morning";
        let told = seen.messages().into_iter().filter(of_it);
        told.map(|message| (message.message_id.clone(), message.status())).collect::<Vec<_>>()
    };
    screen
        .until("it is read", |seen| {
            steps(seen).last().is_some_and(|it| it.1 == MessageStatus::Read)
        })
        .await?;
    let steps = steps(&screen.history());
    assert!(steps.iter().all(|(told, _)| *told == id.to_string()), "{steps:?}");
    assert_eq!(steps.first().map(|step| step.1), Some(MessageStatus::Pending));
    assert!(steps.is_sorted_by_key(|step| step.1 as i32), "{steps:?}");
    stage.program.stop().await.map(drop)
}

/// What goes wrong with one request, where its message ends, and how often UniPile took it.
fn ends() -> Vec<(&'static str, Value, SendPhase, usize)> {
    let answer = |status: u16, accepted: bool| json!({ "kind": "answer", "status": status, "accepted": accepted });
    vec![
        ("timeout, taken", json!({ "kind": "timeout", "accepted": true }), SendPhase::Sent, 1),
        ("reset, taken", json!({ "kind": "reset", "accepted": true }), SendPhase::Sent, 1),
        ("500, taken", answer(500, true), SendPhase::Sent, 1),
        ("504, taken", answer(504, true), SendPhase::Sent, 1),
        ("null id", json!({ "kind": "null_ids" }), SendPhase::Sent, 1),
        ("echo early", json!({ "kind": "echo_early" }), SendPhase::Sent, 1),
        ("echo late", json!({ "kind": "echo_late", "ms": 500 }), SendPhase::Sent, 1),
        ("echo never", json!({ "kind": "echo_never" }), SendPhase::Sent, 1),
        ("echo twice", json!({ "kind": "echo_twice" }), SendPhase::Sent, 1),
        (
            "echo altered",
            json!({ "kind": "echo_altered", "text": "other words" }),
            SendPhase::Sent,
            1,
        ),
        ("429, not taken", answer(429, false), SendPhase::Sent, 1),
        ("422, not taken", answer(422, false), SendPhase::Failed, 0),
        (
            "timeout, not taken",
            json!({ "kind": "timeout", "accepted": false }),
            SendPhase::Unconfirmed,
            0,
        ),
        ("500, not taken", answer(500, false), SendPhase::Unconfirmed, 0),
    ]
}

async fn each_end_of_a_request_is_told_as_what_it_is(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let ended = [SendPhase::Sent, SendPhase::Failed, SendPhase::Unconfirmed, SendPhase::Expired];
    for (name, fault, phase, taken) in ends() {
        let (id, chat) = (Uuid::now_v7(), &stage.chats[0]);
        stage.upstream.fault(fault, Some(1), 1.0).await?;
        stage.send(id, chat, name).await.with_context(|| name.to_owned())?;
        let message = stage.until_in(id, &ended).await.with_context(|| name.to_owned())?;
        ensure!(
            message.send_phase() == phase,
            "{name}: {:?} {:?}",
            message.send_phase(),
            message.failure
        );
        let sent = stage.upstream.sent(Some(chat)).await?;
        let count = sent.iter().filter(|text| *text == name).count();
        ensure!(count == taken, "{name}: taken {count} times");
        ensure!(message.failure.is_some() == (taken == 0), "{name}: {:?}", message.failure);
        stage.upstream.heal().await?;
    }
    // What UniPile has is here once each, and nothing else is.
    let texts = |messages: Vec<Message>| {
        let own = messages.into_iter().filter(|it| it.direction() == MessageDirection::Out);
        let mut texts: Vec<_> = own.map(|it| it.text).collect();
        texts.sort();
        texts
    };
    let mut all: Vec<_> = ends().into_iter().map(|(name, ..)| name.to_owned()).collect();
    all.retain(|name| name != "echo altered");
    all.push("other words".to_owned());
    all.sort();
    until("every message is here once", || async {
        (texts(stage.messages(&stage.chats[0]).await.ok()?) == all).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}

async fn a_command_repeated_at_once_is_one_message(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let (id, chat) = (Uuid::now_v7(), stage.chats[1].clone());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (mut messaging, request) =
            (stage.program.messaging()?, stage.request(id, &chat, "Only once"));
        calls.spawn(async move { messaging.send_message(request).await });
    }
    while let Some(answer) = calls.join_next().await {
        let message = answer??.into_inner().message.context("a message")?;
        assert_eq!(message.message_id, id.to_string());
    }
    stage.until_read(id).await?;
    assert_eq!(stage.upstream.sent(Some(&chat)).await?, ["Only once"]);
    let other = stage.request(id, &chat, "Something else");
    let refused = stage.program.messaging()?.send_message(other).await.err();
    assert_eq!(refused.map(|status| status.code()), Some(Code::AlreadyExists));
    assert_eq!(stage.own(&chat, "Only once").await?.len(), 1);
    stage.program.stop().await.map(drop)
}

async fn equal_words_from_the_phone_in_the_same_second_are_another_message(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let chat = stage.chats[2].clone();
    let slow = json!({ "kind": "latency", "ms": 700 });
    stage.upstream.fault(slow, Some(1), 1.0).await?;
    let id = Uuid::now_v7();
    stage.send(id, &chat, "ok").await?;
    stage.until_in(id, &[SendPhase::Sending]).await?;
    stage.upstream.owner_writes(&chat, "ok").await?;
    stage.until_read(id).await?;
    let both = until("both are here", || async {
        let own = stage.own(&chat, "ok").await.ok()?;
        (own.len() == 2).then_some(own)
    })
    .await?;
    let mut upstream: Vec<_> = both.iter().map(|it| it.upstream_id.clone()).collect();
    upstream.dedup();
    assert_eq!(upstream.len(), 2);
    assert_eq!(both.iter().filter(|it| it.message_id == id.to_string()).count(), 1);
    stage.program.stop().await.map(drop)
}

async fn messages_queue_while_unipile_is_away_and_leave_in_order(world: World) -> Result<()> {
    let mut stage = Stage::new(&world).await?;
    let chat = stage.chats[3].clone();
    let place = stage.upstream.kill().await?;
    let texts: Vec<_> = (0..12).map(|n| format!("line {n}")).collect();
    let mut ids = Vec::new();
    for text in &texts {
        let request = SendMessageRequest {
            account_id: stage.account.clone(),
            chat_id: chat.clone(),
            client_message_id: Uuid::now_v7().to_string(),
            content: Some(OutgoingContent { text: text.clone(), attachments: vec![] }),
            ..SendMessageRequest::default()
        };
        let answer = stage.program.messaging()?.send_message(request).await?.into_inner();
        ids.push(answer.message.context("a message")?.message_id);
    }
    // The first was tried, and says why it waits.
    until("the first one says why it waits", || async {
        let first = ids[0].parse().ok()?;
        let request = GetMessageRequest {
            account_id: stage.account.clone(),
            message_id: Uuid::to_string(&first),
            min_as_of_seq: 0,
        };
        let message = stage.program.query().ok()?.get_message(request).await.ok()?;
        (message.into_inner().message?.send_phase() == SendPhase::Queued).then_some(())
    })
    .await?;
    stage.upstream = place.start().await?;
    for id in &ids {
        stage.until_in(id.parse()?, &[SendPhase::Sent]).await?;
    }
    assert_eq!(stage.upstream.sent(Some(&chat)).await?, texts);
    stage.program.stop().await.map(drop)
}

/// How often the program is killed.
const KILLS: usize = 6;

async fn killed_at_any_moment_nothing_is_sent_twice_and_nothing_stays_open(
    world: World,
) -> Result<()> {
    let mut stage = Stage::new(&world).await?;
    let faults = [
        (json!({ "kind": "latency", "ms": 20, "jitter_ms": 150 }), 1.0),
        (json!({ "kind": "timeout", "accepted": true }), 0.04),
        (json!({ "kind": "reset", "accepted": true }), 0.08),
        (json!({ "kind": "reset", "accepted": false }), 0.08),
        (json!({ "kind": "answer", "status": 500, "accepted": true }), 0.08),
        (json!({ "kind": "answer", "status": 429 }), 0.08),
        (json!({ "kind": "null_ids" }), 0.08),
        (json!({ "kind": "echo_never" }), 0.1),
        (json!({ "kind": "echo_twice" }), 0.1),
    ];
    for (fault, probability) in faults {
        stage.upstream.fault(fault, None, probability).await?;
    }
    let mut sent = HashMap::new();
    for round in 0..KILLS {
        let before = stage.upstream.asked().await?;
        for n in 0..12 {
            let (id, text) = (Uuid::now_v7(), format!("round {round} line {n}"));
            let chat = stage.chats[n % stage.chats.len()].clone();
            stage.send(id, &chat, &text).await?;
            sent.insert(id, text);
        }
        // In the middle of it: some are under way, some wait.
        let asked = until("some were asked for", || async {
            (stage.upstream.asked().await.ok()? > before + 3).then_some(())
        });
        if let Err(error) = asked.await {
            let open = stage.open(&sent).await?;
            return Err(error.context(format!("round {round}, after {before} requests: {open:#?}")));
        }
        stage.program = stage.program.kill().await?.start().await?;
    }
    stage.upstream.heal().await?;
    let ended = [SendPhase::Sent, SendPhase::Failed, SendPhase::Unconfirmed];
    let mut told_sent = 0;
    for (id, text) in &sent {
        let message = stage.until_in(*id, &ended).await.with_context(|| text.clone())?;
        let mut taken = stage.upstream.sent(None).await?;
        taken.retain(|it| it == text);
        ensure!(taken.len() <= 1, "{text} was sent {} times", taken.len());
        if message.send_phase() == SendPhase::Sent {
            told_sent += 1;
            ensure!(taken.len() == 1, "{text} is told as sent and was not");
        }
        let chat = &message.chat_id;
        let rows = stage.own(chat, text).await?;
        ensure!(rows.len() == 1, "{text} is here {} times", rows.len());
    }
    // More than half must have come through, or little was proved.
    ensure!(told_sent * 2 > sent.len(), "only {told_sent} of {} were sent", sent.len());
    stage.program.stop().await.map(drop)
}

/// Two programs over one database. The one that sends is stopped in the middle of its request, for longer than
/// its lease; the other one takes over, and does not send again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_that_sleeps_through_its_lease_sends_nothing_twice() -> Result<()> {
    let world = postgres().await;
    let stage = Stage::new(&world).await?;
    let slow = json!({ "kind": "latency", "ms": 600 });
    stage.upstream.fault(slow, Some(1), 1.0).await?;
    let (id, chat) = (Uuid::now_v7(), stage.chats[0].clone());
    stage.send(id, &chat, "Once").await?;
    stage.until_in(id, &[SendPhase::Sending]).await?;
    stage.program.pause().await?;
    let setup = Setup::whole(&world.backend)?;
    let place = Place::beside(&setup)?;
    let settings = stage.program.setup.clone();
    let other = settings.elsewhere(setup).start().await?;
    drop(place);
    let asked = GetMessageRequest {
        account_id: stage.account.clone(),
        message_id: id.to_string(),
        min_as_of_seq: 0,
    };
    until("the other one settles it", || async {
        let answer = other.query().ok()?.get_message(asked.clone()).await.ok()?;
        let phase = answer.into_inner().message?.send_phase();
        (phase == SendPhase::Sent).then_some(())
    })
    .await?;
    stage.program.go_on().await?;
    stage.send(Uuid::now_v7(), &chat, "After").await?;
    until("the next one is sent too", || async {
        let sent = stage.upstream.sent(Some(&chat)).await.ok()?;
        (sent.len() >= 2).then_some(())
    })
    .await?;
    assert_eq!(stage.upstream.sent(Some(&chat)).await?, ["Once", "After"]);
    assert_eq!(stage.upstream.asked().await?, 2);
    Ok(())
}
