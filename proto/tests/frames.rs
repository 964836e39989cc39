//! The layout of live frames that lets a server encode each change once and share its bytes.

use channel_proto::{
    query::v1::{Changes, WatchResponse, watch_response::Frame},
    types::v1::{Change, ChangeKind, Chat, EntityKind, change::Entity},
};
use prost::{
    Message as _,
    bytes::BufMut as _,
    encoding::{WireType, encode_key, encode_varint},
};

#[test]
fn changes_encoded_once_concatenate_into_a_frame() {
    let frame = Changes {
        account_id: "acc".to_owned(),
        prev_seq: 6,
        changes: vec![change(7), change(8)],
        cursor: vec![1, 2, 3].into(),
        more: false,
    };
    let shared: Vec<Vec<u8>> = frame.changes.iter().map(prost::Message::encode_to_vec).collect();

    let mut spliced = Changes { changes: Vec::new(), ..frame.clone() }.encode_to_vec();
    for bytes in shared {
        encode_key(3, WireType::LengthDelimited, &mut spliced);
        encode_varint(bytes.len() as u64, &mut spliced);
        spliced.put_slice(&bytes);
    }

    assert_eq!(Changes::decode(&*spliced).unwrap(), frame);
}

#[test]
fn a_frame_of_an_unknown_kind_is_read_as_empty() {
    let mut bytes = Vec::new();
    encode_key(15, WireType::LengthDelimited, &mut bytes);
    encode_varint(0, &mut bytes);
    assert_eq!(WatchResponse::decode(&*bytes).unwrap(), WatchResponse { frame: None });

    let known = WatchResponse { frame: Some(Frame::Changes(Changes::default())) };
    assert_eq!(WatchResponse::decode(&*known.encode_to_vec()).unwrap(), known);
}

fn change(seq: u64) -> Change {
    Change {
        seq,
        op: ChangeKind::Put.into(),
        entity_kind: EntityKind::Chat.into(),
        entity_id: "chat".to_owned(),
        unit_end: true,
        entity: Some(Entity::Chat(Chat { revision: seq, ..Chat::default() })),
        ..Change::default()
    }
}
