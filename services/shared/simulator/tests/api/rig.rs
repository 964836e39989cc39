//! A simulator that runs, a client of it, and a receiver of its webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use channel_simulator::{
    ApiConfig, ApiFault, Behaviour, Condition, DeliveryConfig, FaultRule, Route, Running, Settled,
    SimulatorConfig,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// Ample for anything that is going to happen; nothing is ever waited for in vain.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Rig {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) hooks: Arc<Mutex<Vec<(Value, HeaderMap)>>>,
    hook_url: String,
}

/// A world in which nothing happens by itself.
pub(crate) fn quiet() -> SimulatorConfig {
    SimulatorConfig {
        announce_accounts: false,
        history: 0,
        total: Some(0),
        past_per_chat: 40,
        start: Some("2026-02-01T12:00:00Z".parse().unwrap()),
        delivery: DeliveryConfig {
            target_url: String::new(),
            retry_delay_scale: 0.0,
            keep_events: true,
            ..DeliveryConfig::default()
        },
        api: Some(ApiConfig::default()),
        ..SimulatorConfig::default()
    }
}

type Hooks = Arc<Mutex<Vec<(Value, HeaderMap)>>>;

async fn receive(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) {
    hooks.lock().unwrap().push((serde_json::from_slice(&body).unwrap(), headers));
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(quiet()).await
    }

    pub(crate) async fn with(config: SimulatorConfig) -> Self {
        let hooks = Hooks::default();
        let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&hooks));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook_url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let running = Running::start(config).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { running, client, hooks, hook_url }
    }

    /// A rig whose webhooks are received, of messages and of accounts.
    pub(crate) async fn subscribed() -> Self {
        let rig = Self::start().await;
        rig.subscribe().await;
        rig
    }

    pub(crate) async fn subscribe(&self) {
        for name in ["webhook_create_request_messaging", "webhook_create_request_account_status"] {
            let mut wish = crate::shape::fixture(name);
            wish["request_url"] = json!(self.hook_url);
            wish.as_object_mut().unwrap().remove("account_ids");
            let (status, _) = self.send(Method::POST, "/webhooks", &wish).await;
            assert_eq!(status, 201);
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1{path}", self.running.url);
        self.client.request(method, url).header("X-API-KEY", self.running.remote.key())
    }

    pub(crate) async fn answer(&self, request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.answer(self.request(Method::GET, path)).await
    }

    /// A good answer.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.answer(self.request(method, path).json(body)).await
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.form_with(path, fields, &[])
    }

    /// Fields, and files as field, name, type and bytes.
    pub(crate) fn form_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &str, &[u8])],
    ) -> RequestBuilder {
        let mut body = Vec::new();
        let head = "--bound\r\ncontent-disposition: form-data; name=";
        for (name, value) in fields {
            body.extend(format!("{head}\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, file, kind, bytes) in files {
            let file = format!("{head}\"{name}\"; filename=\"{file}\"\r\ncontent-type: {kind}");
            body.extend(file.bytes().chain(*b"\r\n\r\n"));
            body.extend(bytes.iter().chain(b"\r\n"));
        }
        body.extend(b"--bound--\r\n");
        let kind = "multipart/form-data; boundary=bound";
        self.request(Method::POST, path).header("content-type", kind).body(body)
    }

    /// Sends a text to a chat.
    pub(crate) async fn text(&self, chat: &str, text: &str) -> (u16, Value) {
        let form = self.form(&format!("/chats/{chat}/messages"), &[("text", text)]);
        self.answer(form).await
    }

    /// Sends a text to a chat, and returns the message's id.
    pub(crate) async fn sent(&self, chat: &str, text: &str) -> String {
        let (status, body) = self.text(chat, text).await;
        assert_eq!(status, 201, "{body}");
        body["message_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn account(&self) -> String {
        let list = self.read("/accounts").await;
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The chats of a type: 0 with one person, 1 a group.
    pub(crate) async fn chats(&self, kind: u8) -> Vec<Value> {
        let list = self.read("/chats?limit=250").await;
        let chats = list["items"].as_array().unwrap().iter();
        chats.filter(|chat| chat["type"] == kind).cloned().collect()
    }

    /// A chat with one person.
    pub(crate) async fn chat(&self) -> String {
        self.chats(0).await[0]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until nothing is planned any more and all webhooks are there.
    pub(crate) async fn settle(&self) {
        self.until(Condition { settled: true, ..Condition::default() }).await;
    }

    pub(crate) async fn until(&self, condition: Condition) {
        assert_eq!(self.running.remote.until(&condition, LONG).await, Settled::Met);
    }

    pub(crate) fn next(&self, route: Route, fault: ApiFault) {
        self.running.remote.add_fault(FaultRule::next(route, 1, fault));
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = self.running.remote.behaviour();
        change(&mut behaviour);
        self.running.remote.behave(behaviour);
    }

    /// The webhooks about a message, as event names.
    pub(crate) fn events(&self, message: &str) -> Vec<String> {
        let about = |hook: &Value| hook["message_id"] == message;
        self.bodies(about).iter().map(|hook| hook["event"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn bodies(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let hooks = self.hooks.lock().unwrap();
        hooks.iter().map(|(body, _)| body).filter(|body| wanted(body)).cloned().collect()
    }

    /// The states of accounts that webhooks told of.
    pub(crate) fn statuses(&self) -> Vec<String> {
        let told = self.bodies(|hook| hook["AccountStatus"].is_object());
        let status = |hook: &Value| hook["AccountStatus"]["message"].as_str().unwrap().to_owned();
        told.iter().map(status).collect()
    }

    pub(crate) fn hook_url(&self) -> &str {
        &self.hook_url
    }

    /// Something on the control endpoint.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/simulator{path}", self.running.url);
        let request = self.client.request(method, url);
        let request = request.header("X-API-KEY", self.running.remote.key());
        self.answer(request.json(body)).await
    }
}
