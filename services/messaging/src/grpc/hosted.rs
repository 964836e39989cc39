//! From the contract's calls about hosted links to ours, and back.

use std::net::IpAddr;

use channel_domain::AccountId;
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_runtime::supervise::Tasks;
use channel_wire as wire;
use futures::stream;
use secrecy::ExposeSecret as _;
use tonic::codegen::http::Uri;
use uuid::Uuid;

use super::connect::{name, told};
use super::requests::id;
use super::{Answer, Stated};
use crate::connect::{Connections, Following, HostedAsk};

/// Most bytes of an address to go to.
const MOST_URL: usize = 2_048;

pub(super) async fn create(
    connections: Connections,
    _tasks: Tasks,
    caller: Identity,
    request: pb::CreateHostedLinkRequest,
) -> Answer<pb::CreateHostedLinkResponse> {
    let made = connections.hosted_link(&caller, ask(request)?).await?;
    Ok(pb::CreateHostedLinkResponse {
        link_id: made.id.to_string(),
        url: made.url.expose_secret().to_owned(),
        expires_at: Some(wire::timestamp(made.expires_at)),
    })
}

pub(super) async fn follow(
    connections: Connections,
    _tasks: Tasks,
    caller: Identity,
    request: pb::FollowHostedLinkRequest,
) -> Answer<Stated<pb::FollowHostedLinkResponse>> {
    let mut bad = FieldErrors::default();
    let link = Uuid::parse_str(&request.link_id).ok();
    bad.ensure("link_id", link.is_some(), "must be a UUID");
    let following = connections.follow_link(&caller, link.ok_or(bad)?).await?;
    Ok(Box::pin(stream::unfold(following, async |mut following: Following| {
        let step = following.next().await?;
        let step = told(step).map(|step| pb::FollowHostedLinkResponse { step: Some(step) });
        Some((step, following))
    })))
}

fn ask(it: pb::CreateHostedLinkRequest) -> Result<HostedAsk, FieldErrors> {
    let mut bad = FieldErrors::default();
    let name = name(&mut bad, &it.display_name);
    let account = (!it.account_id.is_empty())
        .then(|| id::<AccountId>(&mut bad, "account_id", it.account_id))
        .flatten();
    let is_new = account.is_none() || name.is_none();
    bad.ensure("display_name", is_new, "must be empty for an account that is known");
    let success_url = url(&mut bad, "success_url", it.success_url);
    let failure_url = url(&mut bad, "failure_url", it.failure_url);
    if bad.is_empty() {
        Ok(HostedAsk { name, account, success_url, failure_url })
    } else {
        Err(bad)
    }
}

/// Where a browser is sent.
fn url(bad: &mut FieldErrors, field: &str, text: String) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    bad.ensure(field, text.len() <= MOST_URL, "must be at most 2048 bytes");
    bad.ensure(field, is_safe(&text), "must be https, or http on a loopback address");
    Some(text)
}

fn is_safe(text: &str) -> bool {
    let Ok(url) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else { return false };
    let host = authority.host();
    let has_login = authority.as_str().contains('@');
    match scheme {
        "https" => !host.is_empty() && !has_login,
        "http" => is_loopback(host) && !has_login,
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_only_to_where_nobody_listens_in() {
        let good = [
            "https://app.example.com/connected?a=b",
            "https://app.example.com",
            "http://localhost:3000/",
            "http://127.0.0.1/x",
            "http://[::1]:8080/",
        ];
        let wrong = [
            "http://app.example.com/",
            "http://127.0.0.1.example.com/",
            "https://",
            "https://user:password@example.com/",
            "http://localhost@example.com/",
            "javascript:alert(1)",
            "ftp://example.com/",
            "/connected",
            "https://example.com/a b",
            "https://example.com/\r\nx",
        ];
        assert!(good.into_iter().all(is_safe));
        assert_eq!(wrong.into_iter().find(|url| is_safe(url)), None);
    }

    #[test]
    fn every_bad_field_of_a_wish_is_named() {
        use channel_runtime::fault::Fault as _;
        let wish = pb::CreateHostedLinkRequest {
            display_name: "Front desk".into(),
            account_id: "a1".into(),
            success_url: "http://example.com/".into(),
            failure_url: format!("https://example.com/{}", "x".repeat(MOST_URL)),
        };
        let errors = ask(wish).unwrap_err();
        let fields: Vec<_> = errors.violations().iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["display_name", "success_url", "failure_url"]);
    }
}
