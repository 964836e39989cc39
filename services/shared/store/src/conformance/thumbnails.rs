//! The journal of small pictures.

use super::Fresh;
use super::facts::{at, incoming, received};
use super::sends::{ACCOUNT, Desk};
use crate::erase::{Deed, is_so};
use crate::media::FetchEnd;
use crate::outbox::Command;
use crate::record::AttachmentRecord;
use crate::thumbnails::{DueThumbnail, ThumbnailShown};
use channel_domain::fact::{Attachment, AttachmentKind, Received};
use channel_domain::media::thumbnail::BROKEN;
use channel_domain::media::{Fetch, Small, StoredFile, Thumbnail};

const IMAGE: &str = "image/jpeg";

fn small() -> Thumbnail {
    Thumbnail::Made(Small {
        sha256: "cd".repeat(32),
        size: 9,
        mime: IMAGE.into(),
        width: 320,
        height: 240,
        full_width: 4000,
        full_height: 3000,
    })
}

/// A message whose files have been stored: the hash and the media type of each.
async fn stored(fresh: &Fresh, desk: &Desk<'_>, message: &str, files: &[(&str, &str)]) {
    let names = ["f0", "f1", "f2"];
    let kind = AttachmentKind::Document;
    let file = |id: &&str| Attachment { id: (*id).into(), kind, ..Attachment::default() };
    let attachments = names[..files.len()].iter().map(file).collect();
    let text = incoming(message, "c1", "Look", 2);
    desk.take(received(Received { attachments, ..text }), 3).await;
    fresh.store.enter_fetches(9).await.expect("an answer");
    for due in fresh.store.due_fetches(&[], 9).await.expect("an answer") {
        assert!(fresh.store.begin_fetch(&due, at(60)).await.expect("an answer"));
        let place = names.iter().position(|name| *name == due.file.attachment).expect("a file");
        let (sha256, mime) = (files[place].0.to_owned(), Some(files[place].1.to_owned()));
        let fetch = Fetch::Stored(StoredFile { sha256, size: 7, mime, thumbnail: None });
        let (file, attempt, next_at) = (due.file.clone(), 1, None);
        let end = FetchEnd { file, attempt, fetch, next_at, counts: true };
        desk.command(Command::EndFetch(Box::new(end)), 20).await;
    }
}

async fn due(fresh: &Fresh, second: i64) -> Vec<DueThumbnail> {
    fresh.store.due_thumbnails(at(second), 9).await.expect("an answer")
}

fn names(due: &[DueThumbnail]) -> Vec<String> {
    let name = |due: &DueThumbnail| format!("{}/{}", due.file.message, due.file.attachment);
    let mut names: Vec<_> = due.iter().map(name).collect();
    names.sort();
    names
}

async fn begins(fresh: &Fresh, sha256: &str, attempts: u32, now: i64, until: i64) -> bool {
    fresh.store.begin_thumbnail(sha256, attempts, at(now), at(until)).await.expect("an answer")
}

async fn holds(fresh: &Fresh, sha256: &str, attempt: u32, until: i64, counts: bool) -> bool {
    fresh.store.hold_thumbnail(sha256, attempt, at(until), counts).await.expect("an answer")
}

async fn ends(fresh: &Fresh, sha256: &str, attempt: u32, made: &Thumbnail) -> bool {
    fresh.store.end_thumbnail(sha256, attempt, made).await.expect("an answer")
}

fn show(due: &DueThumbnail, sha256: &str, thumbnail: Thumbnail) -> Command {
    let (file, sha256) = (due.file.clone(), sha256.into());
    Command::ShowThumbnail(Box::new(ThumbnailShown { file, sha256, thumbnail }))
}

/// The files of the newest message, and its revision.
async fn shown(fresh: &Fresh) -> (Vec<AttachmentRecord>, u64) {
    let message = fresh.messages(ACCOUNT, "c1").await.remove(0);
    (message.attachments, message.rev)
}

pub async fn an_image_gets_one_small_picture_whichever_messages_have_it(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    stored(fresh, &desk, "m1", &[("same", IMAGE), ("other", "video/mp4"), ("same", IMAGE)]).await;
    let wanted = due(fresh, 30).await;
    assert_eq!(names(&wanted), ["m1/f0", "m1/f2"], "a film is none");
    assert!(wanted.iter().all(|due| due.attempts == 0 && due.made.is_none()));
    let bytes = wanted[0].stored.clone().expect("the bytes");
    assert_eq!((bytes.sha256.as_str(), bytes.size, bytes.is_image()), ("same", 7, true));
    assert!(begins(fresh, "same", 0, 30, 60).await && !begins(fresh, "same", 0, 30, 61).await);
    assert_eq!(due(fresh, 59).await, [], "one is at it");
    assert!(ends(fresh, "same", 1, &small()).await);
    let made = due(fresh, 31).await;
    assert_eq!(names(&made), ["m1/f0", "m1/f2"]);
    assert!(made.iter().all(|due| due.made == Some(small())), "both are told of the same");
    assert!(!begins(fresh, "same", 1, 99, 100).await, "it is made once");

    let (before, rev) = shown(fresh).await;
    desk.command(show(&made[0], "another", small()), 32).await;
    assert_eq!(shown(fresh).await, (before, rev), "of other bytes it says nothing");
    for due in &made {
        desk.command(show(due, "same", small()), 33).await;
    }
    let (files, told) = shown(fresh).await;
    assert!(told > rev, "people are told");
    let sizes: Vec<_> = files.iter().map(|file| file.stored.clone()?.small).collect();
    assert_eq!(sizes[0], sizes[2]);
    let size = sizes[0].as_ref().map(|it| (it.width, it.height, it.full_width, it.full_height));
    assert_eq!((size, sizes[1].as_ref()), (Some((320, 240, 4000, 3000)), None));
    assert_eq!(due(fresh, 99).await, []);
    desk.command(show(&made[0], "same", small()), 34).await;
    assert_eq!(shown(fresh).await.1, told, "the same again is no news");

    // A fuller copy of the message keeps it; the same bytes in another message have it at once.
    stored(fresh, &desk, "m2", &[("same", IMAGE)]).await;
    let again = due(fresh, 40).await;
    assert_eq!((names(&again), &again[0].made), (vec!["m2/f0".into()], &Some(small())));
}

pub async fn a_try_that_nobody_ends_counts_and_one_that_is_given_back_does_not(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    stored(fresh, &desk, "m1", &[("it", IMAGE)]).await;
    assert!(begins(fresh, "it", 0, 30, 60).await);
    assert!(holds(fresh, "it", 1, 70, true).await && !holds(fresh, "it", 2, 99, true).await);
    assert_eq!(due(fresh, 69).await, [], "it is under way");
    // Whoever was at it died.
    assert_eq!(due(fresh, 70).await[0].attempts, 1);
    assert!(!begins(fresh, "it", 1, 69, 99).await && begins(fresh, "it", 1, 70, 99).await);
    assert!(!ends(fresh, "it", 1, &small()).await, "somebody else has it");
    // Nothing was found out: it waits, and has lost nothing.
    assert!(holds(fresh, "it", 2, 80, false).await);
    assert_eq!((due(fresh, 79).await, due(fresh, 80).await[0].attempts), (vec![], 1));
    assert!(begins(fresh, "it", 1, 80, 99).await);
    let none = Thumbnail::none(BROKEN);
    assert!(ends(fresh, "it", 2, &none).await && !holds(fresh, "it", 2, 99, true).await);
    let due = due(fresh, 81).await.remove(0);
    assert_eq!(due.made, Some(none.clone()));
    desk.command(show(&due, "it", none), 82).await;
    let file = shown(fresh).await.0.remove(0);
    let why = file.stored.and_then(|stored| stored.no_small);
    assert_eq!((file.fetch, why.as_deref()), (2, Some(BROKEN)), "the file itself stays");
}

pub async fn what_was_stored_before_comes_last_and_what_is_no_image_is_passed(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    stored(fresh, &desk, "m1", &[("old", IMAGE), ("text", "text/plain"), ("gone", IMAGE)]).await;
    // As an older program left them.
    let old = "UPDATE media_fetches SET thumbnail_turn = 1";
    assert_eq!((fresh.sql)(old.to_owned()).await, 3);
    (fresh.sql)("DELETE FROM attachments WHERE id = 'f2'".to_owned()).await;
    stored(fresh, &desk, "m2", &[("new", IMAGE)]).await;
    let first = fresh.store.due_thumbnails(at(30), 1).await.expect("an answer");
    assert_eq!(names(&first), ["m2/f0"]);
    let all = due(fresh, 30).await;
    assert_eq!(names(&all), ["m1/f0", "m1/f1", "m1/f2", "m2/f0"]);
    let is_image = |due: &DueThumbnail| due.stored.as_ref().is_some_and(StoredFile::is_image);
    let others: Vec<_> = all.into_iter().filter(|due| !is_image(due)).collect();
    assert_eq!(names(&others), ["m1/f1", "m1/f2"]);
    fresh.store.pass_thumbnails(&others).await.expect("an answer");
    assert_eq!(names(&due(fresh, 30).await), ["m1/f0", "m2/f0"]);
}

pub async fn what_is_said_of_bytes_goes_with_them(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    stored(fresh, &desk, "m1", &[("it", IMAGE)]).await;
    assert!(begins(fresh, "it", 0, 30, 60).await && ends(fresh, "it", 1, &small()).await);
    let announce = |second| Deed::Announce("it".into(), at(second));
    let sweep = |second| Deed::BeginSweep("it".into(), at(second), at(second + 9));
    let so = async |deed| is_so(&*fresh.store, deed).await.expect("an answer");
    assert!(so(announce(40)).await && !so(sweep(41)).await, "a message has them");
    assert_eq!(due(fresh, 42).await[0].made, Some(small()));
    (fresh.sql)("DELETE FROM media_fetches".to_owned()).await;
    assert!(so(announce(50)).await && !so(sweep(49)).await, "somebody puts something there");
    assert!(so(sweep(51)).await && !so(announce(52)).await);
    assert_eq!((fresh.sql)("DELETE FROM media_thumbnails".to_owned()).await, 0);
}
