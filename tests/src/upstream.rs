//! The simulator as a process of its own, in UniPile's place.

use crate::program::{Setup, WEBHOOK_SECRET, executable, free_ports, signal};
use crate::until::until;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};

/// The key that calls of its API carry.
const KEY: &str = "the key of the upstream of these tests";

/// A running simulator. Dropping it kills it.
#[derive(Debug)]
pub struct Upstream {
    child: Child,
    place: Place,
    http: reqwest::Client,
}

/// Where a simulator is, and whom it tells what happens.
#[derive(Debug)]
pub struct Place {
    address: SocketAddr,
    webhooks: String,
    secret: NamedTempFile,
    chats: usize,
    groups: usize,
    past: usize,
    settings: NamedTempFile,
}

impl Place {
    /// A place on a free port, for the program that is going to be started so.
    pub fn beside(setup: &Setup) -> Result<Self> {
        let [address] = free_ports()?;
        let secret = NamedTempFile::new()?;
        std::fs::write(secret.path(), WEBHOOK_SECRET)?;
        let webhooks = format!("http://{}/api/v1/webhooks/unipile/", setup.gateway);
        let settings = NamedTempFile::new()?;
        Ok(Self { address, webhooks, secret, chats: 4, groups: 0, past: 0, settings })
    }

    /// With so many chats instead of four.
    #[must_use]
    pub const fn with_chats(mut self, chats: usize) -> Self {
        self.chats = chats;
        self
    }

    /// With so many groups beside them.
    #[must_use]
    pub const fn with_groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// With so many messages in each chat from before the run.
    #[must_use]
    pub const fn with_past(mut self, messages: usize) -> Self {
        self.past = messages;
        self
    }

    /// It gives a webhook up after this many milliseconds between its tries.
    pub fn giving_up(self, tries: &[u64]) -> Result<Self> {
        let settings = format!("[delivery]\nretry_delays_ms = {tries:?}\n");
        std::fs::write(self.settings.path(), settings)?;
        Ok(self)
    }

    /// A simulator that pushes only to where it is told to by its API.
    #[must_use]
    pub fn told_by_api(mut self) -> Self {
        self.webhooks.clear();
        self
    }

    /// The settings by which a program finds it.
    #[must_use]
    pub fn known_to(&self, setup: Setup) -> Setup {
        setup
            .with("UNIPILE__DSN", &format!("http://{}", self.address))
            .with("UNIPILE__API_KEY", KEY)
    }

    /// Starts the simulator: one account, its chats, nothing happens by itself.
    pub async fn start(self) -> Result<Upstream> {
        let mut simulator = Command::new(executable()?);
        simulator.arg("simulate");
        if !self.webhooks.is_empty() {
            simulator.args(["--webhook-url", &self.webhooks]);
        }
        let child = simulator
            .args(["--prompt", "--total", "0", "--history", "0"])
            .args(["--groups", &self.groups.to_string()])
            .args(["--accounts", "1", "--api-key", KEY])
            .args(["--past", &self.past.to_string()])
            .args(["--contacts", &self.chats.to_string()])
            .args(["--listen", &self.address.to_string()])
            .arg("--settings")
            .arg(self.settings.path())
            .arg("--secret-file")
            .arg(self.secret.path())
            .env_clear()
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the simulator does not start")?;
        let upstream = Upstream { child, place: self, http: reqwest::Client::new() };
        until("the simulator answers", || async { upstream.get("/api/v1/accounts").await.ok() })
            .await?;
        Ok(upstream)
    }
}

impl Upstream {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.place.address)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = self.http.get(self.url(path)).header("X-API-KEY", KEY);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.http.post(self.url(path)).header("X-API-KEY", KEY).json(&body);
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The connected account.
    pub async fn account(&self) -> Result<String> {
        let accounts = self.get("/api/v1/accounts").await?;
        text(&accounts["items"][0], "id")
    }

    /// The account's chats.
    pub async fn chats(&self) -> Result<Vec<String>> {
        let account = self.account().await?;
        let chats = self.get(&format!("/api/v1/chats?limit=250&account_id={account}")).await?;
        let chats = chats["items"].as_array().context("a list of chats")?;
        chats.iter().map(|chat| text(chat, "id")).collect()
    }

    /// A contact writes in a chat.
    pub async fn contact_writes(&self, chat: &str, what: &str) -> Result<()> {
        self.post("/simulator/contact", json!({ "chat_id": chat, "text": what })).await.map(drop)
    }

    /// A contact sends a file. `more` are further fields of what the simulator takes.
    pub async fn contact_sends(
        &self,
        chat: &str,
        mimetype: &str,
        bytes: &[u8],
        more: Value,
    ) -> Result<String> {
        let mut sent = json!({
            "chat_id": chat, "mimetype": mimetype, "bytes": STANDARD.encode(bytes),
        });
        if let (Some(sent), Value::Object(more)) = (sent.as_object_mut(), more) {
            sent.extend(more);
        }
        text(&self.post("/simulator/contact/file", sent).await?, "message_id")
    }

    /// Something goes wrong with calls of a route: with so many, or with all.
    pub async fn route_fault(&self, route: &str, fault: Value, times: Option<u32>) -> Result<()> {
        let rule = json!({ "route": route, "times": times, "fault": fault });
        self.post("/simulator/faults", rule).await.map(drop)
    }

    /// Something goes wrong with calls of a route that are about a chat.
    pub async fn chat_fault(&self, route: &str, chat: &str, fault: Value) -> Result<()> {
        let rule = json!({ "route": route, "chat_id": chat, "fault": fault });
        self.post("/simulator/faults", rule).await.map(drop)
    }

    /// How many calls of a route came.
    pub async fn calls(&self, route: &str) -> Result<u64> {
        let calls = self.get("/simulator/calls").await?;
        Ok(calls[route]["received"].as_u64().unwrap_or(0))
    }

    /// The owner writes in a chat on the phone.
    pub async fn owner_writes(&self, chat: &str, what: &str) -> Result<()> {
        self.post("/simulator/phone", json!({ "chat_id": chat, "text": what })).await.map(drop)
    }

    /// Something goes wrong with calls that send.
    pub async fn fault(&self, fault: Value, times: Option<u32>, probability: f64) -> Result<()> {
        let rule = json!({
            "route": "send_message", "times": times, "probability": probability, "fault": fault,
        });
        self.post("/simulator/faults", rule).await.map(drop)
    }

    /// Something goes wrong with the next call that sends into a chat.
    pub async fn fault_in(&self, chat: &str, fault: Value) -> Result<()> {
        let rule = json!({
            "route": "send_message", "chat_id": chat, "times": 1, "fault": fault,
        });
        self.post("/simulator/faults", rule).await.map(drop)
    }

    /// Something goes wrong with the next call of a route.
    pub async fn next_fault(&self, route: &str, fault: Value) -> Result<()> {
        let rule = json!({ "route": route, "times": 1, "fault": fault });
        self.post("/simulator/faults", rule).await.map(drop)
    }

    /// All messages that its API lists, by their ids.
    pub async fn messages(&self) -> Result<BTreeMap<String, Value>> {
        let mut all = BTreeMap::new();
        for chat in self.chats().await? {
            all.append(&mut self.messages_of(&chat).await?);
        }
        Ok(all)
    }

    /// Those of a chat.
    pub async fn messages_of(&self, chat: &str) -> Result<BTreeMap<String, Value>> {
        let (mut all, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let path = format!("/api/v1/chats/{chat}/messages?limit=250{cursor}");
            let page = self.get(&path).await?;
            for message in page["items"].as_array().context("a list of messages")? {
                all.insert(text(message, "id")?, message.clone());
            }
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// The settings by which one more program finds it.
    #[must_use]
    pub fn known_to(&self, setup: Setup) -> Setup {
        self.place.known_to(setup)
    }

    /// Waits until it has given up so many webhooks.
    pub async fn given_up(&self, webhooks: u64) -> Result<()> {
        until("webhooks are given up", || async {
            let counts = self.get("/simulator/deliveries").await.ok()?;
            (counts["failed"].as_u64()? >= webhooks).then_some(())
        })
        .await
    }

    /// Where it was told to push to.
    pub async fn webhooks(&self) -> Result<Vec<Value>> {
        let webhooks = self.get("/api/v1/webhooks?limit=100").await?;
        webhooks["items"].as_array().cloned().context("a list of webhooks")
    }

    /// It stops to push there.
    pub async fn drop_webhook(&self, id: &str) -> Result<()> {
        let url = self.url(&format!("/api/v1/webhooks/{id}"));
        self.http.delete(url).header("X-API-KEY", KEY).send().await?.error_for_status()?;
        Ok(())
    }

    /// A chat as it is there.
    pub async fn chat(&self, chat: &str) -> Result<Value> {
        self.get(&format!("/api/v1/chats/{chat}")).await
    }

    /// A message as it is there.
    pub async fn message(&self, message: &str) -> Result<Value> {
        self.get(&format!("/api/v1/messages/{message}")).await
    }

    /// A person or group shows another one of their pictures.
    pub async fn shows(&self, id: &str, number: u32) -> Result<()> {
        let path = format!("/simulator/pictures/{id}");
        self.post(&path, json!({ "number": number })).await.map(drop)
    }

    /// Nothing goes wrong any more.
    pub async fn heal(&self) -> Result<()> {
        let request = self.http.delete(self.url("/simulator/faults")).header("X-API-KEY", KEY);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// The account's connection changes.
    pub async fn status(&self, status: &str) -> Result<()> {
        let account = self.account().await?;
        self.status_of(&account, status).await
    }

    /// The connection of any account changes.
    pub async fn status_of(&self, account: &str, status: &str) -> Result<()> {
        let path = format!("/simulator/accounts/{account}/status");
        self.post(&path, json!({ "status": status })).await.map(drop)
    }

    /// Codes that are shown are scanned by nobody but by hand.
    pub async fn nobody_scans(&self) -> Result<()> {
        let request = self.http.put(self.url("/simulator/behaviour")).header("X-API-KEY", KEY);
        let behaviour = request.json(&json!({ "scan_after_ms": null }));
        behaviour.send().await?.error_for_status()?;
        Ok(())
    }

    /// Somebody scans the code that is shown for an account. False when there is none.
    pub async fn scan(&self, account: &str, how: Value) -> Result<bool> {
        let path = self.url(&format!("/simulator/accounts/{account}/scan"));
        let answer = self.http.post(path).header("X-API-KEY", KEY).json(&how).send().await?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(false);
        }
        answer.error_for_status()?;
        Ok(true)
    }

    /// Somebody opens a link to its sign-in page and scans; `how` as the simulator takes it. Returns where the browser
    /// goes then.
    pub async fn open(&self, link: &str, how: Value) -> Result<Option<String>> {
        let once =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let answer = once.post(link).header("X-API-KEY", KEY).json(&how).send().await?;
        let status = answer.status();
        ensure!(status.is_success() || status.is_redirection(), "{status}");
        let next = answer.headers().get("location").and_then(|it| it.to_str().ok());
        Ok(next.map(ToOwned::to_owned))
    }

    /// Where its sign-in page reports to.
    pub async fn callback(&self, link: &str) -> Result<String> {
        let answer = self.http.get(format!("{link}/callback")).header("X-API-KEY", KEY);
        let answer: Value = answer.send().await?.error_for_status()?.json().await?;
        text(&answer, "notify_url")
    }

    /// The accounts that are there, with their numbers.
    pub async fn accounts(&self) -> Result<Vec<(String, String)>> {
        let accounts = self.get("/api/v1/accounts?limit=100").await?;
        let accounts = accounts["items"].as_array().context("a list of accounts")?;
        accounts.iter().map(|it| Ok((text(it, "id")?, text(it, "name")?))).collect()
    }

    /// The texts that it took to send, in their order.
    pub async fn sent(&self, chat: Option<&str>) -> Result<Vec<String>> {
        let which = json!({ "route": "send_message", "chat_id": chat });
        let taken = self.post("/simulator/ledger", which).await?;
        let taken = taken.as_array().context("a ledger")?;
        taken.iter().map(|entry| text(entry, "text")).collect()
    }

    /// How often it was asked to send.
    pub async fn asked(&self) -> Result<u64> {
        let calls = self.get("/simulator/calls").await?;
        Ok(calls["send_message"]["received"].as_u64().unwrap_or(0))
    }

    /// Stops it without its knowing.
    pub async fn pause(&self) -> Result<()> {
        signal(&self.child, "-STOP").await
    }

    /// Lets it go on.
    pub async fn go_on(&self) -> Result<()> {
        signal(&self.child, "-CONT").await
    }

    /// Ends it at once.
    pub async fn kill(mut self) -> Result<Place> {
        self.child.kill().await?;
        Ok(self.place)
    }
}

fn text(object: &Value, field: &str) -> Result<String> {
    let text = object[field].as_str();
    Ok(text.with_context(|| format!("{field} in {object}"))?.to_owned())
}
