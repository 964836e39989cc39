//! Clients that carry a token.

use anyhow::{Result, anyhow};
use channel_proto::ingest::v1::ingest_service_client::IngestServiceClient;
use channel_proto::messaging::v1::messaging_service_client::MessagingServiceClient;
use channel_proto::query::v1::query_service_client::QueryServiceClient;
use channel_runtime::clock::SystemClock;
use channel_runtime::config::{AuthConfig, Secret};
use channel_runtime::identity::{Identity, Role, TokenIssuer};
use std::sync::Arc;
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The secret that every program started here signs tokens with.
pub const AUTH_SECRET: &str = "a secret for tests, of at least thirty-two bytes";

/// Puts a token on every call.
#[derive(Clone)]
pub struct WithToken(MetadataValue<Ascii>);

impl Interceptor for WithToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A connection with a token.
pub type Connection = InterceptedService<Channel, WithToken>;
/// Reads.
pub type Query = QueryServiceClient<Connection>;
/// Sends.
pub type Messaging = MessagingServiceClient<Connection>;
/// Looks after the intake.
pub type Ingest = IngestServiceClient<Connection>;

/// A token of a role for the default tenant.
pub fn token(role: Role) -> Result<String> {
    token_of("default", role)
}

/// A token of a role for a tenant.
pub fn token_of(tenant: &str, role: Role) -> Result<String> {
    token_for(tenant, role, Duration::from_hours(1))
}

fn token_for(tenant: &str, role: Role, lifetime: Duration) -> Result<String> {
    let config =
        AuthConfig { secret: Secret::new(AUTH_SECRET.to_owned()), ..AuthConfig::default() };
    let issuer = TokenIssuer::new(&config, Arc::new(SystemClock))?;
    let identity = Identity {
        subject: "test".into(),
        tenant: tenant.into(),
        role,
        accounts: None,
        expires_at: i64::MAX,
    };
    Ok(issuer.mint(&identity, lifetime)?.expose().to_owned())
}

/// Connects, lazily, with a token of a role.
pub fn connect(url: &str, role: Role) -> Result<Connection> {
    connect_as(url, "default", role)
}

/// The same for any tenant.
pub fn connect_as(url: &str, tenant: &str, role: Role) -> Result<Connection> {
    let endpoint = Endpoint::from_shared(url.to_owned())?.connect_timeout(Duration::from_secs(5));
    connect_over(&endpoint, &token_of(tenant, role)?)
}

fn connect_over(endpoint: &Endpoint, token: &str) -> Result<Connection> {
    let channel = endpoint.connect_lazy();
    let bearer = format!("Bearer {token}");
    let value = bearer.parse().map_err(|_| anyhow!("a token that is no header"))?;
    Ok(InterceptedService::new(channel, WithToken(value)))
}

/// Reads as a viewer.
pub fn query(url: &str) -> Result<Query> {
    Ok(QueryServiceClient::new(connect(url, Role::Viewer)?).max_decoding_message_size(16 << 20))
}

/// Reads as a viewer, over a connection with settings of its own.
pub fn query_over(endpoint: &Endpoint) -> Result<Query> {
    Ok(QueryServiceClient::new(connect_over(endpoint, &token(Role::Viewer)?)?))
}

/// Reads as a viewer whose token ends now, and is taken only as clocks may differ.
pub fn query_at_its_end(url: &str) -> Result<Query> {
    let token = token_for("default", Role::Viewer, Duration::ZERO)?;
    Ok(QueryServiceClient::new(connect_over(&Endpoint::from_shared(url.to_owned())?, &token)?))
}

/// Sends as an agent.
pub fn messaging(url: &str) -> Result<Messaging> {
    Ok(MessagingServiceClient::new(connect(url, Role::Agent)?))
}

/// Manages the accounts of a tenant.
pub fn managing(url: &str, tenant: &str) -> Result<Messaging> {
    Ok(MessagingServiceClient::new(connect_as(url, tenant, Role::Admin)?))
}

/// Reads as a viewer of a tenant.
pub fn query_as(url: &str, tenant: &str) -> Result<Query> {
    Ok(QueryServiceClient::new(connect_as(url, tenant, Role::Viewer)?))
}

/// Reads as one who manages accounts.
pub fn exporting(url: &str) -> Result<Query> {
    Ok(QueryServiceClient::new(connect(url, Role::Admin)?))
}

/// Looks after the intake as an operator.
pub fn ingest(url: &str) -> Result<Ingest> {
    Ok(IngestServiceClient::new(connect(url, Role::Operator)?))
}
