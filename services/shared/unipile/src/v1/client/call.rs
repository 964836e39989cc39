//! One call before it is sent.

use super::route::{Limit, Route};
use super::{Client, form, when};
use crate::upstream::{ChatQuery, Failure, MessageQuery, PAGE_MAX, Paging};
use channel_domain::{AccountId, Micros};
use form::Form;
use serde_json::Value;
use std::time::Duration;

/// What is to be called.
pub(super) struct Call<'a> {
    pub(super) route: Route,
    /// The account that it is about; none for calls about all.
    pub(super) account: Option<&'a AccountId>,
    ids: Vec<&'a str>,
    query: Vec<(&'static str, String)>,
    body: Body<'a>,
}

enum Body<'a> {
    None,
    Json(Value),
    Form(Form<'a>),
}

impl<'a> Call<'a> {
    /// About an account.
    pub(super) fn of(route: Route, account: &'a AccountId, ids: &[&'a str]) -> Self {
        Self { account: Some(account), ..Self::general(route, ids) }
    }

    /// About no account in particular.
    pub(super) fn general(route: Route, ids: &[&'a str]) -> Self {
        Self { route, account: None, ids: ids.to_vec(), query: Vec::new(), body: Body::None }
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Names the account in the query.
    pub(super) fn naming_account(self) -> Self {
        match self.account {
            Some(account) => self.with("account_id", account.as_str()),
            None => self,
        }
    }

    pub(super) fn page(self, paging: &Paging) -> Self {
        let limit = paging.limit.clamp(1, PAGE_MAX).to_string();
        let call = self.with("limit", limit);
        match &paging.cursor {
            Some(cursor) => call.with("cursor", cursor.as_str()),
            None => call,
        }
    }

    /// UniPile does not say whether a cursor remembers the filters, so they are sent with each page.
    pub(super) fn messages(mut self, query: &MessageQuery) -> Self {
        if let Some(sender) = &query.sender {
            self = self.with("sender_id", sender);
        }
        self.between(query.before, query.after).page(&query.paging)
    }

    /// As [`messages`](Self::messages).
    pub(super) fn chats(self, query: &ChatQuery) -> Self {
        self.between(query.before, query.after).page(&query.paging)
    }

    fn between(mut self, before: Option<Micros>, after: Option<Micros>) -> Self {
        if let Some(at) = before {
            self = self.with("before", when::before(at));
        }
        if let Some(at) = after {
            self = self.with("after", when::after(at));
        }
        self
    }

    pub(super) fn json(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    pub(super) fn form(self, form: Form<'a>) -> Self {
        Self { body: Body::Form(form), ..self }
    }

    /// Why a file of the body could not be read, if one could not.
    pub(super) fn file_fault(&self) -> Option<Failure> {
        match &self.body {
            Body::Form(form) => form.fault(),
            _ => None,
        }
    }

    /// The request itself. A form's files are opened here, so each call of this opens them anew.
    pub(super) async fn request(&self, client: &Client) -> Result<reqwest::Request, Failure> {
        let path = self.route.path(&self.ids).ok_or(Failure::Invalid("an id that is none"))?;
        let url = format!("{}{path}", client.base.as_str());
        let mut url = reqwest::Url::parse(&url).map_err(|_| Failure::Invalid("no URL"))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let request = client.changes.request(self.route.method(), url);
        let request = request
            .header("x-api-key", client.key.clone())
            .header("accept", self.accepts())
            .timeout(self.time_limit(client));
        let request = match &self.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Form(form) => request.multipart(form.open().await?),
        };
        request.build().map_err(|_| Failure::Invalid("the request cannot be built"))
    }

    fn accepts(&self) -> &'static str {
        let fetches = self.route.limit == Limit::Transfer && matches!(self.body, Body::None);
        if fetches { "*/*" } else { "application/json" }
    }

    fn time_limit(&self, client: &Client) -> Duration {
        let limit = match self.route.limit {
            Limit::Json => client.options.json_timeout,
            Limit::Transfer => client.options.transfer_timeout,
        };
        match &self.body {
            // A message of words alone is as quick as any other call.
            Body::Form(form) if !form.has_files() => {
                client.options.json_timeout + form.extra_time()
            }
            Body::Form(form) => limit + form.extra_time(),
            _ => limit,
        }
    }
}
