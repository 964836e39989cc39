//! Query: reads what is stored, and follows it live.

use std::sync::Arc;
use std::time::Duration;

use channel_media::Objects;
use channel_proto::query::v1::query_service_server::QueryServiceServer;
use channel_query::Queries;
use channel_query::capabilities::Setup;
use channel_query::grpc::OverGrpc;
use channel_query::links::Links;
use channel_query::live::{Live, WatchRoute};
use channel_query::seal::SEAL_KEY_LENGTH;
use channel_runtime::config::{AuthConfig, Secret};
use channel_runtime::server::GrpcServer;
use channel_store::Store;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::Config;
use crate::process::Stage;

/// What the key of page tokens is derived for.
const PAGE_TOKENS: &[u8] = b"channel page tokens v1";
/// What the keys of links are derived for.
const LINKS: &[u8] = b"channel attachment links v1";

/// Adds the role to a server. `is_connected`: there is an upstream, as far as this process can know; apart from
/// messaging it cannot.
pub(crate) fn add(
    stage: &Stage,
    server: GrpcServer,
    store: &Arc<dyn Store>,
    config: &Config,
    is_connected: bool,
    objects: Objects,
) -> (GrpcServer, Live) {
    let (live, messaging) = (&config.live, &config.messaging);
    let setup = Setup {
        is_connected,
        text_characters: messaging.text_limit,
        attachment_bytes: messaging.attachment_limit_bytes,
        stored_bytes: config.media.most_bytes,
        has_thumbnails: config.media.thumbnails.enabled,
        attachments: messaging.most_attachments,
        edit_window: Duration::from_secs(messaging.edit_window_seconds.into()),
        watch_accounts: u32::try_from(live.accounts_per_stream).unwrap_or(u32::MAX),
        streams: u32::try_from(live.streams_per_user).unwrap_or(u32::MAX),
    };
    let key = derived_key(&config.auth.secret, PAGE_TOKENS);
    let queries = Queries::new(Arc::clone(store), Arc::clone(&stage.clock), &key);
    let live =
        Live::start(Arc::clone(store), live.clone(), Arc::clone(&stage.clock), &stage.supervisor);
    let service = OverGrpc::new(queries, live.clone(), stage.supervisor.tasks())
        .knowing(setup)
        .serving(objects)
        .linking(links(&config.auth));
    let service = WatchRoute::new(QueryServiceServer::new(service), live.clone());
    (server.service(service), live)
}

/// Links of the secret before are good while tokens of it are.
fn links(auth: &AuthConfig) -> Links {
    let secrets = [&auth.secret, &auth.previous_secret].into_iter();
    let keys = secrets.filter(|secret| !secret.is_empty()).map(|it| derived_key(it, LINKS));
    Links::new(&keys.collect::<Vec<_>>())
}

/// All processes share the secret of tokens, so all derive the same keys from it.
fn derived_key(secret: &Secret, purpose: &[u8]) -> [u8; SEAL_KEY_LENGTH] {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    let digest = <Sha256 as sha2::Digest>::digest(secret.expose());
    block[..digest.len()].copy_from_slice(&digest);
    let mut hmac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block);
    hmac.update(purpose);
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_key_of_its_own_that_all_processes_derive() {
        let key = |secret, purpose| derived_key(&Secret::new(secret), purpose);
        assert_eq!(key("a", LINKS), key("a", LINKS));
        assert_ne!(key("a", LINKS), key("b", LINKS));
        assert_ne!(key("a", LINKS), key("a", PAGE_TOKENS));
    }
}
