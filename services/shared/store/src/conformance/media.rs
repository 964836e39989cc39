//! The journal of files that are fetched.

use super::Fresh;
use super::facts::{at, incoming, received};
use super::sends::{ACCOUNT, Desk};
use crate::media::{DueFetch, FetchEnd, FileId};
use crate::outbox::Command;
use crate::record::AttachmentRecord;
use channel_domain::fact::{Attachment, AttachmentKind, Fact};
use channel_domain::media::{Fetch, StoredFile};

fn file(id: &str) -> Attachment {
    let (kind, size) = (AttachmentKind::Image, Some(7));
    Attachment { id: id.into(), kind, size, ..Attachment::default() }
}

fn picture(message: &str, files: Vec<Attachment>) -> Fact {
    received(channel_domain::fact::Received {
        attachments: files,
        ..incoming(message, "c1", "Look", 2)
    })
}

fn stored() -> Fetch {
    let (sha256, mime) = ("ab".repeat(32), Some("image/png".into()));
    Fetch::Stored(StoredFile { sha256, size: 7, mime, thumbnail: None })
}

fn end(due: &DueFetch, attempt: u32, fetch: Fetch, next: Option<i64>) -> Command {
    let (file, next_at) = (due.file.clone(), next.map(at));
    Command::EndFetch(Box::new(FetchEnd { file, attempt, fetch, next_at, counts: true }))
}

async fn due(fresh: &Fresh) -> Vec<DueFetch> {
    fresh.store.due_fetches(&[], 9).await.expect("an answer")
}

async fn begins(fresh: &Fresh, due: &DueFetch, until: i64) -> bool {
    fresh.store.begin_fetch(due, at(until)).await.expect("an answer")
}

/// The files of the newest message, and its revision.
async fn shown(fresh: &Fresh) -> (Vec<AttachmentRecord>, u64) {
    let message = fresh.messages(ACCOUNT, "c1").await.remove(0);
    (message.attachments, message.rev)
}

pub async fn every_file_that_can_be_had_is_fetched_by_one_and_shown(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let gone = Attachment { unavailable: true, ..file("gone") };
    desk.take(picture("m1", vec![file("f1"), gone, file("f2")]), 3).await;
    assert!(due(fresh).await.is_empty(), "not before it is entered");
    assert_eq!(fresh.store.enter_fetches(9).await.expect("an answer"), 1);
    assert_eq!(fresh.store.enter_fetches(9).await.expect("an answer"), 0);
    let wanted = due(fresh).await;
    let ids: Vec<_> = wanted.iter().map(|due| due.file.attachment.as_str()).collect();
    assert_eq!(ids, ["f1", "f2"]);
    let first = &wanted[0];
    let told = (first.kind, first.size, first.attempts, first.failures);
    assert_eq!(told, (AttachmentKind::Image, Some(7), 0, 0));

    assert!(begins(fresh, first, 60).await && !begins(fresh, first, 61).await);
    let under_way = due(fresh).await;
    let under_way = under_way.iter().find(|due| due.file == first.file).expect("it stays due");
    assert_eq!((under_way.attempts, under_way.at), (1, at(60)), "when its lease ends");
    let renew = |attempt| fresh.store.renew_fetch(first.account_key, &first.file, attempt, at(90));
    assert!(renew(1).await.expect("an answer"));
    assert!(!renew(2).await.expect("an answer"), "that one has not begun");

    let (_, before) = shown(fresh).await;
    desk.command(end(first, 1, stored(), None), 20).await;
    let (files, after) = shown(fresh).await;
    assert!(after > before, "people are told");
    let states: Vec<_> = files.iter().map(|file| file.fetch).collect();
    assert_eq!(states, [2, 0, 0]);
    let bytes = files[0].stored.clone().expect("the bytes");
    assert_eq!((bytes.sha256, bytes.size), ("ab".repeat(32), 7));
    assert_eq!(bytes.mime.as_deref(), Some("image/png"));
    // What has ended is neither due nor ended again, nor wanted again.
    desk.command(end(first, 1, Fetch::TooLarge, None), 21).await;
    assert_eq!(shown(fresh).await, (files, after));
    assert_eq!(due(fresh).await.len(), 1);
    assert!(!renew(1).await.expect("an answer"));
}

pub async fn a_fetch_that_failed_is_tried_again_and_its_older_end_says_nothing(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(picture("m1", vec![file("f1")]), 3).await;
    fresh.store.enter_fetches(9).await.expect("an answer");
    let first = due(fresh).await.remove(0);
    assert!(begins(fresh, &first, 60).await);
    let retrying = || Fetch::Retrying { reason: "BROKEN".into() };
    desk.command(end(&first, 1, retrying(), Some(30)), 20).await;
    let (files, told) = shown(fresh).await;
    assert_eq!((files[0].fetch, files[0].fetch_reason.as_deref()), (3, Some("BROKEN")));
    let second = due(fresh).await.remove(0);
    assert_eq!((second.attempts, second.failures, second.at), (1, 1, at(30)));
    assert!(begins(fresh, &second, 90).await);
    desk.command(end(&second, 2, retrying(), Some(60)), 31).await;
    assert_eq!(shown(fresh).await.1, told, "one more failure is no news");
    // A process that died began a third; a fourth took over.
    let third = due(fresh).await.remove(0);
    assert_eq!((third.attempts, third.failures), (2, 2));
    assert!(begins(fresh, &third, 90).await);
    let fourth = due(fresh).await.remove(0);
    assert!(begins(fresh, &fourth, 120).await);
    desk.command(end(&third, 3, Fetch::TooLarge, None), 95).await;
    assert_eq!(shown(fresh).await.1, told, "somebody else has it");
    let gone = Fetch::Unavailable { reason: "RESOURCE_NOT_FOUND".into() };
    desk.command(end(&fourth, 4, gone, None), 96).await;
    assert_eq!(shown(fresh).await.0[0].fetch, 4);
    assert!(due(fresh).await.is_empty());
}

pub async fn a_fuller_copy_keeps_what_was_fetched_and_asks_for_the_rest(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(picture("m1", vec![file("f1")]), 3).await;
    fresh.store.enter_fetches(9).await.expect("an answer");
    let first = due(fresh).await.remove(0);
    assert!(begins(fresh, &first, 60).await);
    desk.command(end(&first, 1, stored(), None), 20).await;
    desk.take(picture("m1", vec![file("f0"), file("f1")]), 30).await;
    let (files, _) = shown(fresh).await;
    assert_eq!(files.iter().map(|file| file.fetch).collect::<Vec<_>>(), [0, 2]);
    fresh.store.enter_fetches(9).await.expect("an answer");
    let wanted = due(fresh).await;
    let ids: Vec<FileId> = wanted.into_iter().map(|due| due.file).collect();
    assert_eq!(ids, [FileId { message: "m1".into(), attachment: "f0".into() }]);
}
