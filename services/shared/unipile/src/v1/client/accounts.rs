//! Calls about connected numbers.

use super::call::Call;
use super::read::{Odd, account, page, sync_state};
use super::{Client, route, when};
use crate::upstream::{
    Account, Accounts, Answer, ConnectOptions, Connecting, HistoryLimit, HostedLink, HostedPurpose,
    Page, Paging, Proxy, SyncLimit, SyncState,
};
use crate::v1::wire::lenient;
use async_trait::async_trait;
use channel_domain::AccountId;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

#[async_trait]
impl Accounts for Client {
    async fn accounts(&self, paging: &Paging) -> Answer<Page<Account>> {
        let call = Call::general(route::ACCOUNTS, &[]).page(paging);
        self.page(call, |root| page(root, account::account)).await
    }

    async fn account(&self, account: &AccountId) -> Answer<Account> {
        let call = Call::of(route::ACCOUNT, account, &[account.as_str()]);
        self.object(call, |root| account::this(root, account)).await
    }

    async fn connect(&self, options: &ConnectOptions) -> Answer<Connecting> {
        let call = Call::general(route::CONNECT, &[]).json(connecting(options));
        let pairs = options.pairing_phone.is_some();
        self.object(call, |root| Ok(account::connecting(root, pairs))).await
    }

    async fn reconnect(&self, account: &AccountId, options: &ConnectOptions) -> Answer<Connecting> {
        let call = Call::of(route::RECONNECT, account, &[account.as_str()]);
        let call = call.json(connecting(options));
        let pairs = options.pairing_phone.is_some();
        self.object(call, |root| Ok(account::connecting(root, pairs))).await
    }

    async fn restart(&self, account: &AccountId) -> Answer<bool> {
        let call = Call::of(route::RESTART, account, &[account.as_str()]);
        self.object(call, |root| {
            let object = root.pick(&["object"], lenient::name).unwrap_or_default();
            Ok(!object.eq_ignore_ascii_case("AccountFailedToRestart"))
        })
        .await
    }

    async fn delete_account(&self, account: &AccountId) -> Answer<()> {
        self.done(Call::of(route::DELETE_ACCOUNT, account, &[account.as_str()])).await
    }

    async fn sync_account(&self, account: &AccountId) -> Answer<SyncState> {
        let call = Call::of(route::SYNC_ACCOUNT, account, &[account.as_str()]);
        self.object(call, |root| Ok(sync_state(root))).await
    }

    async fn hosted_link(&self, link: &HostedLink) -> Answer<String> {
        let body = hosted(link, self.base.as_str());
        let call = match &link.purpose {
            HostedPurpose::Create => Call::general(route::HOSTED_LINK, &[]),
            HostedPurpose::Reconnect(account) => Call::of(route::HOSTED_LINK, account, &[]),
        };
        self.object(call.json(body), |root| {
            root.pick(&["url"], lenient::url).ok_or(Odd::Shape("the url"))
        })
        .await
    }
}

fn connecting(options: &ConnectOptions) -> Value {
    let ConnectOptions { pairing_phone, country, ip, proxy } = options;
    let mut body = Map::from_iter([("provider".to_owned(), json!("WHATSAPP"))]);
    put(&mut body, "pairing_phone_number", pairing_phone.as_deref());
    put(&mut body, "country", country.as_deref());
    put(&mut body, "ip", ip.map(|ip| ip.to_string()));
    put(&mut body, "proxy", proxy.as_ref().map(self::proxy));
    Value::Object(body)
}

fn proxy(proxy: &Proxy) -> Value {
    let Proxy { protocol, host, port, login } = proxy;
    let mut body = Map::new();
    put(&mut body, "protocol", protocol.as_deref());
    put(&mut body, "host", Some(host.as_str()));
    put(&mut body, "port", Some(*port));
    put(&mut body, "username", login.as_ref().map(|(name, _)| name.as_str()));
    put(&mut body, "password", login.as_ref().map(|(_, password)| password.expose_secret()));
    Value::Object(body)
}

fn hosted(link: &HostedLink, api_url: &str) -> Value {
    let mut body = Map::new();
    match &link.purpose {
        HostedPurpose::Create => {
            put(&mut body, "type", Some("create"));
            put(&mut body, "providers", Some(json!(["WHATSAPP"])));
        }
        HostedPurpose::Reconnect(account) => {
            put(&mut body, "type", Some("reconnect"));
            put(&mut body, "reconnect_account", Some(account.as_str()));
        }
    }
    put(&mut body, "api_url", Some(api_url));
    put(&mut body, "expiresOn", Some(when::after(link.expires_at)));
    put(&mut body, "name", link.name.as_deref());
    put(&mut body, "notify_url", link.notify_url.as_deref());
    put(&mut body, "success_redirect_url", link.success_url.as_deref());
    put(&mut body, "failure_redirect_url", link.failure_url.as_deref());
    put(&mut body, "bypass_success_screen", link.bypass_success_screen.then_some(true));
    put(&mut body, "sync_limit", link.sync_limit.map(sync_limit));
    let disabled = Some(&link.disabled_options).filter(|options| !options.is_empty());
    put(&mut body, "disabled_options", disabled.map(|options| json!(options)));
    Value::Object(body)
}

fn sync_limit(limit: SyncLimit) -> Value {
    let bound = |limit| match limit {
        HistoryLimit::Since(at) => json!(when::after(at)),
        HistoryLimit::Count(count) => json!(count),
    };
    let mut messaging = Map::new();
    put(&mut messaging, "chats", limit.chats.map(bound));
    put(&mut messaging, "messages", limit.messages.map(bound));
    json!({ "MESSAGING": messaging })
}

/// Leaves out what is not set.
fn put(body: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(key.to_owned(), value.into());
    }
}
