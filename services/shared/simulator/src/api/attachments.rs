use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::ask::Ask;
use super::call::Call;
use super::error::Problem;
use crate::dice::{Dice, purpose};
use crate::mishap::Route;

/// The bytes of a file: those that were sent, or invented ones of the size that the message says,
/// the same at every download.
pub(super) async fn download(
    ask: Ask,
    Path((id, attachment)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let key = ask.message(&id)?;
    let call = Call::about_chat(&ask, Route::GetAttachment, key.chat).await?;
    let (kind, size, sent) = {
        let world = call.engine.world.lock();
        let message = world.read(key).filter(|message| !message.deleted);
        let message = message.ok_or_else(Problem::not_found)?;
        let files = message.content.attachments();
        let file = files.iter().find(|file| *file.id == *attachment && !file.unavailable);
        let file = file.ok_or_else(Problem::not_found)?;
        (Arc::<str>::from(file.mimetype()), file.bytes, file.mimetype.is_some())
    };
    let bytes = match call.engine.uploads.get(&attachment) {
        Some(bytes) => bytes,
        // It was sent, and is not kept any more.
        None if sent => return Err(Problem::not_found()),
        None => invented(&attachment, size),
    };
    call.bytes(StatusCode::OK, &kind, bytes).await
}

fn invented(id: &str, size: u64) -> Bytes {
    let seed = id.bytes().fold(0_u64, |seed, byte| seed.rotate_left(7) ^ u64::from(byte));
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    Dice::new(seed, purpose::FILE).fill(&mut bytes);
    bytes.into()
}
