//! Files in a bucket of a real S3 service, which checks signatures and keeps to its own rules: Ceph's gateway.

#![expect(clippy::unwrap_used, reason = "this is test code")]

use channel_domain::media::StoredFile;
use channel_media::testing::Door;
use channel_media::{MediaConfig, MediaError, Objects, Put, Spool};
use channel_runtime::config::Secret;
use futures::TryStreamExt as _;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::fs::File;

fn opened(config: &MediaConfig) -> Objects {
    config.check().unwrap();
    Objects::open(config, Path::new("unused")).unwrap()
}

/// A file on its way in, of bytes that repeat at no part's length.
async fn incoming(folder: &TempDir, size: u32) -> (File, StoredFile, Vec<u8>) {
    let bytes: Vec<u8> = (0..size).map(|at| (at % 251).to_le_bytes()[0]).collect();
    let mut received = Spool::new(folder.path()).unwrap().begin().await.unwrap();
    received.take(&bytes).await.unwrap();
    let (file, stored) = received.finish(None).await.unwrap();
    (file, stored, bytes)
}

async fn read(objects: &Objects, stored: &StoredFile, from: u64, to: u64) -> Vec<u8> {
    let pieces = objects.read(stored, from..to).await.unwrap();
    pieces.try_collect::<Vec<_>>().await.unwrap().concat()
}

async fn missing(objects: &Objects, stored: &StoredFile) {
    let error = objects.read(stored, 0..1).await.err().unwrap();
    assert!(matches!(error, MediaError::Missing), "{error:?}");
}

#[tokio::test]
async fn a_file_of_several_parts_lies_there_once_is_read_in_any_part_and_goes_again() {
    let (door, folder) = (Door::open().await, TempDir::new().unwrap());
    let objects = opened(&door.config());
    objects.look().await.unwrap();
    // Two whole parts and a bit.
    let (mut file, stored, bytes) = incoming(&folder, 11 * 1024 * 1024 + 7).await;
    missing(&objects, &stored).await;
    assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Written);
    assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Known);
    assert!(read(&objects, &stored, 0, stored.size).await == bytes, "other bytes came");
    let border = 5 * 1024 * 1024;
    for (from, to) in [(0, 1), (border - 3, border + 4), (bytes.len() - 1, bytes.len()), (9, 9)] {
        let part = read(&objects, &stored, from as u64, to as u64).await;
        assert_eq!(part, bytes[from..to], "{from} to {to}");
    }
    let other = StoredFile { size: 7, ..stored.clone() };
    let damaged = objects.read(&other, 0..5).await.err().unwrap();
    assert!(matches!(damaged, MediaError::Damaged), "{damaged:?}");
    objects.delete(&stored.sha256).await.unwrap();
    objects.delete(&stored.sha256).await.unwrap();
    missing(&objects, &stored).await;
}

#[tokio::test]
async fn of_a_file_that_was_not_put_to_its_end_nothing_is_there_or_all_of_it() {
    let (door, folder) = (Door::open().await, TempDir::new().unwrap());
    let objects = opened(&door.config());
    let (mut file, stored, bytes) = incoming(&folder, 6 * 1024 * 1024).await;
    let mut given_up = 0;
    // The putting is given up a little later each time, until once it is not.
    while put_within(&objects, &mut file, &stored, given_up * 5).await.is_none() {
        given_up += 1;
        match objects.read(&stored, 0..stored.size).await {
            Ok(pieces) => {
                let there = pieces.try_collect::<Vec<_>>().await.unwrap().concat();
                assert!(there == bytes, "{} bytes are there", there.len());
                objects.delete(&stored.sha256).await.unwrap();
            }
            Err(error) => assert!(matches!(error, MediaError::Missing), "{error:?}"),
        }
    }
    assert!(given_up > 0, "it was never given up");
    assert!(read(&objects, &stored, 0, stored.size).await == bytes, "other bytes came");
}

async fn put_within(
    objects: &Objects,
    file: &mut File,
    stored: &StoredFile,
    ms: u64,
) -> Option<Put> {
    let put = objects.put(file, stored);
    let put = tokio::time::timeout(Duration::from_millis(ms), put).await.ok()?;
    Some(put.unwrap())
}

#[tokio::test]
async fn a_key_that_is_wrong_is_told_and_leaves_everything_as_it_is() {
    let (door, folder) = (Door::open().await, TempDir::new().unwrap());
    let (mut file, stored, bytes) = incoming(&folder, 1_000).await;
    let right = opened(&door.config());
    right.put(&mut file, &stored).await.unwrap();
    let mut config = door.config();
    config.s3.secret_access_key = Secret::new("a-secret-of-somebody-else".to_owned());
    let forged = opened(&config);
    config.s3.access_key_id = "no-key".into();
    for wrong in [forged, opened(&config)] {
        let (mut another, new, _) = incoming(&folder, 2_000).await;
        let errors = [
            wrong.look().await.err(),
            wrong.put(&mut another, &new).await.err(),
            wrong.read(&stored, 0..5).await.err(),
            wrong.delete(&stored.sha256).await.err(),
        ];
        for error in errors.map(Option::unwrap) {
            assert_eq!(error.reason(), "MEDIA_STORE_REFUSED", "{error:?}");
            assert!(error.is_temporary());
            let told = format!("{error:?}");
            assert!(!told.contains(config.s3.secret_access_key.expose()), "{told}");
        }
        missing(&right, &new).await;
    }
    assert!(read(&right, &stored, 0, 1_000).await == bytes, "other bytes came");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_from_a_file_that_is_not() {
    let (door, folder) = (Door::open().await, TempDir::new().unwrap());
    let mut config = door.config();
    config.s3.bucket = "nobody-made-it".into();
    let objects = opened(&config);
    let (mut file, stored, _) = incoming(&folder, 1_000).await;
    for error in [
        objects.look().await.err().unwrap(),
        objects.put(&mut file, &stored).await.err().unwrap(),
        objects.read(&stored, 0..5).await.err().unwrap(),
    ] {
        assert_eq!(error.reason(), "MEDIA_BUCKET_MISSING", "{error:?}");
        assert!(error.is_temporary());
    }
}

#[tokio::test]
async fn a_service_that_was_away_goes_on_where_it_was() {
    let (mut door, folder) = (Door::open().await, TempDir::new().unwrap());
    let objects = opened(&door.config());
    let (mut file, stored, bytes) = incoming(&folder, 6 * 1024 * 1024).await;
    objects.put(&mut file, &stored).await.unwrap();
    let mut pieces = objects.read(&stored, 0..stored.size).await.unwrap();
    let begun = pieces.try_next().await.unwrap().unwrap();
    door.shut();
    let (mut another, new, _) = incoming(&folder, 1_000).await;
    let away = objects.put(&mut another, &new).await.err().unwrap();
    assert_eq!((away.reason(), away.is_temporary()), ("MEDIA_STORE_UNAVAILABLE", true));
    let away = objects.read(&stored, 0..5).await.err().unwrap();
    assert_eq!(away.reason(), "MEDIA_STORE_UNAVAILABLE");
    // What had begun says that it broke off, or has come whole: it never just ends.
    let rest = pieces.try_collect::<Vec<_>>().await;
    let whole = |rest: Vec<bytes::Bytes>| begun.len() + rest.concat().len();
    assert!(rest.is_err() || rest.is_ok_and(|rest| whole(rest) == bytes.len()));

    door.reopen().unwrap();
    assert!(read(&objects, &stored, 0, stored.size).await == bytes, "other bytes came");
    assert_eq!(objects.put(&mut another, &new).await.unwrap(), Put::Written);
}
