//! Sending the webhooks that the streams wait for.

use super::WatchArgs;
use super::board::Board;
use crate::load::Connection;
use crate::payload::{self, Numbered};
use anyhow::ensure;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Numbers that no measured webhook has.
const ANNOUNCED: usize = 1_000_000_000;
/// Between two webhooks when the product is to be idle.
const PAUSE: Duration = Duration::from_millis(10);
/// More than are ever under way.
const SENDERS: usize = 32;

/// Makes the accounts known.
pub(super) async fn announce(texts: &Numbered, args: &WatchArgs) -> anyhow::Result<()> {
    let mut connection = Connection::open(args.webhooks).await?;
    for account in 0..args.accounts {
        let body = texts.body(account, ANNOUNCED + account)?;
        let status = connection.post(&payload::request(&args.secret, &body)).await?;
        ensure!(status == 200, "a webhook was answered with {status}");
    }
    Ok(())
}

/// The next one goes when all streams have the one before.
pub(super) async fn one_by_one(
    texts: &Numbered,
    args: &WatchArgs,
    board: &Board,
) -> anyhow::Result<()> {
    let mut connection = Connection::open(args.webhooks).await?;
    for number in 0..args.events {
        let body = texts.body(number % args.accounts, number)?;
        let request = payload::request(&args.secret, &body);
        let began = Instant::now();
        board.send(number, began);
        let status = connection.post(&request).await?;
        board.answered.borrow_mut().add(began.elapsed());
        ensure!(status == 200, "a webhook was answered with {status}");
        board.until_seen(number).await?;
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Each goes when it is due. One that its sender is late with counts from when it was due.
pub(super) async fn paced(
    texts: &Numbered,
    args: &WatchArgs,
    board: &Rc<Board>,
) -> anyhow::Result<()> {
    let began = Instant::now() + Duration::from_millis(100);
    let mut senders = vec![];
    for sender in 0..SENDERS {
        let mut requests = vec![];
        for number in (sender..args.events).step_by(SENDERS) {
            let body = texts.body(number % args.accounts, number)?;
            let after = Duration::from_secs_f64(crate::stats::float(number) / args.rate);
            requests.push((number, began + after, payload::request(&args.secret, &body)));
        }
        let connection = Connection::open(args.webhooks).await?;
        let sending = send(connection, requests, Rc::clone(board));
        senders.push(tokio::task::spawn_local(sending));
    }
    for sender in senders {
        sender.await??;
    }
    // Those that never come are counted in the end.
    let _ = board.until_all_seen().await;
    Ok(())
}

async fn send(
    mut connection: Connection,
    requests: Vec<(usize, Instant, Vec<u8>)>,
    board: Rc<Board>,
) -> anyhow::Result<()> {
    for (number, due, request) in requests {
        let mut began = due;
        if Instant::now() < due {
            sleep_until(due).await;
            began = Instant::now();
        }
        board.send(number, began);
        let status = connection.post(&request).await?;
        board.answered.borrow_mut().add(began.elapsed());
        ensure!(status == 200, "a webhook was answered with {status}");
    }
    Ok(())
}
