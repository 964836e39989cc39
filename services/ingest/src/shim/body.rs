//! Reading a body that may be too large, too slow or broken off.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use crate::error::Refusal;

pub(super) async fn read(
    body: Body,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Bytes, Refusal> {
    let announced = http_body::Body::size_hint(&body).lower();
    if announced > limit_bytes as u64 {
        return Err(Refusal::TooLarge { limit_bytes });
    }
    match timeout_at(deadline, Limited::new(body, limit_bytes).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { limit_bytes }),
        Ok(Err(_)) => Err(Refusal::BodyInterrupted),
        Err(_) => Err(Refusal::BodyTimeout),
    }
}
