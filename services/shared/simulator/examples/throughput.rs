//! Prints how fast bodies are made and delivered on this machine.

use std::io::Write as _;
use std::time::Instant;

use channel_simulator::{SimulatorConfig, bodies, run};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const MADE: u32 = 200_000;
const DELIVERED: u32 = 50_000;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();

    let config = SimulatorConfig::load(1, u64::from(MADE));
    let began = Instant::now();
    let bytes: usize = bodies(&config).map(|event| event.body.len()).sum();
    let per_second = f64::from(MADE) / began.elapsed().as_secs_f64();
    let each = bytes / MADE as usize;
    writeln!(out, "made      {per_second:>8.0} bodies/s, {each} bytes each")?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut config = SimulatorConfig::load(1, u64::from(DELIVERED));
    config.delivery.target_url = format!("http://{}/", listener.local_addr()?);
    let receiving = tokio::spawn(receive(listener));
    let began = Instant::now();
    let report = run(config, std::future::pending()).await.map_err(std::io::Error::other)?;
    let per_second = f64::from(DELIVERED) / began.elapsed().as_secs_f64();
    let acked = report.ledger.counts().acked;
    writeln!(out, "delivered {per_second:>8.0} webhooks/s, {acked} acknowledged")?;
    receiving.abort();
    Ok(())
}

/// The least that a receiver can do, so that the figure is the deliverer's.
async fn receive(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        tokio::spawn(answer(BufReader::new(connection)));
    }
}

async fn answer(mut connection: BufReader<TcpStream>) -> std::io::Result<()> {
    let mut body = Vec::new();
    while let Some(length) = content_length(&mut connection).await? {
        body.resize(length, 0);
        connection.read_exact(&mut body).await?;
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
    Ok(())
}

/// Reads a request's head; `None` at the end of the connection.
async fn content_length(connection: &mut BufReader<TcpStream>) -> std::io::Result<Option<usize>> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        match connection.read_line(&mut line).await? {
            0 => return Ok(None),
            2 => return Ok(Some(length)),
            _ => {}
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
}
