//! Killed at each point in the life of a request, whatever UniPile did with it: nothing is sent twice, nothing
//! stays open, and what is told is true.

use super::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::types::v1::SendPhase;
use channel_tests::until::until;
use serde_json::{Value, json};
use uuid::Uuid;

on_both!(killed_at_each_point_of_a_request_it_ends_once_and_truly);

/// Where in the life of a request the program is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// *Sending* is committed, and UniPile has not read the request.
    Begun,
    /// UniPile has read the request, and done nothing yet.
    Arrived,
    /// UniPile has done what it will; the program has not read the answer.
    Answered,
    /// The program has written the end.
    Ended,
}

const POINTS: [Point; 4] = [Point::Begun, Point::Arrived, Point::Answered, Point::Ended];

/// What UniPile does with a request: each in a chat of its own.
fn modes() -> Vec<(&'static str, Option<Value>)> {
    let answer = |status: u16, accepted: bool| json!({ "kind": "answer", "status": status, "accepted": accepted });
    vec![
        ("ok", None),
        ("timeout, taken", Some(json!({ "kind": "timeout", "accepted": true }))),
        ("timeout, not taken", Some(json!({ "kind": "timeout", "accepted": false }))),
        ("500, taken", Some(answer(500, true))),
        ("429", Some(answer(429, false))),
        ("null id", Some(json!({ "kind": "null_ids" }))),
    ]
}

/// Brings all requests to the point, and kills the program there.
async fn kill_at(point: Point, mut stage: Stage, sent: &[(Uuid, String)]) -> Result<Stage> {
    let before = stage.upstream.asked().await?;
    if matches!(point, Point::Begun) {
        stage.upstream.pause().await?;
    }
    for ((id, text), chat) in sent.iter().zip(stage.chats.clone()) {
        stage.send(*id, &chat, text).await?;
    }
    let count = u64::try_from(sent.len())?;
    match point {
        Point::Begun => {
            for (id, _) in sent {
                stage.until_in(*id, &[SendPhase::Sending]).await?;
            }
        }
        Point::Arrived | Point::Answered => {
            until("all requests have arrived", || async {
                (stage.upstream.asked().await.ok()? >= before + count).then_some(())
            })
            .await?;
        }
        Point::Ended => {
            for (id, text) in sent.iter().filter(|(_, text)| !text.contains("timeout")) {
                let ended = [SendPhase::Sent, SendPhase::Uncertain, SendPhase::Queued];
                stage.until_in(*id, &ended).await.with_context(|| text.clone())?;
            }
        }
    }
    if matches!(point, Point::Answered) {
        // It sleeps while the answers come, and does not wake up.
        stage.program.pause().await?;
        let taken = ["ok", "timeout, taken", "500, taken", "null id"].len();
        until("all that will be taken is taken", || async {
            let texts = stage.upstream.sent(None).await.ok()?;
            let of_this = |text: &&String| sent.iter().any(|(_, of_this)| of_this == *text);
            (texts.iter().filter(of_this).count() == taken).then_some(())
        })
        .await?;
    }
    let setup = stage.program.kill().await?;
    stage.upstream.go_on().await?;
    stage.program = setup.start().await?;
    Ok(stage)
}

async fn killed_at_each_point_of_a_request_it_ends_once_and_truly(world: World) -> Result<()> {
    let mut stage = Stage::with_chats(&world, modes().len()).await?;
    for point in POINTS {
        let modes = modes();
        for ((_, fault), chat) in modes.iter().zip(&stage.chats) {
            let slow = json!({ "kind": "latency", "ms": 400 });
            stage.upstream.fault_in(chat, slow).await?;
            if let Some(fault) = fault {
                stage.upstream.fault_in(chat, fault.clone()).await?;
            }
        }
        let text = |(name, _): &(&str, _)| (Uuid::now_v7(), format!("{point:?}: {name}"));
        let sent: Vec<_> = modes.iter().map(text).collect();
        stage = kill_at(point, stage, &sent).await.with_context(|| format!("{point:?}"))?;
        stage.upstream.heal().await?;
        for (id, text) in &sent {
            let ended = [SendPhase::Sent, SendPhase::Failed, SendPhase::Unconfirmed];
            let message = stage.until_in(*id, &ended).await.with_context(|| text.clone())?;
            let taken = stage.upstream.sent(None).await?;
            let taken = taken.iter().filter(|it| *it == text).count();
            ensure!(taken <= 1, "{text} was sent {taken} times");
            let told = message.send_phase();
            ensure!((told == SendPhase::Sent) == (taken == 1), "{text}: {told:?}, sent {taken}");
            let rows = stage.own(&message.chat_id, text).await?.len();
            ensure!(rows == 1, "{text} is here {rows} times");
        }
    }
    stage.program.stop().await.map(drop)
}
