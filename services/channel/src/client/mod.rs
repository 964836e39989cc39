//! Calls to a running process, over gRPC.

pub(crate) mod json;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use channel_proto::ingest::v1::ingest_service_client::IngestServiceClient;
use channel_proto::messaging::v1::messaging_service_client::MessagingServiceClient;
use channel_proto::query::v1::query_service_client::QueryServiceClient;
use channel_runtime::fault::reason_of;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use crate::exit::status_told;
use crate::keys;

const CONNECT: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(20);
/// How long a server that is away is left alone.
pub(crate) const AWAY: Duration = Duration::from_secs(2);
/// Answers with the bodies of webhooks are larger than the usual limit.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Where the running process is, and who calls it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClientArgs {
    /// The address of the running process
    #[arg(
        long,
        value_name = "URL",
        env = "CHANNEL_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080"
    )]
    server: String,
    /// The access token [default: the one that the process keeps in its data folder]
    #[arg(long, value_name = "TOKEN", env = "CHANNEL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data folder of the process
    #[arg(
        long,
        value_name = "FOLDER",
        env = "CHANNEL_STORE__PATH",
        hide_env_values = true,
        default_value = "./data"
    )]
    data: PathBuf,
}

impl ClientArgs {
    /// The data folder.
    pub(crate) fn data(&self) -> &PathBuf {
        &self.data
    }

    /// The address of the running process.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Says in words that no server is there; any other error stays as it is.
    pub(crate) fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(status) = error.downcast_ref::<Status>() else { return error };
        if status.code() != Code::Unavailable || reason_of(status).is_some() {
            return error;
        }
        anyhow!("cannot reach {}: {}", self.server, status_told(status))
    }

    /// Prepares calls; connects at the first. Without a token on the command line it takes the one in the
    /// file of this name.
    pub(crate) fn client(&self, token_file: &str) -> anyhow::Result<Client> {
        let bearer = match &self.token {
            Some(token) => Bearer::Given(token.trim().into()),
            None => Bearer::Kept(self.data.join(token_file).into()),
        };
        bearer.check()?;
        Ok(Client { channel: self.endpoint()?.connect_lazy(), bearer })
    }

    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let endpoint = Endpoint::from_shared(self.server.clone());
        let endpoint = endpoint.with_context(|| format!("{} is not a URL", self.server))?;
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .user_agent(concat!("channel/", env!("CARGO_PKG_VERSION")))?;
        if self.server.starts_with("https://") {
            return Ok(endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?);
        }
        Ok(endpoint)
    }
}

/// Asks until the server answers, over every one that goes away meanwhile: for what is safe to ask again.
///
/// # Errors
///
/// What the server itself answers.
pub(crate) async fn lasting<T, A>(mut ask: impl FnMut() -> A) -> Result<T, Status>
where
    A: Future<Output = Result<T, Status>>,
{
    loop {
        match ask().await {
            Err(status) if is_lost(&status) => tokio::time::sleep(AWAY).await,
            answer => return answer,
        }
    }
}

/// Whether the server, or the way to it, is away. A connection that breaks off has a code that says little; what the server
/// itself answers has a reason.
pub(crate) fn is_lost(status: &Status) -> bool {
    let is_broken = matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled);
    status.code() == Code::Unavailable || is_broken && reason_of(status).is_none()
}

/// A running process, as its callers see it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    channel: Channel,
    bearer: Bearer,
}

type Transport = InterceptedService<Channel, Bearer>;

impl Client {
    /// Reads and follows.
    pub(crate) fn query(&self) -> QueryServiceClient<Transport> {
        QueryServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Sends.
    pub(crate) fn messaging(&self) -> MessagingServiceClient<Transport> {
        MessagingServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Looks after stored webhooks.
    pub(crate) fn ingest(&self) -> IngestServiceClient<Transport> {
        IngestServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
            .max_decoding_message_size(LARGEST_ANSWER)
    }

    /// Calls nobody.
    #[cfg(test)]
    pub(crate) fn to_nowhere() -> Self {
        let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
        Self { channel, bearer: Bearer::Given("none".into()) }
    }

    /// Whether the token may be another one at the next call.
    pub(crate) const fn renews_its_token(&self) -> bool {
        matches!(self.bearer, Bearer::Kept(_))
    }
}

/// Where the token comes from.
#[derive(Clone)]
pub(crate) enum Bearer {
    /// The command line.
    Given(Arc<str>),
    /// A file, read again for each call: the process renews it.
    Kept(Arc<std::path::Path>),
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

impl Bearer {
    fn check(&self) -> anyhow::Result<()> {
        let Self::Kept(path) = self else { return Ok(()) };
        if keys::read(path)?.is_none() {
            bail!(
                "no access token: give one with --token or CHANNEL_TOKEN, or name the data folder of the \
                 running process with --data (there is no {})",
                path.display()
            );
        }
        Ok(())
    }

    fn header(&self) -> Result<AsciiMetadataValue, Status> {
        let token = match self {
            Self::Given(token) => token.to_string(),
            Self::Kept(path) => {
                let kept = keys::read(path).ok().flatten();
                let lost = || Status::unauthenticated("the token's file cannot be read");
                kept.ok_or_else(lost)?.expose().to_owned()
            }
        };
        let malformed = |_| Status::unauthenticated("the token is not one");
        format!("Bearer {token}").parse().map_err(malformed)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.header()?);
        Ok(request)
    }
}
