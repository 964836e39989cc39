//! What becomes of an image without decoding it.

use super::*;
use channel_domain::Micros;
use channel_domain::media::Thumbnail;
use channel_domain::media::thumbnail::{BROKEN, GIVEN_UP, ORIGINAL_LOST, TOO_LARGE};
use channel_media::Spool;
use channel_runtime::clock::SystemClock;
use channel_store::media::FileId;
use channel_store_sqlite::{Options, SqliteStore};

async fn shared(folder: &std::path::Path) -> Shared {
    let store = SqliteStore::open(&folder.join("data"), Options::default()).await.unwrap();
    let objects = Objects::folder(&folder.join("media")).unwrap();
    let config = MediaConfig::default();
    let made = Miniatures::new(Arc::new(store), Arc::new(SystemClock), objects, &config);
    Arc::into_inner(made.0).unwrap()
}

fn image(bytes: u64) -> StoredFile {
    let (sha256, mime) = ("ab".repeat(32), Some("image/png".into()));
    StoredFile { sha256, size: bytes, mime, thumbnail: None }
}

fn due(stored: &StoredFile, attempts: u32) -> DueThumbnail {
    DueThumbnail {
        account: "a".into(),
        account_key: 1,
        file: FileId { message: "m".into(), attachment: "f".into() },
        stored: Some(stored.clone()),
        attempts,
        made: None,
    }
}

async fn why(shared: &Shared, stored: &StoredFile, attempts: u32) -> String {
    let (due, stop) = (due(stored, attempts), CancellationToken::new());
    match shared.make(&due, stored, Micros(i64::MAX), &stop).await {
        Ok(Thumbnail::None { reason }) => reason,
        _ => panic!("there is no reason"),
    }
}

#[tokio::test]
async fn an_image_that_processes_die_over_is_left_alone_and_one_that_cannot_be_read_is_not_tried() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path()).await;
    let spool = Spool::new(folder.path()).unwrap();
    let mut file = spool.begin().await.unwrap();
    file.take(b"\x89PNG").await.unwrap();
    let (mut bytes, stored) = file.finish(Some("image/png".into())).await.unwrap();
    shared.objects.put(&mut bytes, &stored).await.unwrap();
    assert_eq!(why(&shared, &stored, 2).await, BROKEN);
    assert_eq!(why(&shared, &stored, 3).await, GIVEN_UP);
    assert_eq!(why(&shared, &image(7), 0).await, ORIGINAL_LOST);
    let longer = StoredFile { size: 5, ..stored };
    assert_eq!(why(&shared, &longer, 0).await, ORIGINAL_LOST, "these are other bytes");
    assert_eq!(why(&shared, &image(1 << 40), 0).await, TOO_LARGE);
}

#[tokio::test]
async fn a_try_that_the_end_of_the_process_cuts_short_counts_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path()).await;
    let (stored, stop) = (image(7), CancellationToken::new());
    stop.cancel();
    let attempt = shared.attempt(&due(&stored, 0), &stored, Micros(i64::MAX), &stop).await;
    assert!(!attempt.unwrap(), "it has no end");
    let (now, until) = (shared.now(), Micros(i64::MAX));
    let begins = |attempts| shared.store.begin_thumbnail(&stored.sha256, attempts, now, until);
    assert!(!begins(1).await.unwrap() && begins(0).await.unwrap(), "whoever comes next begins");
}
