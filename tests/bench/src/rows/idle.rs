//! Row 7: what an idle stream takes.

use super::live::Crowd;
use crate::cpu;
use crate::database::Kind;
use crate::env::{Disk, Env};
use crate::product::{self, IntakeKind};
use crate::stats::{float, thousands};
use crate::table::Line;
use crate::watch::{Pace, Watched};
use std::time::Duration;

pub(super) const NOTE: &str = "Resident memory of the product with all streams open and caught up, \
    less what it had before the first, divided by the streams. Real gRPC over loopback, 500 streams \
    on a connection, ten for each caller, each on one of 50 accounts; SQLite. What the kernel keeps \
    for the sockets is not in it.";

const ACCOUNTS: usize = 50;
/// KiB.
const REACH: f64 = 16.0;
/// Until what was only needed to open the streams is given back.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let streams = env.sizes.idle_streams;
    let place = env.database(Kind::Sqlite, Disk::Own)?;
    let (product, doors) = product::start(&place, IntakeKind::Batched, None).await?;
    let crowd = Crowd {
        kind: Kind::Sqlite,
        streams,
        accounts: ACCOUNTS,
        pace: Pace::Never,
        events: 0,
        rate: 0.0,
    };
    let mut clients = crowd.start(doors)?;
    let _: String = clients.hear().await?;
    let before = cpu::resident(product.id()?)?;
    clients.go().await?;
    let _: String = clients.hear().await?;
    clients.go().await?;
    let _: Watched = clients.hear().await?;
    tokio::time::sleep(SETTLE).await;
    let after = cpu::resident(product.id()?)?;
    clients.end().await?;
    product.end().await?;
    let kib = |bytes: u64| float(usize::try_from(bytes / 1024).unwrap_or_default());
    let each = (kib(after) - kib(before)).max(0.0) / float(streams);
    let what = format!("{} idle streams, one process", thousands(float(streams)));
    let line = Line::new(7, what)
        .measured(format!(
            "{each:.1} KiB each ({:.0} → {:.0} MiB)",
            kib(before) / 1024.0,
            kib(after) / 1024.0
        ))
        .reach(format!("≤ {REACH} KiB each"), each <= REACH)
        .number("kib_each", each)
        .number("before_kib", kib(before))
        .number("after_kib", kib(after));
    Ok(vec![line])
}
