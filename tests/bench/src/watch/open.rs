//! Opening streams: few connections, many streams on each.

use super::WatchArgs;
use super::board::Board;
use crate::payload::Numbered;
use channel_proto::query::v1::query_service_client::QueryServiceClient;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{AccountCursor, Changes, WatchRequest};
use channel_proto::types::v1::change::Entity;
use channel_runtime::clock::SystemClock;
use channel_runtime::config::{AuthConfig, Secret};
use channel_runtime::identity::{Identity, Role, TokenIssuer};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};

const STREAMS_PER_CONNECTION: usize = 500;
/// Fewer than the server allows one caller.
const STREAMS_PER_USER: usize = 10;
/// So many are under way to be opened at once.
const OPENING: usize = 100;

/// Opens all streams, and waits until each has caught up.
pub(super) async fn all(
    texts: &Numbered,
    args: &WatchArgs,
    board: &Rc<Board>,
) -> anyhow::Result<()> {
    let connections = args.streams.div_ceil(STREAMS_PER_CONNECTION);
    let endpoint = Endpoint::from_shared(format!("http://{}", args.grpc))?.tcp_nodelay(true);
    let mut channels = vec![];
    for _ in 0..connections {
        channels.push(endpoint.connect().await?);
    }
    let mut users = vec![];
    for user in 0..args.streams.div_ceil(STREAMS_PER_USER) {
        users.push(token(&args.secret, user)?);
    }
    for stream in 0..args.streams {
        let account = texts.account(stream % args.accounts)?;
        let (channel, user) = (&channels[stream % connections], &users[stream / STREAMS_PER_USER]);
        let request = request(account, user)?;
        tokio::task::spawn_local(follow(channel.clone(), request, Rc::clone(board)));
        if (stream + 1) % OPENING == 0 {
            board.until_caught_up(stream + 1).await?;
        }
    }
    board.until_caught_up(args.streams).await
}

fn token(secret: &str, user: usize) -> anyhow::Result<String> {
    let auth = AuthConfig { secret: Secret::new(secret), ..AuthConfig::default() };
    let identity = Identity {
        subject: format!("user-{user}").into(),
        tenant: "default".into(),
        role: Role::Viewer,
        accounts: None,
        expires_at: i64::MAX,
    };
    let issuer = TokenIssuer::new(&auth, Arc::new(SystemClock))?;
    Ok(issuer.mint(&identity, Duration::from_hours(1))?.expose().to_owned())
}

fn request(account: &str, token: &str) -> anyhow::Result<Request<WatchRequest>> {
    let cursor = AccountCursor { account_id: account.to_owned(), ..AccountCursor::default() };
    let ask = WatchRequest { accounts: vec![cursor], ..WatchRequest::default() };
    let mut request = Request::new(ask);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

async fn follow(channel: Channel, request: Request<WatchRequest>, board: Rc<Board>) {
    let opened = QueryServiceClient::new(channel).watch(request).await;
    let ended = match opened {
        Ok(stream) => read(stream.into_inner(), &board).await,
        Err(status) => status.to_string(),
    };
    board.fail(ended);
}

/// Reads until the stream ends; tells why.
async fn read(
    mut stream: Streaming<channel_proto::query::v1::WatchResponse>,
    board: &Board,
) -> String {
    loop {
        let frame = match stream.message().await {
            Ok(Some(response)) => response.frame,
            Ok(None) => return "it ended".to_owned(),
            Err(status) => return status.to_string(),
        };
        match frame {
            Some(Frame::CaughtUp(_)) => board.catch_up(),
            Some(Frame::Changes(changes)) => see(&changes, board),
            Some(Frame::Reset(reset)) => return format!("reset: {:?}", reset.reason()),
            Some(Frame::Goodbye(goodbye)) => return format!("goodbye: {:?}", goodbye.reason()),
            _ => {}
        }
    }
}

fn see(changes: &Changes, board: &Board) {
    for change in &changes.changes {
        if let Some(Entity::Message(message)) = &change.entity
            && let Some(number) = Numbered::number(&message.text)
        {
            board.see(number);
        }
    }
}
