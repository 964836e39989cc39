//! What is kept of files to be sent.

use super::Fresh;
use super::facts::{at, incoming, received};
use crate::uploads::Upload;
use bytes::Bytes;
use channel_domain::fact::AttachmentKind;
use uuid::Uuid;

pub async fn a_file_is_kept_in_pieces_until_it_expires(fresh: &Fresh) {
    fresh.take("acc", vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let (key, id) = (fresh.account("acc").await.key, Uuid::from_u128(7));
    let store = &fresh.store;
    for (position, bytes) in (0..).zip(["one ", "two ", "three"]) {
        let piece = store.add_piece(key, id, position, Bytes::from(bytes), at(100)).await;
        piece.expect("a piece is kept");
    }
    let early = store.upload(key, id, None).await;
    assert_eq!(early.expect("an answer"), None, "not before it is complete");
    let upload = Upload {
        id,
        name: "a.txt".into(),
        mime: "text/plain".into(),
        kind: AttachmentKind::Document,
        size: 13,
        expires_at: at(100),
    };
    store.complete_upload(key, &upload).await.expect("it is written");
    assert_eq!(store.upload(key, id, None).await.expect("an answer"), Some(upload.clone()));
    assert_eq!(
        store.upload(key + 1, id, None).await.expect("an answer"),
        None,
        "of its account only"
    );
    let mut all = Vec::new();
    for position in 0.. {
        let Some(piece) = store.piece(key, id, position).await.expect("an answer") else { break };
        all.extend(piece);
    }
    assert_eq!(all, b"one two three");
    // What is being sent stays.
    let kept = store.upload(key, id, Some(at(500))).await.expect("an answer");
    assert_eq!(kept, Some(Upload { expires_at: at(500), ..upload }));
    assert_eq!(store.prune_uploads(at(200), 10).await.expect("an answer"), 0);
    assert_eq!(store.prune_uploads(at(501), 10).await.expect("an answer"), 1);
    assert_eq!(store.upload(key, id, None).await.expect("an answer"), None);
    assert_eq!(store.piece(key, id, 0).await.expect("an answer"), None);
}
