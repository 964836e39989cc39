//! The bytes of pictures: small enough for one answer.

use super::fields;
use crate::error::QueryError;
use crate::read::{PictureAsk, PictureFound, Queries};
use bytes::{Bytes, BytesMut};
use channel_domain::picture::Subject;
use channel_media::{MediaError, Objects};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::get_attendee_picture_request::Subject as Whose;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use futures::TryStreamExt as _;

/// Reads a picture.
pub(super) async fn read(
    queries: Queries,
    caller: Identity,
    objects: Option<Objects>,
    it: pb::GetAttendeePictureRequest,
) -> Result<pb::GetAttendeePictureResponse, QueryError> {
    let found = queries.picture(&caller, &ask(it)?).await?;
    let objects = objects.ok_or(QueryError::NotBuilt)?;
    let data = if found.not_modified { Bytes::new() } else { bytes(&objects, &found).await? };
    Ok(pb::GetAttendeePictureResponse {
        data,
        mime_type: found.mime.to_owned(),
        etag: found.stored.sha256,
        not_modified: found.not_modified,
    })
}

fn ask(it: pb::GetAttendeePictureRequest) -> Result<PictureAsk, FieldErrors> {
    let mut bad = FieldErrors::default();
    let target = fields::target(&mut bad, it.account_id, 0);
    let of = match it.subject {
        Some(Whose::AttendeeId(id)) => {
            fields::id(&mut bad, "attendee_id", id).map(Subject::Attendee)
        }
        Some(Whose::ChatId(id)) => fields::id(&mut bad, "chat_id", id).map(Subject::Chat),
        None => {
            bad.add("subject", "must be set");
            None
        }
    };
    match of {
        Some(of) if bad.is_empty() => {
            Ok(PictureAsk { target, of, if_none_match: it.if_none_match })
        }
        _ => Err(bad),
    }
}

/// All bytes. `found` has no more than a picture may have.
async fn bytes(objects: &Objects, found: &PictureFound) -> Result<Bytes, MediaError> {
    let size = found.stored.size;
    let mut pieces = objects.read(&found.stored, 0..size).await?;
    let mut whole = BytesMut::with_capacity(usize::try_from(size).unwrap_or_default());
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    if whole.len() as u64 == size { Ok(whole.freeze()) } else { Err(MediaError::Damaged) }
}
