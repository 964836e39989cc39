//! Prints how fast a history is listed over the API on this machine, and what it takes in memory.

use std::io::Write as _;
use std::time::Instant;

use channel_simulator::{DeliveryConfig, Running, SimulatorConfig};
use reqwest::Client;
use serde::Deserialize;

const CHATS: usize = 200;
const MESSAGES: u32 = 5_000;

#[derive(Deserialize)]
struct Page {
    items: Vec<Item>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    let delivery = DeliveryConfig { target_url: String::new(), ..DeliveryConfig::default() };
    let running = Running::start(SimulatorConfig {
        contacts: CHATS - 4,
        groups: 4,
        past_per_chat: MESSAGES,
        announce_accounts: false,
        history: 0,
        total: Some(0),
        delivery,
        ..SimulatorConfig::default()
    })
    .await?;
    writeln!(out, "started with {} kB", resident_kb()?)?;
    let client = Client::builder().no_proxy().build()?;

    let began = Instant::now();
    let chats = walk(&client, &running, "/chats").await?;
    let (took, count) = (began.elapsed(), chats.len());
    writeln!(out, "chats         {count:>9} in {took:?}")?;

    let began = Instant::now();
    let mut listed = 0;
    for chat in chats.iter().take(CHATS / 4) {
        listed += walk(&client, &running, &format!("/chats/{chat}/messages")).await?.len();
    }
    report(&mut out, "chat by chat", listed, began)?;

    let began = Instant::now();
    let listed = walk(&client, &running, "/messages").await?.len();
    report(&mut out, "all at once", listed, began)?;
    writeln!(out, "ended with {} kB", resident_kb()?)?;
    Ok(())
}

fn report(
    out: &mut impl std::io::Write,
    what: &str,
    listed: usize,
    began: Instant,
) -> std::io::Result<()> {
    let listed = u32::try_from(listed).unwrap_or(u32::MAX);
    let rate = f64::from(listed) / began.elapsed().as_secs_f64();
    writeln!(out, "{what:<13} {listed:>9} messages, {rate:>9.0} a second")
}

async fn walk(client: &Client, running: &Running, path: &str) -> reqwest::Result<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = format!("{}/api/v1{path}?limit=250{cursor}", running.url);
        let request = client.get(url).header("X-API-KEY", running.remote.key());
        let page: Page = request.send().await?.error_for_status()?.json().await?;
        ids.extend(page.items.into_iter().map(|item| item.id));
        let Some(next) = page.cursor else { return Ok(ids) };
        cursor = format!("&cursor={}", next.replace('=', "%3D").replace('+', "%2B"));
    }
}

fn resident_kb() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(number.unwrap_or_default())
}
